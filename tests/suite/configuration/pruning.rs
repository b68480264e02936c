//! A document that is empty or cut short ends nothing by accident.

use reqwest::Method;
use serde_json::{Value, json};

use super::{PATH, put, said, server_admin};
use crate::support::{Backend, Server, on_both};

on_both!(
    a_document_without_its_organization_is_refused,
    most_keys_are_pruned_only_when_that_is_confirmed,
    keys_that_are_over_do_not_hide_how_many_are_pruned,
);

async fn a_document_without_its_organization_is_refused(backend: Backend) {
    let server = Server::start(backend).await;
    server.key_from(json!({ "name": "one", "preset": "query_only" })).await;
    let before = server.database.dump().await;
    let admin = server.admin().with("content-type", "application/json");
    for body in
        ["", "{}", "null", "[]", r#"{"organization":null}"#, r#"{"organization":{}}"#, r#"{"keys":[]}"#]
    {
        for query in ["", "?prune=true", "?prune=true&prune_all=true&force=true", "?dry_run=true"] {
            let answer = admin.send(Method::PUT, &format!("{PATH}{query}"), Some(body.to_owned())).await;
            let why = answer.refused(400, "invalid_request");
            assert!(!body.contains("keys") || why.contains("organization.id is missing"), "{why}");
        }
    }
    assert_eq!(server.database.dump().await, before);
}

/// A document of the administrator's key and as many of the others as are given.
async fn document(server: &Server, others: usize) -> Value {
    let mut document = server.admin().get(PATH).await.done(200);
    let admin = server_admin(server).await;
    let keys = document["keys"].as_array_mut().unwrap();
    keys.retain(|key| key["id"] != admin["id"]);
    keys.truncate(others);
    keys.push(admin);
    document
}

async fn most_keys_are_pruned_only_when_that_is_confirmed(backend: Backend) {
    let server = Server::start(backend).await;
    for name in ["a", "b", "c", "d", "e"] {
        server.key_from(json!({ "name": name, "preset": "query_only" })).await;
    }
    let admin = server.admin();
    let before = server.database.dump().await;
    let few = document(&server, 1).await;
    for query in ["?prune=true", "?prune=true&force=true", "?prune=true&dry_run=true"] {
        let why = put(&admin, query, &few).await.refused(409, "conflict");
        assert!(why.contains("4 of the organization's 6 keys") && why.contains("prune_all=true"), "{why}");
    }
    put(&admin, "?prune_all=true", &few).await.refused(400, "invalid_request");
    assert_eq!(server.database.dump().await, before);
    // Half of them is not most of them.
    let half = put(&admin, "?prune=true", &document(&server, 2).await).await.done(200);
    assert_eq!(said(&half), ["revoke key e: ", "revoke key d: ", "revoke key c: "]);
    let confirmed = "?prune=true&prune_all=true";
    let none = put(&admin, confirmed, &document(&server, 0).await).await.done(200);
    assert_eq!(said(&none), ["revoke key b: ", "revoke key a: "]);
    // Nor does it confirm what else needs to be.
    put(&admin, confirmed, &json!({ "keys": [] })).await.refused(409, "conflict");
}

async fn keys_that_are_over_do_not_hide_how_many_are_pruned(backend: Backend) {
    let server = Server::start(backend).await;
    for name in ["a", "b"] {
        server.key_from(json!({ "name": name, "preset": "query_only" })).await;
    }
    for name in ["v", "w", "x", "y", "z"] {
        server.key_from(json!({ "name": name, "preset": "query_only", "expires_in": 5 })).await;
    }
    server.advance(5).await;
    let mut document = server.admin().get(PATH).await.done(200);
    document["keys"].as_array_mut().unwrap().retain(|key| key["name"] != "a" && key["name"] != "b");
    let why = put(&server.admin(), "?prune=true", &document).await.refused(409, "conflict");
    assert!(why.contains("2 of 3 active ones"), "{why}");
}
