//! `PATCH /v1/orgs/{org}/keys/{key}`: what changes, what that takes away, and what it does not.

use serde_json::{Value, json};

use crate::support::{Backend, Server, on_both};

on_both!(
    each_member_changes_alone,
    null_is_what_it_stands_for_or_refused,
    the_generation_rises_when_something_is_taken_away,
    a_later_end_revives_an_expired_key,
    a_dry_run_tells_what_would_change_and_changes_nothing,
    a_revoked_key_stays_as_it_is,
    a_key_has_its_new_scopes_at_once,
);

const KEYS: &str = "/v1/orgs/default/keys";

async fn each_member_changes_alone(backend: Backend) {
    let server = Server::start(backend).await;
    let admin = server.admin();
    let scopes = json!([{ "action": "read", "resource": "a" }]);
    let (id, _) = server.key_from(json!({ "note": "n", "scopes": scopes, "cidrs": ["10.0.0.0/8"] })).await;
    let path = format!("{KEYS}/{id}");
    let everyone = json!(["0.0.0.0/0", "::/0"]);
    let wildcard = json!(["cidrs_wildcard"]);
    for (patch, members) in [
        (json!({}), json!({})),
        (json!({ "name": "Другое имя" }), json!({ "name": "Другое имя" })),
        (json!({ "note": "two\nlines" }), json!({ "note": "two\nlines" })),
        (json!({ "note": "" }), json!({ "note": "" })),
        (json!({ "note": null }), json!({ "note": null })),
        (json!({ "tags": { "team": "a" } }), json!({ "tags": { "team": "a" } })),
        (json!({ "tags": {} }), json!({ "tags": {} })),
        (json!({ "owner": "Finance" }), json!({ "owner": "Finance" })),
        (
            json!({ "scopes": [{ "action": "write" }, { "action": "read", "resource": "*" }] }),
            json!({
                "scopes": [{ "action": "read", "resource": "*" }, { "action": "write", "resource": "*" }],
            }),
        ),
        (json!({ "preset": "full_access" }), json!({ "scopes": [{ "action": "*", "resource": "*" }] })),
        (
            json!({ "cidrs": ["::ffff:10.0.0.0/104", "127.0.0.1"] }),
            json!({ "cidrs": ["10.0.0.0/8", "127.0.0.1/32"], "generation": 1 }),
        ),
        (json!({ "cidrs": [] }), json!({ "cidrs": everyone, "warnings": wildcard })),
        (
            json!({ "cidrs": ["10.0.0.0/8"] }),
            json!({ "cidrs": ["10.0.0.0/8"], "warnings": [], "generation": 2 }),
        ),
        (json!({ "cidrs": null }), json!({ "cidrs": everyone, "warnings": wildcard })),
        (json!({ "expires_in": "1y" }), json!({ "expires_at": "2027-01-01T00:00:00Z", "generation": 3 })),
        (
            json!({ "expires_at": "2028-01-01T01:00:00+01:00" }),
            json!({ "expires_at": "2028-01-01T00:00:00Z" }),
        ),
        (json!({ "expires_at": null }), json!({ "expires_at": null })),
    ] {
        let mut expected = admin.get(&path).await.done(200);
        expected.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
        assert_eq!(admin.patch(&path, &patch).await.done(200), expected, "{patch}");
        assert_eq!(admin.get(&path).await.done(200), expected, "{patch}");
    }
    let found = admin.get(&format!("{KEYS}?q=%D1%80%D1%83%D0%B3%D0%BE%D0%B5")).await.done(200);
    assert_eq!(found["data"][0]["id"], id, "a search finds the new name");
}

async fn null_is_what_it_stands_for_or_refused(backend: Backend) {
    let server = Server::start(backend).await;
    let admin = server.admin();
    let (id, _) = server.key(&["read:*"]).await;
    let before = server.database.dump().await;
    for patch in [
        json!({ "name": null }),
        json!({ "scopes": null }),
        json!({ "preset": null }),
        json!({ "expires_in": null }),
        json!({ "scopes": [] }),
        json!({ "scopes": [{ "action": "read" }], "preset": "query_only" }),
        json!({ "expires_in": "30d", "expires_at": "2027-01-01T00:00:00Z" }),
        json!({ "expires_in": "30d", "expires_at": null }),
        json!({ "expires_at": "2026-01-01T00:00:00Z" }),
        json!({ "project": "default" }),
        json!({ "environment": "dev" }),
        json!({ "generation": 9 }),
        json!({ "name": "good", "note": 1 }),
    ] {
        let answer = admin.patch(&format!("{KEYS}/{id}"), &patch).await;
        assert_eq!((answer.status, &*answer.code()), (400, "invalid_request"), "{patch}: {}", answer.text);
    }
    assert_eq!(server.database.dump().await, before);
}

async fn the_generation_rises_when_something_is_taken_away(backend: Backend) {
    const KEPT: bool = false;
    const TAKEN: bool = true;
    let server = Server::start(backend).await;
    let (admin, client) = (server.admin(), server.client());
    let reads = |resource: &str| json!({ "action": "read", "resource": resource });
    let original = json!({
        "scopes": [reads("a/*"), reads("b")], "cidrs": ["127.0.0.0/8", "10.0.0.0/8"], "expires_in": 1000,
    });
    let end = |seconds: i64| server.clock.now().plus(seconds).rfc3339();
    for (patch, taken) in [
        (json!({}), KEPT),
        (json!({ "name": "x", "note": "y" }), KEPT),
        (json!({ "scopes": [reads("b"), reads("a/*")] }), KEPT),
        (json!({ "scopes": [reads("a/**"), reads("b"), { "action": "write" }] }), KEPT),
        (json!({ "preset": "query_only" }), KEPT),
        (json!({ "scopes": [reads("a/*")] }), TAKEN),
        (json!({ "scopes": [reads("a/1"), reads("b")] }), TAKEN),
        (json!({ "scopes": [reads("*/1"), reads("b"), { "action": "write" }] }), TAKEN),
        (json!({ "cidrs": ["10.0.0.0/8", "127.0.0.0/8"] }), KEPT),
        (json!({ "cidrs": ["10.0.0.0/7", "127.0.0.0/8", "2001:db8::/32"] }), KEPT),
        (json!({ "cidrs": null }), KEPT),
        (json!({ "cidrs": ["127.0.0.0/8"] }), TAKEN),
        (json!({ "cidrs": ["10.0.0.0/8", "127.0.0.0/9", "::/0"] }), TAKEN),
        (json!({ "expires_in": 1000 }), KEPT),
        (json!({ "expires_in": 1001 }), KEPT),
        (json!({ "expires_at": null }), KEPT),
        (json!({ "expires_at": end(999) }), TAKEN),
        (json!({ "preset": "query_only", "cidrs": null, "expires_in": 999 }), TAKEN),
        (json!({ "scopes": [reads("b")], "cidrs": ["127.0.0.1"], "expires_in": 1 }), TAKEN),
    ] {
        let (id, key) = server.key_from(original.clone()).await;
        let path = format!("{KEYS}/{id}");
        let token = client.access_token(&key, "").await;
        let tried = admin.patch(&format!("{path}?dry_run=true"), &patch).await.done(200);
        let changed = admin.patch(&path, &patch).await.done(200);
        let generation = if taken { 2 } else { 1 };
        assert_eq!(
            (&changed["generation"], &tried["generation"]),
            (&json!(generation), &json!(generation)),
            "{patch}"
        );
        let introspected = admin.post_form("/oauth/introspect", &format!("token={token}")).await.json();
        assert_eq!(introspected["active"], !taken, "{patch}");
        let again = admin.patch(&path, &patch).await.done(200);
        assert_eq!(again, changed, "{patch}, once more, takes nothing more");
        client.token(&key, "").await.done(200);
    }
    let (id, key) = server.key(&["read:*"]).await;
    let token = client.access_token(&key, "").await;
    let ended = admin.patch(&format!("{KEYS}/{id}"), &json!({ "expires_in": "1y" })).await.done(200);
    assert_eq!(ended["generation"], 2, "an end where there was none");
    let introspected = admin.post_form("/oauth/introspect", &format!("token={token}")).await.json();
    assert_eq!(introspected, json!({ "active": false }));
}

async fn a_later_end_revives_an_expired_key(backend: Backend) {
    let server = Server::start(backend).await;
    let (admin, client) = (server.admin(), server.client());
    for later in [json!({ "expires_in": 10 }), json!({ "expires_at": null })] {
        let (id, key) = server.key_from(json!({ "preset": "query_only", "expires_in": 10 })).await;
        let path = format!("{KEYS}/{id}");
        server.clock.advance(10);
        server.node.catch_up().await.unwrap();
        assert_eq!(client.token(&key, "").await.oauth_error(), "invalid_client");
        assert_eq!(admin.get(&path).await.done(200)["status"], "expired");
        // It stays expired, whatever else changes.
        assert_eq!(admin.patch(&path, &json!({ "name": "x" })).await.done(200)["status"], "expired");
        let revived = admin.patch(&path, &later).await.done(200);
        assert_eq!((&revived["status"], &revived["generation"]), (&json!("active"), &json!(1)), "{later}");
        client.token(&key, "").await.done(200);
        client.bearer(&key).get("/v1/self").await.done(200);
    }
}

async fn a_dry_run_tells_what_would_change_and_changes_nothing(backend: Backend) {
    let server = Server::start(backend).await;
    let admin = server.admin();
    let (id, key) =
        server.key_from(json!({ "name": "old", "preset": "full_access", "expires_in": 1000 })).await;
    let path = format!("{KEYS}/{id}");
    let token = server.client().access_token(&key, "").await;
    let before = (admin.get(&path).await.done(200), server.database.dump().await);
    let (everything, reading) =
        (json!([{ "action": "*", "resource": "*" }]), json!([{ "action": "read", "resource": "*" }]));
    for (patch, changes) in [
        (json!({}), json!({})),
        (json!({ "name": "old", "expires_in": 1000, "cidrs": null, "dpop": "optional" }), json!({})),
        (
            json!({ "dpop": "required" }),
            json!({
                "dpop": { "from": "optional", "to": "required" }, "generation": { "from": 1, "to": 2 },
            }),
        ),
        (json!({ "name": "new" }), json!({ "name": { "from": "old", "to": "new" } })),
        (
            json!({ "note": "x", "preset": "query_only", "expires_at": null }),
            json!({
                "note": { "from": null, "to": "x" }, "scopes": { "from": everything, "to": reading },
                "expires_at": { "from": "2026-01-01T00:16:40Z", "to": null },
                "generation": { "from": 1, "to": 2 },
            }),
        ),
    ] {
        let tried = admin.patch(&format!("{path}?dry_run=true"), &patch).await;
        assert_eq!(tried.header("etag"), "", "there is no such version");
        let mut expected = before.0.clone();
        for (member, change) in changes.as_object().unwrap() {
            expected[member] = change["to"].clone();
        }
        expected["dry_run"] = true.into();
        expected["changes"] = changes;
        assert_eq!(tried.done(200), expected, "{patch}");
    }
    assert_eq!((admin.get(&path).await.done(200), server.database.dump().await), before);
    let introspected = admin.post_form("/oauth/introspect", &format!("token={token}")).await.json();
    assert_eq!(introspected["active"], true);
    let done = admin.patch(&format!("{path}?dry_run=false"), &json!({ "name": "new" })).await.done(200);
    assert_eq!((&done["name"], done.get("dry_run")), (&json!("new"), None));
    for bad in ["dry_run=1", "dry_run", "dry_run=True", "dry_run=true&dry_run=true"] {
        admin.patch(&format!("{path}?{bad}"), &json!({})).await.refused(400, "invalid_request");
    }
}

async fn a_revoked_key_stays_as_it_is(backend: Backend) {
    let server = Server::start(backend).await;
    let admin = server.admin();
    let (id, _) = server.key(&["read:*"]).await;
    let path = format!("{KEYS}/{id}");
    let revoked = admin.post_json(&format!("{path}/revoke"), &json!({ "reason": "lost" })).await.done(200);
    for query in ["", "?dry_run=true", "?force=true"] {
        for patch in [json!({ "name": "x" }), json!({ "expires_at": null }), json!({})] {
            admin.patch(&format!("{path}{query}"), &patch).await.refused(409, "conflict");
        }
    }
    assert_eq!(admin.get(&path).await.done(200), revoked);
}

async fn a_key_has_its_new_scopes_at_once(backend: Backend) {
    let server = Server::start(backend).await;
    let (admin, client) = (server.admin(), server.client());
    let scope = |action: &str| json!([{ "action": action, "resource": "claviger/orgs/default" }]);
    let (id, key) = server.key_from(json!({ "scopes": scope("read") })).await;
    let path = format!("{KEYS}/{id}");
    let token = client.access_token(&key, "").await;
    let read = async |credential: &str| {
        let answer = client.bearer(credential).get("/v1/orgs/default").await;
        (answer.status, if answer.status == 200 { Value::Null } else { answer.code().into() })
    };
    assert_eq!((read(&key).await, read(&token).await), ((200, Value::Null), (200, Value::Null)));
    admin.patch(&path, &json!({ "scopes": scope("write") })).await.done(200);
    assert_eq!(read(&key).await, (403, "forbidden".into()));
    assert_eq!(read(&token).await, (401, "token_revoked".into()));
    admin.patch(&path, &json!({ "scopes": scope("*") })).await.done(200);
    assert_eq!(read(&key).await, (200, Value::Null));
    assert_eq!(read(&token).await, (401, "token_revoked".into()), "what is dead stays dead");
}
