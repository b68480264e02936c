//! Revoking and deleting keys, and the last administrator key, which does not end by accident.

use std::fmt;

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Answer, Backend, Client, Server, on_both};

on_both!(
    a_revocation_is_immediate_and_final,
    a_deleted_key_is_gone_and_its_trail_stays,
    the_last_administrator_key_is_not_ended_by_accident,
    with_another_administrator_key_any_may_end,
    a_key_that_cannot_administer_now_does_not_count,
    two_administrator_keys_do_not_end_at_once,
    a_key_that_stays_an_administrator_key_is_changed_freely,
);

const KEYS: &str = "/v1/orgs/default/keys";
const CONFIGURATION: &str = "/v1/orgs/default/configuration";

async fn introspected(server: &Server, credential: &str) -> Value {
    server.admin().post_form("/oauth/introspect", &format!("token={credential}")).await.done(200)
}

async fn a_revocation_is_immediate_and_final(backend: Backend) {
    let server = Server::start(backend).await;
    let (admin, client) = (server.admin(), server.client());
    let (id, key) = server.key(&["read:*"]).await;
    let path = format!("{KEYS}/{id}");
    let token = client.access_token(&key, "").await;
    let mut expected = admin.get(&path).await.done(200);
    server.clock.advance(1);
    let revoked = admin.post_json(&format!("{path}/revoke"), &json!({ "reason": "left on a train" })).await;
    expected["status"] = "revoked".into();
    expected["generation"] = 2.into();
    expected["revoked_at"] = "2026-01-01T00:00:01Z".into();
    expected["revoked_reason"] = "left on a train".into();
    assert_eq!(revoked.done(200), expected);
    let refused = client.token(&key, "").await;
    assert_eq!((refused.status, &*refused.oauth_error()), (401, "invalid_client"));
    assert_eq!(refused.json()["error_description"], "the key is revoked");
    client.bearer(&key).get("/v1/self").await.refused(401, "key_revoked");
    for credential in [&key, &token] {
        assert_eq!(introspected(&server, credential).await, json!({ "active": false }));
    }
    server.clock.advance(1);
    let again = admin.post_json(&format!("{path}/revoke"), &json!({ "reason": "another" })).await;
    assert_eq!(again.done(200), expected, "the first reason and moment stay");
    assert_eq!(admin.get(&path).await.done(200), expected);
}

async fn a_deleted_key_is_gone_and_its_trail_stays(backend: Backend) {
    let server = Server::start(backend).await;
    let (admin, client) = (server.admin(), server.client());
    for ending in ["active", "expired", "revoked"] {
        let (id, key) = server.key_from(json!({ "preset": "query_only", "expires_in": 20 })).await;
        let path = format!("{KEYS}/{id}");
        admin.post_json(&format!("{path}/rotate"), &json!({ "overlap_seconds": 10 })).await.done(201);
        let token = client.access_token(&key, "").await;
        match ending {
            "revoked" => _ = admin.post_json(&format!("{path}/revoke"), &json!({})).await.done(200),
            "expired" => {
                server.clock.advance(20);
                server.node.catch_up().await.unwrap();
            }
            _ => assert_eq!(introspected(&server, &token).await["active"], true),
        }
        assert_eq!(admin.get(&path).await.done(200)["status"], ending);
        admin.delete(&path).await.done(204);
        let refused = client.token(&key, "").await;
        let unknown =
            json!({ "error": "invalid_client", "error_description": "client authentication failed" });
        assert_eq!((refused.status, refused.json()), (401, unknown), "{ending}");
        for credential in [&key, &token] {
            assert_eq!(introspected(&server, credential).await, json!({ "active": false }), "{ending}");
        }
        admin.get(&path).await.refused(404, "not_found");
        admin.delete(&path).await.refused(404, "not_found");
        let all = admin.get(&format!("{KEYS}?status=all")).await;
        assert!(!all.text.contains(&id), "{ending}");
        for (table, column) in [("api_keys", "id"), ("key_secrets", "key_id")] {
            let left = format!("SELECT COUNT(*) FROM {table} WHERE {column} = '{id}'");
            assert_eq!(server.database.number(&left).await, 0, "{ending}");
        }
        let trail = format!("SELECT action FROM audit_events WHERE subject = '{id}' ORDER BY seq");
        let trail = server.database.texts(&trail).await.join(" ");
        let expected = match ending {
            "revoked" => "key.create key.rotate key.revoke key.delete",
            _ => "key.create key.rotate key.delete",
        };
        assert_eq!(trail, expected);
    }
}

/// A request that would end an administrator key.
struct Closing {
    method: Method,
    path: String,
    body: Value,
}

impl Closing {
    /// Every kind of them, for a key of this id that is called `Administrator`.
    fn all(id: &str) -> Vec<Self> {
        let less = json!([{ "action": "*", "resource": "claviger/orgs/default/**" }]);
        let everything = json!([{ "action": "*", "resource": "claviger/**" }]);
        let filter = json!({ "q": "Administrator" });
        let document = json!({
            "id": id, "name": "Administrator", "project": "default", "environment": "prd", "scopes": less,
        });
        let bound = json!({
            "id": id, "name": "Administrator", "project": "default", "environment": "prd", "scopes": everything,
            "dpop": "required",
        });
        let closing = |method, path: &str, body| {
            let path = if method == Method::PUT { CONFIGURATION.into() } else { format!("{KEYS}{path}") };
            Self { method, path, body }
        };
        vec![
            closing(Method::POST, &format!("/{id}/revoke"), json!({})),
            closing(Method::DELETE, &format!("/{id}"), Value::Null),
            closing(Method::PATCH, &format!("/{id}"), json!({ "scopes": less })),
            closing(Method::PATCH, &format!("/{id}"), json!({ "preset": "full_access" })),
            closing(Method::PATCH, &format!("/{id}"), json!({ "preset": "key_admin" })),
            closing(Method::PATCH, &format!("/{id}"), json!({ "disabled": true })),
            closing(Method::PATCH, &format!("/{id}"), json!({ "cidrs": ["192.0.2.1"] })),
            closing(Method::PATCH, &format!("/{id}"), json!({ "dpop": "required" })),
            closing(Method::POST, "/revoke", json!({ "filter": filter })),
            closing(Method::POST, "/disable", json!({ "filter": filter })),
            closing(Method::POST, "/rescope", json!({ "filter": filter, "scopes": less })),
            closing(Method::POST, "/rescope", json!({ "filter": filter, "add": less, "remove": everything })),
            closing(Method::PUT, "", json!({ "organization": { "id": "default" }, "keys": [document] })),
            closing(Method::PUT, "", json!({ "organization": { "id": "default" }, "keys": [bound] })),
        ]
    }

    fn takes_dry_run(&self) -> bool {
        matches!(self.method, Method::PATCH | Method::PUT) || self.body.get("filter").is_some()
    }

    async fn ask(&self, client: &Client, query: &str) -> Answer {
        let body = (!self.body.is_null()).then(|| self.body.to_string());
        let client = client.with("content-type", "application/json");
        client.send(self.method.clone(), &format!("{}{query}", self.path), body).await
    }
}

impl fmt::Display for Closing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {}", self.method, self.path, self.body)
    }
}

/// The id of the administrator's key.
async fn admin_id(server: &Server) -> String {
    server.admin().get("/v1/self").await.done(200)["id"].as_str().unwrap().to_owned()
}

/// A server with another organization.
async fn with_another_organization(backend: Backend) -> Server {
    let server = Server::start(backend).await;
    let admin = server.admin();
    admin.post_json("/v1/orgs", &json!({ "id": "acme" })).await.done(201);
    admin.post_json("/v1/orgs/acme/projects", &json!({ "id": "web" })).await.done(201);
    server
}

/// Whether the client can make keys in whatever organization.
async fn makes_keys(client: &Client) -> bool {
    let key = json!({ "name": "k", "project": "web", "environment": "prd", "preset": "query_only" });
    client.post_json("/v1/orgs/acme/keys", &key).await.status == 201
}

async fn the_last_administrator_key_is_not_ended_by_accident(backend: Backend) {
    let server = with_another_organization(backend).await;
    let first = format!("{KEYS}/{}/revoke?force=true", admin_id(&server).await);
    let mut previous = server.admin();
    previous.post_json(&first, &json!({})).await.done(200);
    for at in 0..Closing::all("").len() {
        // With no administrator key left, there is no other way than past the management API.
        let (id, key) = server.stored_key_with("*:claviger/**").await;
        let (admin, closing) = (server.client().bearer(&key), &Closing::all(&id.to_string())[at]);
        assert!(makes_keys(&admin).await && !makes_keys(&previous).await);
        let before = server.database.dump().await;
        let refused = closing.ask(&admin, "").await.refused(409, "conflict");
        assert!(refused.contains("force=true"), "it says what to do: {refused}");
        closing.ask(&admin, "?force=false").await.refused(409, "conflict");
        if closing.takes_dry_run() {
            closing.ask(&admin, "?dry_run=true").await.refused(409, "conflict");
            closing.ask(&admin, "?dry_run=true&force=true").await.done(200);
        }
        assert_eq!(server.database.dump().await, before, "{closing}");
        let forced = closing.ask(&admin, "?force=true").await;
        assert!(forced.status < 300 && !makes_keys(&admin).await, "{closing}: {}", forced.text);
        previous = admin;
    }
}

async fn with_another_administrator_key_any_may_end(backend: Backend) {
    // An administrator key not by the name of its scope, but by what it covers.
    for scope in ["*:claviger/orgs/**", "write:claviger/orgs/*/projects/*/keys/*"] {
        let server = with_another_organization(backend).await;
        let (_, other) = server.key(&[scope]).await;
        let first = format!("{KEYS}/{}/revoke", admin_id(&server).await);
        server.admin().post_json(&first, &json!({})).await.done(200);
        for at in 0..Closing::all("").len() {
            let (id, key) = server.stored_key_with("*:claviger/**").await;
            let closing = &Closing::all(&id.to_string())[at];
            let answer = closing.ask(&server.client().bearer(&key), "").await;
            assert!(answer.status < 300, "{closing}: {}", answer.text);
        }
        assert!(makes_keys(&server.client().bearer(&other)).await);
    }
}

async fn a_key_that_cannot_administer_now_does_not_count(backend: Backend) {
    let server = Server::start(backend).await;
    let admin = server.admin();
    let revoke = format!("{KEYS}/{}/revoke", admin_id(&server).await);
    let everything = json!([{ "action": "*", "resource": "claviger/**" }]);
    // Two that only together would reach everywhere, one for a single organization, one that reads.
    server.key(&["write:claviger/orgs/default/projects/*/keys/*", "write:claviger/orgs/acme/**"]).await;
    server.key(&["*:*", "read:claviger/**", "admin:claviger/**"]).await;
    let (revoked, _) = server.key_from(json!({ "scopes": everything })).await;
    admin.post_json(&format!("{KEYS}/{revoked}/revoke"), &json!({})).await.done(200);
    let (expired, _) = server.key_from(json!({ "scopes": everything, "expires_in": 10 })).await;
    server.clock.advance(10);
    server.node.catch_up().await.unwrap();
    admin.post_json(&revoke, &json!({})).await.refused(409, "conflict");
    admin.delete(&format!("{KEYS}/{revoked}")).await.done(204);
    admin.delete(&format!("{KEYS}/{expired}")).await.done(204);
    admin.post_json(&revoke, &json!({})).await.refused(409, "conflict");
    let (id, _) = server.key_from(json!({ "preset": "query_only" })).await;
    admin.patch(&format!("{KEYS}/{id}"), &json!({ "scopes": everything })).await.done(200);
    admin.post_json(&revoke, &json!({})).await.done(200);
}

async fn two_administrator_keys_do_not_end_at_once(backend: Backend) {
    let server = Server::start(backend).await;
    let (admin, id) = (server.admin(), admin_id(&server).await);
    for name in ["spare a", "spare b"] {
        server
            .key_from(json!({ "name": name, "scopes": [{ "action": "*", "resource": "claviger/**" }] }))
            .await;
    }
    let revoke = format!("{KEYS}/revoke");
    let spares = json!({ "filter": { "q": "spare" } });
    let all = json!({ "filter": { "project": "default" } });
    let before = server.database.dump().await;
    for path in [&revoke, &format!("{revoke}?dry_run=true")] {
        admin.post_json(path, &all).await.refused(409, "conflict");
    }
    assert_eq!(server.database.dump().await, before);
    assert_eq!(admin.post_json(&revoke, &spares).await.done(200)["count"], 2);
    admin.delete(&format!("{KEYS}/{id}")).await.refused(409, "conflict");
}

async fn a_key_that_stays_an_administrator_key_is_changed_freely(backend: Backend) {
    let server = Server::start(backend).await;
    let admin = server.admin();
    let path = format!("{KEYS}/{}", admin_id(&server).await);
    for patch in [
        json!({ "name": "x", "note": "y" }),
        json!({ "scopes": [{ "action": "*", "resource": "claviger/**" }, { "action": "*", "resource": "*" }] }),
        json!({ "scopes": [{ "action": "*", "resource": "claviger/orgs/**" }] }),
    ] {
        admin.patch(&path, &patch).await.done(200);
    }
    let rotated =
        admin.post_json(&format!("{path}/rotate"), &json!({ "overlap_seconds": 0 })).await.done(201);
    let renewed = server.client().bearer(rotated["key"].as_str().unwrap());
    renewed.get("/v1/orgs").await.done(200);
    admin.get("/v1/orgs").await.refused(401, "unauthenticated");
}
