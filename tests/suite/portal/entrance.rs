//! Codes, and the ends of sessions.

use serde_json::json;

use super::browser::{Portal, SESSIONS, VENDOR, code, redeem, session};
use crate::support::{Backend, Server, on_both};

on_both!(
    a_code_works_once_and_for_fifteen_minutes,
    wrong_codes_are_throttled_and_delay_nobody,
    a_session_ends_with_its_time_and_with_the_key_that_made_it,
    nobody_gives_more_than_they_have,
    a_vendor_ends_the_sessions_of_a_user,
    a_user_has_only_so_many_sessions,
);

async fn a_code_works_once_and_for_fifteen_minutes(backend: Backend) {
    let server = Server::start(backend).await;
    let first = code(&server.admin(), &session("u1")).await;
    let foreign = server.client().with("origin", "https://elsewhere.example");
    assert_eq!(foreign.post_form("/portal", &format!("code={first}")).await.status, 403);
    assert_eq!(redeem(&server, &first).await.status, 303);
    let again = redeem(&server, &first).await;
    assert_eq!((again.status, again.header("set-cookie")), (403, ""));
    assert!(again.text.contains("has been used, or is too old"), "{}", again.text);
    let late = code(&server.admin(), &session("u1")).await;
    server.advance(899).await;
    let in_time = code(&server.admin(), &session("u1")).await;
    server.advance(1).await;
    assert_eq!(redeem(&server, &late).await.status, 403);
    assert_eq!(redeem(&server, &in_time).await.status, 303);
    let trail = server.admin().get("/v1/orgs/default/audit?action=portal.*").await.done(200);
    let opened = &trail["data"][0];
    assert_eq!(
        (&opened["actor"], &opened["actor_name"]),
        (&json!("portal:u1"), &json!("Name of u1")),
        "{trail}"
    );
}

async fn wrong_codes_are_throttled_and_delay_nobody(backend: Backend) {
    let server = Server::start(backend).await;
    for _ in 0..10 {
        assert_eq!(redeem(&server, "wrong").await.status, 403);
    }
    let waits = redeem(&server, "wrong").await;
    assert_eq!(waits.status, 429);
    // A right one is recognized before anything is counted, from the same network.
    let right = code(&server.admin(), &session("u1")).await;
    assert_eq!(redeem(&server, &right).await.status, 303);
    for _ in 0..10 {
        assert_eq!(redeem(&server, &right).await.status, 403);
    }
    assert_eq!(redeem(&server, &right).await.status, 429);
}

async fn a_session_ends_with_its_time_and_with_the_key_that_made_it(backend: Backend) {
    let server = Server::start(backend).await;
    let list = "/portal/orgs/default/keys";
    let mut short = session("u1");
    short["expires_in"] = 60.into();
    let portal = Portal::open(&server, &short).await;
    server.advance(59).await;
    assert_eq!(portal.get(list).await.status, 200);
    server.advance(1).await;
    assert_eq!(portal.get(list).await.status, 401);

    for change in ["revoke", "disable", "narrow", "rotate"] {
        let (id, key) = vendor_key(&server, &VENDOR).await;
        let vendor = server.client().bearer(&key);
        let code = code(&vendor, &session("u1")).await;
        let waiting = super::browser::code(&vendor, &session("u1")).await;
        let opened = redeem(&server, &code).await;
        let cookie = opened.header("set-cookie").split(';').next().unwrap().to_owned();
        let client = server.client().with("cookie", &cookie);
        assert_eq!(client.get(list).await.status, 200, "{change}");
        let (admin, path) = (server.admin(), format!("/v1/orgs/default/keys/{id}"));
        match change {
            "revoke" => drop(admin.post_json(&format!("{path}/revoke"), &json!({})).await.done(200)),
            "disable" => drop(admin.patch(&path, &json!({ "disabled": true })).await.done(200)),
            "narrow" => {
                let fewer = json!({ "scopes": [{ "action": "read", "resource": "x" }] });
                drop(admin.patch(&path, &fewer).await.done(200));
            }
            _ => {
                let rotation = json!({ "overlap_seconds": 0 });
                drop(admin.post_json(&format!("{path}/rotate"), &rotation).await.done(201));
            }
        }
        assert_eq!(client.get(list).await.status, 401, "{change}");
        assert_eq!(redeem(&server, &waiting).await.status, 403, "{change}");
    }
}

async fn nobody_gives_more_than_they_have(backend: Backend) {
    let server = Server::start(backend).await;
    let (_, key) = vendor_key(&server, &VENDOR).await;
    let vendor = server.client().bearer(&key);
    vendor.post_json(SESSIONS, &session("u1")).await.done(201);
    let (_, key) =
        vendor_key(&server, &[VENDOR[0], "read:claviger/orgs/default/projects/default/keys/*"]).await;
    let reader = server.client().bearer(&key);
    assert_eq!(reader.post_json(SESSIONS, &session("u1")).await.status, 403);
    let mut lists = session("u1");
    lists["may"] = json!(["list", "usage"]);
    reader.post_json(SESSIONS, &lists).await.done(201);
    for (member, value) in [
        ("projects", json!([])),
        ("projects", json!(["default", "default"])),
        ("projects", json!(["none"])),
        ("may", json!(["rotate"])),
        ("may", json!(["delete"])),
        ("scopes_within", json!([])),
        ("scopes_within", json!([{ "action": "read", "resource": "claviger/orgs/default" }])),
        ("cidrs_within", json!(["x"])),
        ("max_key_lifetime", json!(3_599)),
        ("max_key_lifetime", json!(315_360_001)),
        ("max_keys", json!(1_001)),
        ("max_keys", json!(-1)),
        ("keys", json!("some")),
        ("expires_in", json!(0)),
        ("expires_in", json!(3_601)),
        ("return_url", json!("https://elsewhere.example/")),
        ("subject", json!("")),
        ("name", json!("a\nb")),
        ("other", json!(1)),
    ] {
        let mut wrong = session("u1");
        wrong[member] = value.clone();
        let refused = server.admin().post_json(SESSIONS, &wrong).await;
        assert_eq!((refused.status, &*refused.code()), (400, "invalid_request"), "{member} {value}");
    }
    let named = server.admin().with("idempotency-key", "a");
    let first = named.post_json(SESSIONS, &session("u1")).await.done(201);
    let again = named.post_json(SESSIONS, &session("u1")).await.done(201);
    assert_eq!((&again["url"], &again["expires_at"]), (&json!(null), &first["expires_at"]));
}

async fn a_vendor_ends_the_sessions_of_a_user(backend: Backend) {
    let server = Server::start(backend).await;
    let (one, other) =
        (Portal::open(&server, &session("u1")).await, Portal::open(&server, &session("u2")).await);
    let waiting = code(&server.admin(), &session("u1")).await;
    let end = format!("{SESSIONS}/end");
    let dry = server.admin().post_json(&format!("{end}?dry_run=true"), &json!({ "subject": "u1" })).await;
    assert_eq!(dry.done(200)["count"], 2);
    assert_eq!(one.get("/portal/orgs/default/keys").await.status, 200);
    let ended = server.admin().post_json(&end, &json!({ "subject": "u1" })).await.done(200);
    assert_eq!(ended["count"], 2);
    assert_eq!(one.get("/portal/orgs/default/keys").await.status, 401);
    assert_eq!(redeem(&server, &waiting).await.status, 403);
    assert_eq!(other.get("/portal/orgs/default/keys").await.status, 200);
}

async fn a_user_has_only_so_many_sessions(backend: Backend) {
    let server = Server::start(backend).await;
    let (noisy, quiet) =
        (Portal::open(&server, &session("noisy")).await, Portal::open(&server, &session("quiet")).await);
    for _ in 0..20 {
        code(&server.admin(), &session("noisy")).await;
    }
    assert_eq!(noisy.get("/portal/orgs/default/keys").await.status, 401);
    assert_eq!(quiet.get("/portal/orgs/default/keys").await.status, 200);
}

/// A key with these scopes: its id, and the whole key.
async fn vendor_key(server: &Server, scopes: &[&str]) -> (String, String) {
    let scope = |scope: &&str| {
        let (action, resource) = scope.split_once(':').unwrap();
        json!({ "action": action, "resource": resource })
    };
    let scopes: Vec<_> = scopes.iter().map(scope).collect();
    server.key_from(json!({ "name": "vendor", "scopes": scopes })).await
}
