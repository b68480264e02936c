//! `ETag` and `If-Match`: nobody overwrites what they have not seen (RFC 9110 §8.8.3, §13.1.1).

use serde_json::{Value, json};

use crate::support::{Answer, Backend, Client, Server, on_both};

on_both!(
    every_answer_about_one_version_has_the_same_etag,
    every_change_is_another_version,
    using_a_key_keeps_its_etag,
    a_change_may_ask_for_a_version,
);

/// An organization, a project, a key and a member: what each is made from, and where.
fn things() -> [(&'static str, Value); 4] {
    [
        ("/v1/orgs", json!({ "id": "acme" })),
        ("/v1/orgs/default/projects", json!({ "id": "web" })),
        (
            "/v1/orgs/default/keys",
            json!({ "name": "k", "project": "default", "environment": "prd", "preset": "query_only" }),
        ),
        ("/v1/orgs/default/members", json!({ "email": "ada@example.com", "role": "auditor" })),
    ]
}

/// Makes a thing: the answer, and its path.
async fn made(admin: &Client, (collection, body): &(&str, Value)) -> (Answer, String) {
    let made = admin.post_json(collection, body).await;
    let path = format!("{collection}/{}", made.done(201)["id"].as_str().unwrap());
    (made, path)
}

/// The tag of an answer, which is a strong one.
#[track_caller]
fn tag(answer: &Answer) -> &str {
    let tag = answer.header("etag");
    assert!(tag.len() > 2 && tag.starts_with('"') && tag.ends_with('"'), "{answer:?}");
    tag
}

async fn every_answer_about_one_version_has_the_same_etag(backend: Backend) {
    let server = Server::start(backend).await;
    let admin = server.admin();
    for thing in things() {
        let (made, path) = made(&admin, &thing).await;
        assert_eq!(made.header("location"), server.url(&path));
        assert_eq!(tag(&admin.get(&path).await), tag(&made), "{path}");
        let changed = admin.patch(&path, &json!({ "name": "new" })).await;
        assert_eq!(tag(&admin.get(&path).await), tag(&changed), "{path}");
        let unchanged = admin.patch(&path, &json!({ "name": "new" })).await;
        assert_eq!(tag(&unchanged), tag(&changed), "{path}");
    }
    // Both secrets of a key are often made within one second; which of them comes first must not depend on that.
    for _ in 0..8 {
        let (_, path) = made(&admin, &things()[2]).await;
        let rotated = admin.post_json(&format!("{path}/rotate"), &json!({ "overlap_seconds": 9 })).await;
        assert_eq!(rotated.header("location"), server.url(&path));
        let read = admin.get(&path).await;
        assert_eq!((tag(&read), &read.json()["secrets"]), (tag(&rotated), &rotated.json()["secrets"]));
        let revoked = admin.post_json(&format!("{path}/revoke"), &json!({})).await;
        assert_eq!(tag(&admin.get(&path).await), tag(&revoked));
    }
}

async fn every_change_is_another_version(backend: Backend) {
    let server = Server::start(backend).await;
    let admin = server.admin();
    let api = server.url("/api");
    let organization = [json!({ "name": "x" }), json!({ "audiences": [api] })];
    let project = [organization.as_slice(), &[json!({ "environments": ["prd"] })]].concat();
    let key = [
        json!({ "name": "x" }),
        json!({ "note": "x" }),
        json!({ "preset": "full_access" }),
        json!({ "cidrs": ["127.0.0.1"] }),
        json!({ "expires_in": 1_000 }),
    ];
    let member = [
        json!({ "name": "x" }),
        json!({ "role": "admin" }),
        json!({ "role": "developer", "projects": ["default"] }),
    ];
    for (thing, patches) in things().iter().zip([&organization[..], &project, &key, &member]) {
        let (made, path) = made(&admin, thing).await;
        let mut seen = vec![tag(&made).to_owned()];
        for patch in patches {
            seen.push(tag(&admin.patch(&path, patch).await).to_owned());
        }
        if path.contains("/keys/") {
            server.clock.advance(1);
            let rotate = format!("{path}/rotate");
            seen.push(tag(&admin.post_json(&rotate, &json!({ "overlap_seconds": 9 })).await).to_owned());
            let secret = admin.get(&path).await.json()["secrets"][0]["id"].clone();
            admin.delete(&format!("{path}/secrets/{}", secret.as_str().unwrap())).await.done(204);
            seen.push(tag(&admin.get(&path).await).to_owned());
            seen.push(tag(&admin.post_json(&format!("{path}/revoke"), &json!({})).await).to_owned());
        }
        let count = seen.len();
        seen.sort();
        seen.dedup();
        assert_eq!(seen.len(), count, "{path}");
    }
}

async fn using_a_key_keeps_its_etag(backend: Backend) {
    let server = Server::start(backend).await;
    let admin = server.admin();
    let (made, path) = made(&admin, &things()[2]).await;
    let key = made.json()["key"].as_str().unwrap().to_owned();
    server.clock.advance(7);
    server.client().token(&key, "").await.done(200);
    server.node.usage.flush(&server.node.records.store, server.clock.now()).await.unwrap();
    let used = admin.get(&path).await;
    assert_eq!(used.json()["last_used_at"], "2026-01-01T00:00:07Z");
    assert_eq!(tag(&used), tag(&made));
    let patch = json!({ "name": "in use" });
    admin.with("if-match", tag(&made)).patch(&path, &patch).await.done(200);
}

async fn a_change_may_ask_for_a_version(backend: Backend) {
    let server = Server::start(backend).await;
    let admin = server.admin();
    for thing in things() {
        let (made, path) = made(&admin, &thing).await;
        let stale = tag(&made).to_owned();
        let tag = tag(&admin.patch(&path, &json!({ "name": "now" })).await).to_owned();
        let before = server.database.dump().await;
        let conditions = [
            (stale.clone(), 412, "precondition_failed"),
            (format!("W/{tag}"), 412, "precondition_failed"),
            (format!("{stale}, W/{tag}"), 412, "precondition_failed"),
            ("\"\"".into(), 412, "precondition_failed"),
            (tag.trim_matches('"').to_owned(), 400, "invalid_request"),
            (format!("{tag}, x"), 400, "invalid_request"),
            (format!("*, {tag}"), 400, "invalid_request"),
            ("\"a".into(), 400, "invalid_request"),
            (String::new(), 400, "invalid_request"),
        ];
        for (condition, status, code) in conditions {
            for query in ["", "?dry_run=true"] {
                let asking = admin.with("if-match", &condition);
                let answer = asking.patch(&format!("{path}{query}"), &json!({ "name": "x" })).await;
                assert_eq!((answer.status, &*answer.code()), (status, code), "{path}, {condition}");
                // A tag that only a proxy's weakening keeps from matching: it can never match, and that is said.
                let is_weakened = condition.contains(&format!("W/{tag}"));
                assert_eq!(
                    answer.text.contains("a weak ETag (W/) never matches"),
                    is_weakened,
                    "{condition}"
                );
            }
        }
        assert_eq!(server.database.dump().await, before);
        for condition in [tag.clone(), format!("{stale},{tag}"), "*".into(), format!("\"x\" , {tag}")] {
            let asking = admin.with("if-match", &condition);
            asking.patch(&path, &json!({ "name": "now" })).await.done(200);
        }
        let two_lines = admin.with("if-match", &stale).with("if-match", &tag);
        two_lines.patch(&path, &json!({ "name": "then" })).await.done(200);
        admin.with("if-match", &tag).patch(&path, &json!({})).await.refused(412, "precondition_failed");
        admin.delete(&path).await.done(204);
        admin.with("if-match", "*").patch(&path, &json!({})).await.refused(404, "not_found");
    }
}
