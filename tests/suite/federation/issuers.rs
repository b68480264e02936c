//! Who may make an organization trust somebody, and change that.

use serde_json::{Value, json};

use super::{ISSUERS, KEYS, Scene, record, trusting};
use crate::support::foreign_issuer::ForeignIssuer;
use crate::support::{Backend, Server, on_both};

on_both!(
    an_issuer_is_made_read_listed_and_changed,
    what_is_no_issuer_is_refused,
    an_organization_has_at_most_32,
    whoever_can_become_a_key_needs_its_rights,
    taking_away_needs_no_rights_to_the_keys,
    another_url_keeps_rules_pinned,
);

async fn an_issuer_is_made_read_listed_and_changed(backend: Backend) {
    let server = Server::start(backend).await;
    let admin = server.admin();
    let new = json!({ "id": "gh", "issuer": "https://token.actions.githubusercontent.com", "keys": { "discovery": true } });
    let made = admin.post_json(ISSUERS, &new).await;
    let etag = made.header("etag");
    let made = made.done(201);
    let expected = json!({ "id": "gh", "organization": "default", "name": "gh",
        "issuer": "https://token.actions.githubusercontent.com", "keys": { "discovery": true },
        "algorithms": ["RS256", "ES256"], "max_lifetime": 3_600, "single_use": false, "status": "active",
        "disabled_at": null, "created_at": "2026-01-01T00:00:00Z" });
    assert_eq!(made, expected);
    let path = format!("{ISSUERS}/gh");
    assert_eq!(admin.get(&path).await.done(200), expected);
    assert_eq!(admin.get(ISSUERS).await.done(200), json!({ "data": [expected], "next_cursor": null }));
    let change = json!({ "name": "GitHub", "single_use": true, "algorithms": ["RS256"] });
    let dry = admin.patch(&format!("{path}?dry_run=true"), &change).await.done(200);
    assert_eq!(dry["changes"]["name"], json!({ "from": "gh", "to": "GitHub" }));
    assert_eq!(admin.get(&path).await.done(200), expected);
    admin.with("if-match", "\"other\"").patch(&path, &change).await.refused(412, "precondition_failed");
    let changed = admin.with("if-match", etag).patch(&path, &change).await.done(200);
    assert_eq!((&changed["name"], &changed["single_use"]), (&json!("GitHub"), &json!(true)));
    admin.delete(&format!("{path}?dry_run=true")).await.done(200);
    admin.delete(&path).await.done(204);
    admin.get(&path).await.refused(404, "not_found");
    assert_eq!(admin.get(ISSUERS).await.done(200)["data"], json!([]));
}

async fn what_is_no_issuer_is_refused(backend: Backend) {
    let server = Server::start(backend).await;
    let good = json!({ "id": "x", "issuer": "https://a.example", "keys": { "discovery": true } });
    for (member, value, named) in [
        ("id", json!("X"), "an id must"),
        ("issuer", json!("http://a.example"), "issuer does not begin with https://"),
        ("issuer", json!("https://a.example?x"), "issuer has no host"),
        ("issuer", json!("https://a.example/?x"), "issuer has a query"),
        ("issuer", json!("https://u@a.example"), "issuer has a user"),
        ("issuer", json!("a.example"), "issuer does not begin"),
        ("keys", json!({}), "exactly one of"),
        ("keys", json!({ "discovery": true, "jwks_uri": "https://a.example" }), "exactly one of"),
        ("keys", json!({ "jwks_uri": "http://a.example" }), "`jwks_uri` does not begin"),
        ("keys", json!({ "jwks": { "keys": [] } }), "no public key"),
        ("keys", json!({ "jwks": { "keys": [{ "kty": "oct", "k": "c2VjcmV0" }] } }), "`k` has no place"),
        ("algorithms", json!([]), "must not be empty"),
        ("algorithms", json!(["HS256"]), "HS256 is none of"),
        ("algorithms", json!(["none"]), "none is none of"),
        ("algorithms", json!(["RS256", "RS256"]), "twice"),
        ("max_lifetime", json!(59), "max_lifetime must be 60 to 86400"),
        ("max_lifetime", json!(86_401), "max_lifetime must be 60 to 86400"),
        ("status", json!("active"), "unknown field"),
    ] {
        let mut body = good.clone();
        body[member] = value.clone();
        let message = server.admin().post_json(ISSUERS, &body).await.refused(400, "invalid_request");
        assert!(message.contains(named), "{member} {value}: {message}");
        assert!(!message.contains("c2VjcmV0"), "{message}");
    }
    server.admin().post_json(ISSUERS, &good).await.done(201);
}

async fn an_organization_has_at_most_32(backend: Backend) {
    let server = Server::start(backend).await;
    let issuer = |at: usize| json!({ "id": format!("i{at}"), "issuer": "https://a.example", "keys": { "discovery": true } });
    for at in 0..32 {
        server.admin().post_json(ISSUERS, &issuer(at)).await.done(201);
    }
    let message = server.admin().post_json(ISSUERS, &issuer(32)).await.refused(409, "conflict");
    assert!(message.contains("32 trusted issuers"), "{message}");
    server.admin().delete(&format!("{ISSUERS}/i0")).await.done(204);
    server.admin().post_json(ISSUERS, &issuer(32)).await.done(201);
}

async fn whoever_can_become_a_key_needs_its_rights(backend: Backend) {
    let scene = Scene::set(backend).await;
    let other = ForeignIssuer::start().await;
    let path = format!("{ISSUERS}/idp");
    let (_, weak) = scene.server.key(&["admin:claviger/orgs/default/issuers/*"]).await;
    let weak = scene.server.client().bearer(&weak);
    weak.post_json(ISSUERS, &record("mine", &other)).await.done(201);
    let raising = [
        json!({ "issuer": other.url }),
        json!({ "keys": { "jwks": { "keys": [other.holder.jwk] } } }),
        json!({ "algorithms": ["ES256"] }),
    ];
    for change in &raising {
        let message = weak.patch(&path, change).await.refused(403, "forbidden");
        assert!(message.contains("write:claviger/orgs/default/projects/default/keys/"), "{message}");
    }
    weak.patch(&path, &json!({ "name": "x", "max_lifetime": 600, "single_use": true })).await.done(200);
    weak.patch(&path, &json!({ "status": "disabled" })).await.done(200);
    weak.patch(&path, &json!({ "status": "active" })).await.refused(403, "forbidden");
    // The right to write the key is not enough for a key with more rights than the caller's.
    let both = ["admin:claviger/orgs/default/issuers/*", "write:claviger/orgs/default/projects/*/keys/*"];
    let (_, writer) = scene.server.key(&both).await;
    let writer = scene.server.client().bearer(&writer);
    writer.patch(&path, &json!({ "status": "active" })).await.done(200);
    let (id, _) = trusting(&scene.server, &json!({ "issuer": "idp", "subject": "admin" })).await;
    let scopes = json!({ "scopes": [{ "action": "admin", "resource": "claviger/orgs/*" }] });
    scene.admin().patch(&format!("{KEYS}/{id}"), &scopes).await.done(200);
    for change in &raising {
        let message = writer.patch(&path, change).await.refused(403, "forbidden");
        assert!(message.contains("a scope that you do not have"), "{message}");
    }
    scene.admin().patch(&path, &raising[1]).await.done(200);
}

async fn taking_away_needs_no_rights_to_the_keys(backend: Backend) {
    let scene = Scene::set(backend).await;
    let (_, weak) = scene.server.key(&["admin:claviger/orgs/default/issuers/idp"]).await;
    let weak = scene.server.client().bearer(&weak);
    weak.patch(&format!("{ISSUERS}/idp"), &json!({ "status": "disabled" })).await.done(200);
    let generation = scene.admin().get(&format!("{KEYS}/{}", scene.id)).await.done(200)["generation"].clone();
    assert_eq!(generation, 2);
    weak.delete(&format!("{ISSUERS}/idp")).await.done(204);
}

/// A rule for a single issuer must not become one for an issuer that many share.
async fn another_url_keeps_rules_pinned(backend: Backend) {
    let scene = Scene::set(backend).await;
    let path = format!("{ISSUERS}/idp");
    let github = json!({ "issuer": "https://token.actions.githubusercontent.com" });
    let message = scene.admin().patch(&path, &github).await.refused(400, "invalid_request");
    assert!(message.contains("/repository_id"), "{message}");
    let pinned: Value = json!({ "issuer": "idp", "claims": { "/repository_id": "1" } });
    let rules = format!("{KEYS}/{}/trust-rules", scene.id);
    scene.admin().post_json(&rules, &pinned).await.done(201);
    scene.admin().delete(&format!("{rules}/{}", scene.rule)).await.done(204);
    scene.admin().patch(&path, &github).await.done(200);
}
