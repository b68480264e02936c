//! What an administrator changes at one node, the other does once it has heard of it.

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Backend, Node2, Options, Server, on_postgres};
use crate::token::claims;

on_postgres!(
    what_is_taken_from_a_key_is_taken_at_the_other_node,
    a_key_with_more_or_a_later_end_has_it_at_the_other_node,
    secrets_come_and_go_at_the_other_node,
    audiences_narrow_at_the_other_node,
    an_organization_and_a_project_come_and_go_at_the_other_node,
);

const ORG: &str = "/v1/orgs/default";
const PROJECT: &str = "/v1/orgs/default/projects/default";
const KEYS: &str = "/v1/orgs/default/keys";

/// Two nodes over one store.
struct Pair {
    server: Server,
    other: Node2,
}

/// A key that both nodes hold in memory.
struct Key {
    id: String,
    text: String,
    /// Issued by the one node, and introspected by the other.
    token: String,
}

impl Pair {
    async fn start(backend: Backend) -> Self {
        let audiences = Some(["a:1", "a:2", "a:3"].map(str::to_owned).to_vec());
        let server = Server::start_with(backend, Options { audiences, ..Options::default() }).await;
        let other = server.second_node().await;
        Self { server, other }
    }

    async fn key(&self, members: Value) -> Key {
        let (id, text) = self.server.key_from(members).await;
        let token = self.server.client().access_token(&text, "").await;
        self.other.client().access_token(&text, "").await;
        assert!(self.is_active(&token).await);
        Key { id, text, token }
    }

    /// Asks the one node for something, perhaps of this key, and has the other one hear of it.
    async fn ask(&self, key: &Key, method: Method, path: &str, body: Value) -> Value {
        let path = path.replace("{key}", &format!("{KEYS}/{}", key.id));
        let admin = self.server.admin().with("content-type", "application/json");
        let answer = admin.send(method, &path, Some(body.to_string())).await;
        assert!(answer.status < 300, "{path}: {}", answer.text);
        self.hear().await;
        serde_json::from_str(&answer.text).unwrap_or_default()
    }

    async fn hear(&self) {
        self.server.node.catch_up().await.expect("the store answers");
        self.other.node.catch_up().await.expect("the store answers");
    }

    /// Whether the other node takes the token.
    async fn is_active(&self, token: &str) -> bool {
        let admin = self.other.client().bearer(&self.server.admin_key);
        admin.post_form("/oauth/introspect", &format!("token={token}")).await.done(200)["active"] == true
    }

    /// Why the other node refuses a key; nothing when it does not.
    async fn refusal(&self, key: &str, more: &str) -> String {
        let answer = self.other.client().token(key, more).await;
        answer.json()["error_description"].as_str().unwrap_or_default().to_owned()
    }
}

async fn what_is_taken_from_a_key_is_taken_at_the_other_node(backend: Backend) {
    const UNKNOWN: &str = "client authentication failed";
    let pair = Pair::start(backend).await;
    let patch = |patch: Value| (Method::PATCH, "{key}", patch);
    let filter = json!({ "q": "taken" });
    let narrower = json!([{ "action": "read", "resource": "b" }]);
    for ((method, path, body), refusal) in [
        (patch(json!({ "scopes": narrower })), ""),
        (patch(json!({ "cidrs": ["192.0.2.1"] })), "the key is not allowed from address 127.0.0.1"),
        (patch(json!({ "expires_in": 999 })), ""),
        (
            patch(json!({ "dpop": "required" })),
            "this key requires a DPoP proof, so that its tokens are bound: send one in the header DPoP",
        ),
        ((Method::POST, "{key}/revoke", json!({})), "the key is revoked"),
        ((Method::DELETE, "{key}", Value::Null), UNKNOWN),
        ((Method::POST, "{key}/rotate", json!({ "overlap_seconds": 0 })), UNKNOWN),
        (
            (Method::POST, "/v1/orgs/default/keys/rescope", json!({ "filter": filter, "scopes": narrower })),
            "",
        ),
        ((Method::POST, "/v1/orgs/default/keys/revoke", json!({ "filter": filter })), "the key is revoked"),
    ] {
        let what = format!("{method} {path} {body}");
        let key = pair.key(json!({ "name": "taken", "preset": "query_only", "expires_in": 1_000 })).await;
        pair.ask(&key, method, path, body).await;
        assert!(!pair.is_active(&key.token).await, "{what}");
        assert_eq!(pair.refusal(&key.text, "").await, refusal, "{what}");
        if refusal.is_empty() {
            let token = pair.other.client().access_token(&key.text, "").await;
            assert_eq!(claims(&token)["gen"], 2, "{what}");
            assert!(pair.is_active(&token).await, "{what}");
        }
    }
}

async fn a_key_with_more_or_a_later_end_has_it_at_the_other_node(backend: Backend) {
    let pair = Pair::start(backend).await;
    let key = pair.key(json!({ "preset": "query_only", "expires_in": 10 })).await;
    pair.ask(&key, Method::PATCH, "{key}", json!({ "preset": "full_access" })).await;
    assert_eq!(pair.refusal(&key.text, "&scope=write:a").await, "");
    assert!(pair.is_active(&key.token).await, "widening breaks nothing");
    pair.server.clock.advance(10);
    pair.hear().await;
    assert_eq!(pair.refusal(&key.text, "").await, "the key has expired");
    pair.ask(&key, Method::PATCH, "{key}", json!({ "expires_at": null })).await;
    assert_eq!(pair.refusal(&key.text, "").await, "");
}

async fn secrets_come_and_go_at_the_other_node(backend: Backend) {
    let pair = Pair::start(backend).await;
    let key = pair.key(json!({ "preset": "query_only" })).await;
    let rotated = pair.ask(&key, Method::POST, "{key}/rotate", json!({ "overlap_seconds": 20 })).await;
    let new = rotated["key"].as_str().unwrap();
    assert_eq!(
        (pair.refusal(&key.text, "").await, pair.refusal(new, "").await),
        (String::new(), String::new())
    );
    assert!(pair.is_active(&key.token).await);
    let retired = format!("{{key}}/secrets/{}", rotated["secrets"][1]["id"].as_str().unwrap());
    pair.ask(&key, Method::DELETE, &retired, Value::Null).await;
    assert!(!pair.refusal(new, "").await.is_empty());
    assert!(!pair.is_active(&key.token).await);
    pair.server.clock.advance(20);
    pair.hear().await;
    assert_eq!(pair.refusal(&key.text, "").await, "", "the secret that is left has no end any more");
    pair.ask(&key, Method::POST, "{key}/rotate", json!({ "overlap_seconds": 20 })).await;
    assert_eq!(pair.refusal(&key.text, "").await, "");
    pair.server.clock.advance(20);
    pair.hear().await;
    assert!(!pair.refusal(&key.text, "").await.is_empty(), "at its end");
}

async fn audiences_narrow_at_the_other_node(backend: Backend) {
    let pair = Pair::start(backend).await;
    let key = pair.key(json!({ "preset": "query_only" })).await;
    for (path, audiences, left) in [
        (ORG, json!(["a:3", "a:2"]), &["a:3", "a:2"][..]),
        (PROJECT, json!(["a:2"]), &["a:2"]),
        (ORG, Value::Null, &["a:2"]),
        (PROJECT, Value::Null, &["a:1", "a:2", "a:3"]),
    ] {
        pair.ask(&key, Method::PATCH, path, json!({ "audiences": audiences })).await;
        for audience in ["a:1", "a:2", "a:3"] {
            let refusal = pair.refusal(&key.text, &format!("&resource={audience}")).await;
            assert_eq!(
                refusal.is_empty(),
                left.contains(&audience),
                "{path} {audiences} {audience}: {refusal}"
            );
        }
        let token = pair.other.client().access_token(&key.text, "").await;
        assert_eq!(claims(&token)["aud"], left[0], "{path} {audiences}");
    }
}

async fn an_organization_and_a_project_come_and_go_at_the_other_node(backend: Backend) {
    let pair = Pair::start(backend).await;
    let other = pair.other.client().bearer(&pair.server.admin_key);
    for (collection, path) in
        [("/v1/orgs", "/v1/orgs/acme"), ("/v1/orgs/default/projects", "/v1/orgs/default/projects/acme")]
    {
        let made = pair.server.admin().post_json(collection, &json!({ "id": "acme" })).await;
        let read = other.get(path).await;
        assert_eq!((read.done(200), read.header("etag")), (made.done(201), made.header("etag")));
        other.post_json(collection, &json!({ "id": "acme" })).await.refused(409, "conflict");
        pair.server.admin().delete(path).await.done(204);
        other.get(path).await.refused(404, "not_found");
        other.post_json(collection, &json!({ "id": "acme" })).await.refused(409, "conflict");
    }
}
