//! What rotations, revocations and changes to many keys can't be asked with.

use serde_json::{Value, json};

use super::{CREATED, KEYS, MALFORMED, OK, assert_api};
use crate::support::{Backend, Server, on_both};

on_both!(an_overlap_is_of_thirty_days_at_most, a_filter_says_what_it_may_say, new_scopes_are_scopes);

async fn an_overlap_is_of_thirty_days_at_most(backend: Backend) {
    let server = Server::start(backend).await;
    let admin = server.admin();
    for overlap in [0, 1, 2_592_000] {
        let (id, _) = server.key(&["read:*"]).await;
        let rotate = format!("{KEYS}/{id}/rotate");
        assert_api("good", &admin.post_json(&rotate, &json!({ "overlap_seconds": overlap })).await, CREATED);
    }
    let (id, _) = server.key(&["read:*"]).await;
    let before = server.database.dump().await;
    for body in [
        json!({}),
        json!({ "overlap_seconds": null }),
        json!({ "overlap_seconds": -1 }),
        json!({ "overlap_seconds": 2_592_001 }),
        // Three years.
        json!({ "overlap_seconds": 94_608_000 }),
        json!({ "overlap_seconds": i64::MAX }),
        json!({ "overlap_seconds": u64::MAX }),
        json!({ "overlap_seconds": i64::MIN }),
        json!({ "overlap_seconds": 1e30 }),
        json!({ "overlap_seconds": 1.5 }),
        json!({ "overlap_seconds": "60" }),
        json!({ "overlap_seconds": "30d" }),
        json!({ "overlap_seconds": [60] }),
        json!({ "overlap_seconds": true }),
        json!({ "overlap": 60 }),
        json!({ "overlap_seconds": 60, "expires_in": 60 }),
    ] {
        let answer = admin.post_json(&format!("{KEYS}/{id}/rotate"), &body).await;
        assert_api(&body.to_string(), &answer, MALFORMED);
    }
    assert_eq!(server.database.dump().await, before);
}

async fn a_filter_says_what_it_may_say(backend: Backend) {
    let server = Server::start(backend).await;
    let admin = server.admin();
    let ask = async |filter: &Value| {
        let path = format!("{KEYS}/revoke?dry_run=true&force=true");
        admin.post_json(&path, &json!({ "filter": filter })).await
    };
    let long = "🔑".repeat(200);
    for filter in [
        json!({ "project": "default" }),
        json!({ "q": "%" }),
        json!({ "q": "\\" }),
        json!({ "q": long }),
        json!({ "created_by": "'; DROP TABLE api_keys;--" }),
        json!({ "unused_since": "1970-01-01T00:00:00Z" }),
        json!({ "unused_since": "9999-12-31T23:59:59Z" }),
    ] {
        assert_api(&filter.to_string(), &ask(&filter).await, OK);
    }
    let before = server.database.dump().await;
    for filter in [
        Value::Null,
        json!([]),
        json!("default"),
        json!({}),
        json!({ "project": null, "q": "" }),
        json!({ "status": "active" }),
        json!({ "id": "key_0123456789abcdef" }),
        json!({ "organization": "default" }),
        json!({ "project": "DEFAULT" }),
        json!({ "project": "default/default" }),
        json!({ "project": ["default"] }),
        json!({ "project": "a\0" }),
        json!({ "environment": "PRD" }),
        json!({ "environment": 1 }),
        json!({ "q": 1 }),
        json!({ "q": "a\0b" }),
        json!({ "q": format!("{long}a") }),
        json!({ "created_by": "a\0b" }),
        json!({ "created_by": long.clone() + "a" }),
        json!({ "created_by": {} }),
        json!({ "unused_since": "yesterday" }),
        json!({ "unused_since": "" }),
        json!({ "unused_since": "2026-01-01" }),
        json!({ "unused_since": "2026-02-30T00:00:00Z" }),
        json!({ "unused_since": 1_767_225_600 }),
    ] {
        assert_api(&filter.to_string(), &ask(&filter).await, MALFORMED);
        let rescope = json!({ "filter": filter, "add": [{ "action": "read" }] });
        assert_api(
            &filter.to_string(),
            &admin.post_json(&format!("{KEYS}/rescope"), &rescope).await,
            MALFORMED,
        );
    }
    for reason in [json!("a\nb"), json!("a\0"), json!("é".repeat(501)), json!(1), json!(["a"])] {
        let body = json!({ "filter": { "project": "default" }, "reason": reason });
        assert_api(
            "a reason",
            &admin.post_json(&format!("{KEYS}/revoke?force=true"), &body).await,
            MALFORMED,
        );
    }
    assert_eq!(server.database.dump().await, before);
}

async fn new_scopes_are_scopes(backend: Backend) {
    let server = Server::start(backend).await;
    server.key(&["read:*"]).await;
    let before = server.database.dump().await;
    let many: Value = (0..65).map(|at| json!({ "action": "read", "resource": format!("a{at}") })).collect();
    for list in [
        Value::Null,
        json!("read:*"),
        json!(["read:*"]),
        json!([{}]),
        json!([{ "action": "delete" }]),
        json!([{ "action": "read", "resource": "a//b" }]),
        json!([{ "action": "read", "resource": "a\0" }]),
        json!([{ "action": "read", "unknown": 1 }]),
        many,
    ] {
        for member in ["scopes", "add"] {
            let body = json!({ "filter": { "q": "test" }, member: list });
            let answer = server.admin().post_json(&format!("{KEYS}/rescope"), &body).await;
            assert_api(&body.to_string().chars().take(200).collect::<String>(), &answer, MALFORMED);
        }
    }
    assert_eq!(server.database.dump().await, before);
}
