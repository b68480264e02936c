//! `Idempotency-Key`: a request that comes again makes nothing new, and shows no secret again.

use serde_json::{Value, json};

use crate::support::{Answer, Backend, Client, Server, on_both};

on_both!(
    a_repeated_request_is_answered_as_before_without_its_secret,
    another_body_is_a_conflict,
    an_idempotency_key_belongs_to_one_caller_and_one_operation,
    two_concurrent_requests_with_one_idempotency_key_create_one_key,
    a_repeated_request_runs_again_after_a_failure,
    an_idempotency_key_can_be_used_again_after_a_day,
    the_caller_is_authorized_again,
    an_idempotency_key_that_is_not_visible_ascii_is_refused,
    the_store_has_no_text_of_an_idempotency_key,
);

const ORGS: &str = "/v1/orgs";
const PROJECTS: &str = "/v1/orgs/default/projects";
const KEYS: &str = "/v1/orgs/default/keys";

fn new_key() -> Value {
    json!({ "name": "k", "project": "default", "environment": "prd", "preset": "query_only" })
}

/// The same client, whose requests have this name.
fn named(client: &Client, name: &str) -> Client {
    client.with("idempotency-key", name)
}

/// How many rows a table has.
async fn count(server: &Server, table: &str) -> i64 {
    server.database.number(&format!("SELECT COUNT(*) FROM {table}")).await
}

async fn a_repeated_request_is_answered_as_before_without_its_secret(backend: Backend) {
    let server = Server::start(backend).await;
    let admin = server.admin();
    let (id, old) = server.key(&["read:*"]).await;
    for (path, body, table) in [
        (ORGS, json!({ "id": "acme", "name": "Acme" }), "organizations"),
        (PROJECTS, json!({ "id": "web" }), "projects"),
        (KEYS, new_key(), "api_keys"),
        (&format!("{KEYS}/{id}/rotate"), json!({ "overlap_seconds": 100 }), "key_secrets"),
    ] {
        let asking = named(&admin, "once");
        let first = asking.post_json(path, &body).await;
        let mut expected = first.done(201);
        let after = (count(&server, table).await, count(&server, "audit_events").await);
        if let Some(key) = expected.get_mut("key") {
            assert!(key.take().is_string());
        }
        server.clock.advance(10);
        server.node.catch_up().await.unwrap();
        for _ in 0..2 {
            let again = asking.post_json(path, &body).await;
            assert_eq!(again.done(201), expected, "{path}");
            assert_eq!(again.header("location"), first.header("location"), "{path}");
            assert_eq!(again.header("cache-control"), "no-store", "{path}");
        }
        assert_eq!((count(&server, table).await, count(&server, "audit_events").await), after, "{path}");
    }
    server.client().token(&old, "").await.done(200);
}

async fn another_body_is_a_conflict(backend: Backend) {
    let server = Server::start(backend).await;
    let asking = named(&server.admin(), "once");
    asking.post_json(KEYS, &new_key()).await.done(201);
    let before = server.database.dump().await;
    let mut other = new_key();
    other["name"] = "other".into();
    asking.post_json(KEYS, &other).await.refused(409, "conflict");
    assert_eq!(server.database.dump().await, before);
    asking.post_json(KEYS, &new_key()).await.done(201);
}

async fn an_idempotency_key_belongs_to_one_caller_and_one_operation(backend: Backend) {
    let server = Server::start(backend).await;
    let (_, other) = server.key(&["*:claviger/**"]).await;
    let (id, _) = server.key(&["read:*"]).await;
    let (admin, other) = (named(&server.admin(), "once"), named(&server.client().bearer(&other), "once"));
    let token = server.client().access_token(&server.admin_key, "").await;
    let through_a_token = named(&server.client().bearer(&token), "once");
    let rotate = format!("{KEYS}/{id}/rotate");
    let rotation = json!({ "overlap_seconds": 0 });
    for (client, path, body, is_new) in [
        (&admin, KEYS, new_key(), true),
        (&other, KEYS, new_key(), true),
        (&admin, PROJECTS, json!({ "id": "web" }), true),
        (&admin, &rotate, rotation.clone(), true),
        (&other, &rotate, rotation.clone(), true),
        (&admin, &rotate, rotation, false),
        (&through_a_token, KEYS, new_key(), false),
    ] {
        let answer = client.post_json(path, &body).await.done(201);
        assert_eq!(answer["key"] != Value::Null || answer.get("key").is_none(), is_new, "{path}: {answer}");
    }
}

async fn two_concurrent_requests_with_one_idempotency_key_create_one_key(backend: Backend) {
    let server = Server::start(backend).await;
    let keys = async || count(&server, "api_keys").await;
    for round in 0..20 {
        let before = keys().await;
        let asking = named(&server.admin(), &format!("round-{round}"));
        let body = new_key();
        let ask = || asking.post_json(KEYS, &body);
        let (a, b, c) = tokio::join!(ask(), ask(), ask());
        assert_one_made([a, b, c]);
        assert_eq!(keys().await, before + 1);
    }
}

/// Of several answers one shows a key; the others come too early, or too late to see it.
pub(crate) fn assert_one_made(answers: impl IntoIterator<Item = Answer>) {
    let mut shown = 0;
    for answer in answers {
        match answer.status {
            201 => shown += usize::from(answer.json()["key"].is_string()),
            _ => drop(answer.refused(409, "conflict")),
        }
    }
    assert_eq!(shown, 1);
}

async fn a_repeated_request_runs_again_after_a_failure(backend: Backend) {
    let server = Server::start(backend).await;
    let asking = named(&server.admin(), "once");
    let mut body = new_key();
    body["project"] = "web".into();
    asking.post_json(KEYS, &body).await.refused(400, "invalid_request");
    server.admin().post_json(PROJECTS, &json!({ "id": "web" })).await.done(201);
    assert!(asking.post_json(KEYS, &body).await.done(201)["key"].is_string());
}

async fn an_idempotency_key_can_be_used_again_after_a_day(backend: Backend) {
    let server = Server::start(backend).await;
    let asking = named(&server.admin(), "once");
    let first = asking.post_json(KEYS, &new_key()).await.done(201);
    let later = async |seconds: i64| {
        server.clock.advance(seconds);
        server.node.tidy_once().await;
        server.node.catch_up().await.unwrap();
        asking.post_json(KEYS, &new_key()).await.done(201)
    };
    assert_eq!(later(86_400).await["id"], first["id"]);
    let second = later(1).await;
    assert!(second["id"] != first["id"] && second["key"].is_string());
}

async fn the_caller_is_authorized_again(backend: Backend) {
    let server = Server::start(backend).await;
    let admin = server.admin();
    let (id, maker) = server.key(&["write:claviger/orgs/default/projects/*/keys/*"]).await;
    let asking = named(&server.client().bearer(&maker), "once");
    asking.post_json(KEYS, &new_key()).await.done(201);
    let own = format!("{KEYS}/{id}");
    admin
        .patch(&own, &json!({ "scopes": [{ "action": "read", "resource": "claviger/**" }] }))
        .await
        .done(200);
    asking.post_json(KEYS, &new_key()).await.refused(403, "forbidden");
    admin.post_json(&format!("{own}/revoke"), &json!({})).await.done(200);
    asking.post_json(KEYS, &new_key()).await.refused(401, "key_revoked");
}

async fn an_idempotency_key_that_is_not_visible_ascii_is_refused(backend: Backend) {
    let server = Server::start(backend).await;
    let admin = server.admin();
    let long = "~".repeat(255);
    for name in ["!", "0f9c-42", "\"quoted\"", &long] {
        named(&admin, name).post_json(KEYS, &new_key()).await.done(201);
    }
    let before = count(&server, "api_keys").await;
    for name in ["", "é", "\u{a0}", "a b", "a\tb", &format!("{long}~")] {
        named(&admin, name).post_json(KEYS, &new_key()).await.refused(400, "invalid_request");
    }
    let twice = named(&named(&admin, "a"), "a");
    twice.post_json(KEYS, &new_key()).await.refused(400, "invalid_request");
    assert_eq!(count(&server, "api_keys").await, before);
}

/// A secret in the wrong header must not be found in the store.
async fn the_store_has_no_text_of_an_idempotency_key(backend: Backend) {
    let server = Server::start(backend).await;
    let made = named(&server.admin(), &server.admin_key).post_json(KEYS, &new_key()).await.done(201);
    let dump = server.database.dump().await.concat();
    let secret = |key: &str| key[key.len() - 49..key.len() - 6].to_owned();
    assert!(!dump.contains(&secret(&server.admin_key)));
    assert!(!dump.contains(&secret(made["key"].as_str().unwrap())));
}
