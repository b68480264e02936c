//! What is exported can be applied elsewhere: in another deployment, and in another organization of the same one.

use serde_json::{Value, json};

use super::{PATH, put, said};
use crate::support::{Backend, Server, on_both};

on_both!(
    an_export_with_keys_that_are_over_applies_elsewhere,
    an_export_says_which_keys_are_disabled,
    audiences_that_were_narrowed_above_do_not_hinder_an_export,
    what_can_not_be_applied_is_named,
);

/// An organization with a key in every state.
async fn server_with_keys(backend: Backend) -> Server {
    let server = Server::start(backend).await;
    server.key_from(json!({ "name": "twin", "preset": "query_only", "note": "two\nlines \"quoted\"" })).await;
    server.key_from(json!({ "name": "twin", "preset": "query_only", "cidrs": ["10.0.0.0/8"] })).await;
    server.key_from(json!({ "name": "expired", "preset": "query_only", "expires_in": 5 })).await;
    let (disabled, _) = server.key_from(json!({ "name": "disabled", "preset": "full_access" })).await;
    let (both, _) =
        server.key_from(json!({ "name": "both", "preset": "full_access", "expires_in": 5 })).await;
    for id in [disabled, both] {
        server
            .admin()
            .patch(&format!("/v1/orgs/default/keys/{id}"), &json!({ "disabled": true }))
            .await
            .done(200);
    }
    server.advance(5).await;
    server
}

/// The keys of an organization by name and status, but the administrator's.
async fn keys(server: &Server, org: &str) -> Vec<String> {
    let listed = server.admin().get(&format!("/v1/orgs/{org}/keys?status=all")).await.done(200);
    let keys = listed["data"].as_array().unwrap().iter();
    let mut keys: Vec<_> = keys
        .filter(|key| key["name"] != "Administrator")
        .map(|key| format!("{} {} {}", key["name"], key["status"], key["note"]))
        .collect();
    keys.sort_unstable();
    keys
}

async fn an_export_with_keys_that_are_over_applies_elsewhere(backend: Backend) {
    let here = server_with_keys(backend).await;
    let exported = here.admin().get(PATH).await.done(200);
    let expected = keys(&here, "default").await;
    assert_eq!(expected.len(), 5);
    let again = put(&here.admin(), "?prune=true", &exported).await.done(200);
    assert_eq!(said(&again), [""; 0]);

    // Another deployment, whose clock says the same.
    let there = Server::start(backend).await;
    there.advance(5).await;
    let applied = put(&there.admin(), "", &exported).await.done(200);
    assert_eq!(applied["keys"].as_array().unwrap().len(), 5);
    assert_eq!(keys(&there, "default").await, expected);
    let both = there.admin().get("/v1/orgs/default/keys?status=all&q=both").await.done(200);
    assert_ne!(both["data"][0]["disabled_at"], Value::Null);

    // Another organization beside it.
    here.admin().post_json("/v1/orgs", &json!({ "id": "acme" })).await.done(201);
    let mut renamed = exported.clone();
    renamed["organization"]["id"] = "acme".into();
    let client = here.admin().with("content-type", "application/json");
    let path = "/v1/orgs/acme/configuration";
    let applied = client.send(reqwest::Method::PUT, path, Some(renamed.to_string())).await.done(200);
    assert_eq!(applied["keys"].as_array().unwrap().len(), 6, "the administrator's key, too");
    assert_eq!(keys(&here, "acme").await, expected);
}

async fn an_export_says_which_keys_are_disabled(backend: Backend) {
    let server = Server::start(backend).await;
    let (id, key) = server.key_from(json!({ "name": "one", "preset": "query_only" })).await;
    let path = format!("/v1/orgs/default/keys/{id}");
    let stored = async || server.admin().get(PATH).await.done(200);
    let of_one = |document: &Value| {
        let keys = document["keys"].as_array().unwrap();
        keys.iter().find(|key| key["name"] == "one").unwrap()["disabled"].clone()
    };
    let enabled = stored().await;
    assert_eq!(of_one(&enabled), Value::Null);
    server.admin().patch(&path, &json!({ "disabled": true })).await.done(200);
    let disabled = stored().await;
    assert_eq!(of_one(&disabled), true);
    // A file from before does not enable it again.
    assert_eq!(said(&put(&server.admin(), "", &enabled).await.done(200)), [""; 0]);
    assert_eq!(server.client().token(&key, "").await.status, 401);
    let with = |value: Value| {
        let mut document = disabled.clone();
        let keys = document["keys"].as_array_mut().unwrap();
        keys.iter_mut().find(|key| key["name"] == "one").unwrap()["disabled"] = value;
        document
    };
    let change = |answer: Value| answer["changes"][0]["changes"].clone();
    let done = put(&server.admin(), "", &with(json!(false))).await.done(200);
    assert_eq!(change(done), json!({ "disabled": { "from": true, "to": false } }));
    server.client().token(&key, "").await.done(200);
    let done = put(&server.admin(), "", &with(json!(true))).await.done(200);
    assert_eq!(change(done), json!({ "disabled": { "from": false, "to": true } }));
    let trail = format!("SELECT action FROM audit_events WHERE subject = '{id}' ORDER BY seq");
    let expected = ["key.create", "key.disable", "key.enable", "key.disable"];
    assert_eq!(server.database.texts(&trail).await, expected);
}

async fn audiences_that_were_narrowed_above_do_not_hinder_an_export(backend: Backend) {
    let audiences = ["https://a.example", "https://b.example"].map(str::to_owned).to_vec();
    let options = crate::support::Options { audiences: Some(audiences), ..Default::default() };
    let server = Server::start_with(backend, options).await;
    let admin = server.admin();
    let b = json!({ "audiences": ["https://b.example"] });
    admin.patch("/v1/orgs/default/projects/default", &b).await.done(200);
    admin.patch("/v1/orgs/default", &json!({ "audiences": ["https://a.example"] })).await.done(200);
    let exported = admin.get(PATH).await.done(200);
    assert_eq!(said(&put(&admin, "", &exported).await.done(200)), [""; 0]);
}

async fn what_can_not_be_applied_is_named(backend: Backend) {
    let server = Server::start(backend).await;
    let key = |name: &str, members: Value| {
        let mut key =
            json!({ "name": name, "project": "default", "environment": "prd", "preset": "query_only" });
        key.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
        key
    };
    let (id, _) = server.key_from(json!({ "name": "here", "preset": "query_only" })).await;
    for (document, wanted) in [
        (
            json!({ "keys": [key("new", json!({ "expires_at": "2020-01-01T00:00:00Z" }))] }),
            "keys[0]: \"new\": ",
        ),
        (json!({ "keys": [key("far", json!({ "project": "nowhere" }))] }), "keys[0]: \"far\": "),
        (
            json!({ "keys": [key("ok", json!({})), key("here", json!({ "id": id, "expires_at": "2020-01-01T00:00:00Z" }))] }),
            "keys[1]: \"here\": ",
        ),
        (
            json!({ "projects": [{ "id": "web", "audiences": ["https://nobody.example"] }] }),
            "projects \"web\": ",
        ),
    ] {
        let why = put(&server.admin(), "", &document).await.refused(400, "invalid_request");
        assert!(why.starts_with(wanted), "{why}");
    }
}
