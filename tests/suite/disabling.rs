//! Disabling a key: suspended at once, and enabled again by name.

use serde_json::{Value, json};

use crate::support::{Backend, Server, on_both};
use crate::token::claims;

on_both!(
    a_disabled_key_is_refused_everywhere_until_it_is_enabled,
    only_who_has_the_secret_is_told_that_a_key_is_disabled,
    revoked_outweighs_expired_and_expired_outweighs_disabled,
    lists_find_disabled_keys,
    many_keys_are_disabled_and_enabled_by_a_filter,
    enabling_takes_what_widening_takes_and_disabling_what_revoking_does,
    refusals_of_a_disabled_key_are_counted_and_noted,
    a_disabled_key_can_be_changed_and_rotated,
    a_disabled_actor_ends_what_was_exchanged,
);

const KEYS: &str = "/v1/orgs/default/keys";

async fn set_disabled(server: &Server, id: &str, disabled: bool) -> Value {
    server.admin().patch(&format!("{KEYS}/{id}"), &json!({ "disabled": disabled })).await.done(200)
}

async fn introspected(server: &Server, credential: &str) -> Value {
    server.admin().post_form("/oauth/introspect", &format!("token={credential}")).await.done(200)
}

async fn a_disabled_key_is_refused_everywhere_until_it_is_enabled(backend: Backend) {
    let server = Server::start(backend).await;
    let (admin, client) = (server.admin(), server.client());
    let (id, key) = server.key(&["read:*", "read:claviger/orgs/default"]).await;
    let path = format!("{KEYS}/{id}");
    let token = client.access_token(&key, "").await;
    let own = client.access_token(&key, &format!("&resource={}", server.url(""))).await;
    let mut expected = admin.get(&path).await.done(200);
    assert_eq!(expected["disabled_at"], Value::Null);
    server.clock.advance(1);
    let would = admin.patch(&format!("{path}?dry_run=true"), &json!({ "disabled": true })).await.done(200);
    assert_eq!(would["changes"]["status"], json!({ "from": "active", "to": "disabled" }));
    assert_eq!(admin.get(&path).await.done(200), expected);

    let disabled = set_disabled(&server, &id, true).await;
    expected["status"] = "disabled".into();
    expected["generation"] = 2.into();
    expected["disabled_at"] = "2026-01-01T00:00:01Z".into();
    assert_eq!(disabled, expected);
    server.clock.advance(1);
    assert_eq!(set_disabled(&server, &id, true).await, expected, "the moment stays");

    let refused = client.token(&key, "").await;
    assert_eq!((refused.status, &*refused.oauth_error()), (401, "invalid_client"));
    assert_eq!(refused.json()["error_description"], "the key is disabled");
    for credential in [&key, &own] {
        client.bearer(credential).get("/v1/orgs/default").await.refused(401, "key_disabled");
    }
    for credential in [&key, &token] {
        let gate = client.bearer(credential).get("/v1/gate?action=read&resource=web").await;
        gate.refused(401, "key_disabled");
    }
    for credential in [&key, &token, &own] {
        assert_eq!(introspected(&server, credential).await, json!({ "active": false }));
    }
    server.node.catch_up().await.unwrap();
    let feed = claims(&client.get("/oauth/revocations").await.text);
    assert_eq!(feed["keys"][&id], 2, "{feed}");

    let enabled = set_disabled(&server, &id, false).await;
    assert_eq!((&enabled["status"], &enabled["generation"]), (&json!("active"), &json!(2)));
    assert_eq!(enabled["disabled_at"], Value::Null);
    let new = client.access_token(&key, "").await;
    assert_eq!(
        (claims(&new)["gen"].clone(), introspected(&server, &new).await["active"].clone()),
        (json!(2), json!(true))
    );
    client.bearer(&key).get("/v1/self").await.done(200);
    client.bearer(&own).get("/v1/self").await.refused(401, "token_revoked");
    assert_eq!(introspected(&server, &token).await, json!({ "active": false }), "it stays dead");
    let trail = format!("SELECT action FROM audit_events WHERE subject = '{id}' ORDER BY seq");
    assert_eq!(server.database.texts(&trail).await, ["key.create", "key.disable", "key.enable"]);
}

async fn only_who_has_the_secret_is_told_that_a_key_is_disabled(backend: Backend) {
    let server = Server::start(backend).await;
    let (id, old) = server.key(&["read:*"]).await;
    let rotate = json!({ "overlap_seconds": 0 });
    server.admin().post_json(&format!("{KEYS}/{id}/rotate"), &rotate).await.done(201);
    set_disabled(&server, &id, true).await;
    let answer = server.client().token(&old, "").await;
    assert_eq!(answer.json()["error_description"], "client authentication failed");
    server.client().bearer(&old).get("/v1/self").await.refused(401, "unauthenticated");
}

async fn revoked_outweighs_expired_and_expired_outweighs_disabled(backend: Backend) {
    let server = Server::start(backend).await;
    let admin = server.admin();
    let (id, key) = server.key_from(json!({ "preset": "query_only", "expires_in": 10 })).await;
    let path = format!("{KEYS}/{id}");
    let status = async || admin.get(&path).await.done(200)["status"].clone();
    let told = async || server.client().token(&key, "").await.json()["error_description"].clone();
    set_disabled(&server, &id, true).await;
    assert_eq!((status().await, told().await), (json!("disabled"), json!("the key is disabled")));
    server.advance(10).await;
    assert_eq!((status().await, told().await), (json!("expired"), json!("the key has expired")));
    // A later end does not enable it.
    admin.patch(&path, &json!({ "expires_in": "30d" })).await.done(200);
    assert_eq!(status().await, "disabled");
    admin.post_json(&format!("{path}/revoke"), &json!({})).await.done(200);
    assert_eq!((status().await, told().await), (json!("revoked"), json!("the key is revoked")));
    admin.patch(&path, &json!({ "disabled": false })).await.refused(409, "conflict");
}

async fn lists_find_disabled_keys(backend: Backend) {
    let server = Server::start(backend).await;
    let mut ids = Vec::new();
    for (name, end) in
        [("on", Value::Null), ("off", Value::Null), ("off and over", json!(5)), ("over", json!(5))]
    {
        ids.push(server.key_from(json!({ "name": name, "preset": "query_only", "expires_in": end })).await.0);
    }
    for id in &ids[1..3] {
        set_disabled(&server, id, true).await;
    }
    server.advance(5).await;
    for (query, names) in [
        ("", &["on", "Administrator"][..]),
        ("?status=active", &["on", "Administrator"]),
        ("?status=disabled", &["off"]),
        ("?status=disabled&q=of", &["off"]),
        ("?status=disabled&q=x", &[]),
        ("?status=expired", &["over", "off and over"]),
        ("?status=all", &["over", "off and over", "off", "on", "Administrator"]),
    ] {
        let listed = server.admin().get(&format!("{KEYS}{query}")).await.done(200);
        let found: Vec<_> = listed["data"].as_array().unwrap().iter().map(|key| &key["name"]).collect();
        assert_eq!(found, names, "{query}");
    }
}

async fn many_keys_are_disabled_and_enabled_by_a_filter(backend: Backend) {
    let server = Server::start(backend).await;
    let (admin, client) = (server.admin(), server.client());
    let mut keys = Vec::new();
    for name in ["job a", "job b", "other"] {
        keys.push(server.key_from(json!({ "name": name, "preset": "query_only" })).await.1);
    }
    let jobs = json!({ "filter": { "q": "job" } });
    let works = async || {
        let mut works = Vec::new();
        for key in &keys {
            works.push(client.token(key, "").await.status == 200);
        }
        works
    };
    let before = server.database.dump().await;
    let would = admin.post_json(&format!("{KEYS}/disable?dry_run=true"), &jobs).await.done(200);
    assert_eq!((&would["count"], &would["dry_run"]), (&json!(2), &json!(true)));
    assert_eq!(server.database.dump().await, before);
    assert_eq!(admin.post_json(&format!("{KEYS}/disable"), &jobs).await.done(200)["count"], 2);
    assert_eq!(works().await, [false, false, true]);
    assert_eq!(admin.post_json(&format!("{KEYS}/disable"), &jobs).await.done(200)["count"], 0, "they are so");
    let all = json!({ "filter": { "project": "default" } });
    admin.post_json(&format!("{KEYS}/disable"), &all).await.refused(409, "conflict");
    assert_eq!(works().await, [false, false, true]);
    assert_eq!(admin.post_json(&format!("{KEYS}/enable"), &all).await.done(200)["count"], 2);
    assert_eq!(works().await, [true, true, true]);
    for bad in [
        json!({}),
        json!({ "filter": {} }),
        json!({ "filter": { "q": "" } }),
        json!({ "filter": { "q": "a" }, "reason": "x" }),
    ] {
        admin.post_json(&format!("{KEYS}/disable"), &bad).await.refused(400, "invalid_request");
        admin.post_json(&format!("{KEYS}/enable"), &bad).await.refused(400, "invalid_request");
    }
}

async fn enabling_takes_what_widening_takes_and_disabling_what_revoking_does(backend: Backend) {
    let server = Server::start(backend).await;
    let write = json!({ "action": "write", "resource": "claviger/orgs/default/projects/*/keys/*" });
    let (_, writer) =
        server.key_from(json!({ "scopes": [write], "cidrs": ["127.0.0.0/8"], "expires_in": "30d" })).await;
    let writer = server.client().bearer(&writer);
    let ask = async |path: &str, disabled: bool| writer.patch(path, &json!({ "disabled": disabled })).await;
    // Scopes that it lacks, wider ranges than its own, a later end than its own.
    for members in [
        json!({ "scopes": [{ "action": "read", "resource": "claviger/orgs/default/**" }], "cidrs": ["127.0.0.1"], "expires_in": 60 }),
        json!({ "scopes": [write], "expires_in": 60 }),
        json!({ "scopes": [write], "cidrs": ["127.0.0.1"] }),
    ] {
        let path = format!("{KEYS}/{}", server.key_from(members.clone()).await.0);
        ask(&path, true).await.done(200);
        ask(&path, false).await.refused(403, "forbidden");
        let both = json!({ "disabled": true, "name": "renamed" });
        let changed = writer.patch(&path, &both).await.status;
        let may_rename = members["scopes"] == json!([write]);
        assert_eq!(changed, if may_rename { 200 } else { 403 }, "{members}");
        server.admin().patch(&path, &json!({ "name": "test" })).await.done(200);
        let all = json!({ "filter": { "q": "test" } });
        writer.post_json(&format!("{KEYS}/enable"), &all).await.refused(403, "forbidden");
        server.admin().delete(&path).await.done(204);
    }
    let own = json!({ "scopes": [write], "cidrs": ["127.0.0.1"], "expires_in": 60 });
    let path = format!("{KEYS}/{}", server.key_from(own).await.0);
    for disabled in [true, false] {
        ask(&path, disabled).await.done(200);
    }
}

async fn refusals_of_a_disabled_key_are_counted_and_noted(backend: Backend) {
    let server = Server::start(backend).await;
    let client = server.client();
    let (id, key) = server.key(&["read:*"]).await;
    let token = client.access_token(&key, "").await;
    set_disabled(&server, &id, true).await;
    client.token(&key, "").await;
    client.bearer(&key).get("/v1/self").await;
    introspected(&server, &key).await;
    introspected(&server, &token).await;
    server.flush().await;
    let usage = server.admin().get(&format!("{KEYS}/{id}/usage?interval=day")).await.done(200);
    let today = usage["data"].as_array().unwrap().last().unwrap().clone();
    let expected =
        json!({ "revoked": 0, "expired": 0, "disabled": 4, "address": 0, "secret": 0, "proof": 0 });
    assert_eq!((&today["tokens"], &today["refused"]), (&json!(1), &expected));
    let total = format!("SELECT disabled FROM key_totals WHERE key_id = '{id}' AND span = 'day'");
    assert_eq!(server.database.number(&total).await, 4);
    let events = server.admin().get(&format!("/v1/orgs/default/audit?key={id}&action=key.refused")).await;
    let events = events.done(200);
    assert_eq!(events["data"].as_array().unwrap().len(), 1, "once an hour: {events}");
    assert_eq!(events["data"][0]["after"], json!({ "reason": "disabled" }));
}

async fn a_disabled_key_can_be_changed_and_rotated(backend: Backend) {
    let server = Server::start(backend).await;
    let (id, _) = server.key(&["read:*"]).await;
    let path = format!("{KEYS}/{id}");
    set_disabled(&server, &id, true).await;
    let etag = server.admin().get(&path).await.header("etag").to_owned();
    server.admin().patch(&path, &json!({ "name": "other", "cidrs": ["127.0.0.1"] })).await.done(200);
    let rotated = server.admin().post_json(&format!("{path}/rotate"), &json!({ "overlap_seconds": 0 })).await;
    let rotated = rotated.done(201);
    assert_eq!(rotated["status"], "disabled");
    let late = server.admin().with("if-match", &etag).patch(&path, &json!({ "disabled": false })).await;
    late.refused(412, "precondition_failed");
    let both = server.admin().patch(&path, &json!({ "disabled": false, "note": "checked" })).await.done(200);
    assert_eq!((&both["status"], &both["note"]), (&json!("active"), &json!("checked")));
    server.client().token(rotated["key"].as_str().unwrap(), "").await.done(200);
    let last = format!("SELECT action FROM audit_events WHERE subject = '{id}' ORDER BY seq DESC LIMIT 1");
    assert_eq!(server.database.texts(&last).await, ["key.enable"]);
}

async fn a_disabled_actor_ends_what_was_exchanged(backend: Backend) {
    let server = Server::start(backend).await;
    let exchange = "write:claviger/orgs/default/projects/default/token-exchange";
    let (actor, actor_key) = server.key(&["read:*", exchange]).await;
    let (subject, subject_key) = server.key(&["read:*"]).await;
    let exchanged = async |subject_key: &str| {
        let form = format!(
            "grant_type=urn:ietf:params:oauth:grant-type:token-exchange&client_secret={actor_key}\
             &subject_token={subject_key}&subject_token_type=urn:claviger:token-type:api_key"
        );
        server.client().post_form("/oauth/token", &form).await
    };
    let token = exchanged(&subject_key).await.done(200)["access_token"].as_str().unwrap().to_owned();
    set_disabled(&server, &actor, true).await;
    assert_eq!(introspected(&server, &token).await, json!({ "active": false }));
    set_disabled(&server, &actor, false).await;
    assert_eq!(introspected(&server, &token).await, json!({ "active": false }), "it stays dead");
    set_disabled(&server, &subject, true).await;
    let refused = exchanged(&subject_key).await;
    assert_eq!((refused.status, &*refused.oauth_error()), (400, "invalid_request"));
    assert_eq!(refused.json()["error_description"], "subject_token: the key is disabled");
}
