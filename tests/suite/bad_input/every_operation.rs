//! What no operation of the management API takes, whatever it is for: each of the route table is asked.

use reqwest::Method;
use serde_json::{Value, json};

use super::{MALFORMED, NOT_FOUND, Verdict, WRONG_TYPE, assert_api};
use crate::matrix::operations;
use crate::matrix::operations::{Fixture, Operation};
use crate::support::{Answer, Backend, Client, Server, on_both};

on_both!(
    no_body_is_taken_that_is_not_what_it_has_to_be,
    no_query_is_taken_that_is_unknown,
    no_id_is_taken_that_is_none
);

const TOO_LARGE: Verdict = (413, "too_large");

/// Asks for an operation with this body instead of its own.
async fn ask(operation: &Operation, fixture: &Fixture<'_>, client: &Client, body: &str) -> Answer {
    client.send(operation.method.clone(), &fixture.filled(&operation.path), Some(body.to_owned())).await
}

async fn no_body_is_taken_that_is_not_what_it_has_to_be(backend: Backend) {
    let server = Server::start(backend).await;
    let fixture = Fixture::create(&server, "acme").await;
    let admin = server.admin();
    let as_json = admin.with("content-type", "application/json");
    let before = server.database.dump().await;
    for operation in operations() {
        let Some(good) = &operation.body else { continue };
        let named = format!("{} {}", operation.method, operation.path);
        let mut unknown = good.clone();
        unknown["unknown"] = Value::Null;
        let (good, unknown) = (good.to_string(), unknown.to_string());
        let nested =
            good.replacen('{', &format!(r#"{{"unknown":{}{},"#, "[".repeat(9_999), "]".repeat(9_999)), 1);
        for body in [
            "[]",
            "[{}]",
            "null",
            "true",
            "1",
            "\"\"",
            "{",
            "{}{}",
            &good[1..],
            &unknown,
            &nested,
            "\u{feff}\u{feff}{}",
            "{\"\0\":1}",
            "grant_type=client_credentials",
        ] {
            let what: String = format!("{named} {body}").chars().take(200).collect();
            assert_api(&what, &ask(&operation, &fixture, &as_json, body).await, MALFORMED);
        }
        assert_api(&named, &ask(&operation, &fixture, &admin, &good).await, WRONG_TYPE);
        let xml = admin.with("content-type", "application/xml");
        assert_api(&named, &ask(&operation, &fixture, &xml, &good).await, WRONG_TYPE);
        if operation.method != Method::PUT {
            let large = format!("{good}{}", " ".repeat(256 * 1024));
            assert_api(&named, &ask(&operation, &fixture, &as_json, &large).await, TOO_LARGE);
        }
    }
    assert_eq!(server.database.dump().await, before);
}

async fn no_query_is_taken_that_is_unknown(backend: Backend) {
    let server = Server::start(backend).await;
    let fixture = Fixture::create(&server, "acme").await;
    let before = server.database.dump().await;
    for operation in operations() {
        for query in
            ["unknown=1", "Limit=1", "access_token=x", "limit=1&limit=1", "%ff", "dry_run=yes", "force=1"]
        {
            let asking = Operation { path: format!("{}?{query}", operation.path), ..operation.clone() };
            let answer = asking.ask(&fixture, &server.admin()).await;
            assert_api(&format!("{} {}", asking.method, asking.path), &answer, MALFORMED);
        }
    }
    assert_eq!(server.database.dump().await, before);
}

async fn no_id_is_taken_that_is_none(backend: Backend) {
    let server = Server::start(backend).await;
    let fixture = Fixture::create(&server, "acme").await;
    let admin = server.admin();
    let before = server.database.dump().await;
    for operation in operations() {
        let ids = ["{org}", "web", "gh", "{key}", "{secret}", "{public_key}", "{trust_rule}"];
        for id in ids.into_iter().filter(|id| operation.path.contains(&format!("/{id}"))) {
            for bad in [
                "ACME",
                "a_b",
                "%00",
                "..%2F..",
                "%F0%9F%94%91",
                "x%20",
                "*",
                "key_",
                "sec_",
                "nonesuch",
                "%25",
            ] {
                let path = operation.path.replace(&format!("/{id}"), &format!("/{bad}"));
                let asking = Operation { path, ..operation.clone() };
                let answer = asking.ask(&fixture, &admin).await;
                assert_api(&format!("{} {}", asking.method, asking.path), &answer, NOT_FOUND);
            }
        }
    }
    assert_eq!(server.database.dump().await, before);
    let empty = json!({ "filter": { "q": "x" } });
    assert_api("no id", &admin.post_json("/v1/orgs//keys/revoke", &empty).await, NOT_FOUND);
}
