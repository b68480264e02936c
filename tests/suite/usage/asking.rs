//! Which stretches of time one can ask about, and who may.

use serde_json::json;

use super::{KEYS, USAGE, bucket};
use crate::support::{Backend, Server, on_both};

on_both!(
    every_bucket_is_there_and_the_empty_ones_are_zero,
    a_period_that_can_not_be_answered_is_refused,
    use_is_shown_to_those_who_may_read_it,
);

async fn every_bucket_is_there_and_the_empty_ones_are_zero(backend: Backend) {
    let server = Server::start(backend).await;
    let (id, key) = server.key(&["read:*"]).await;
    server.client().access_token(&key, "").await;
    server.flush().await;
    let usage = async |query: &str| server.admin().get(&format!("{KEYS}/{id}/usage{query}")).await.json();
    assert_eq!(
        usage("?interval=hour&from=2025-12-31T22:30:00Z&to=2026-01-01T01:00:01%2B00:00").await,
        json!({
            "interval": "hour", "from": "2025-12-31T22:00:00Z", "to": "2026-01-01T02:00:00Z",
            "data": [
                bucket("2025-12-31T22:00:00Z", 0, 0, [0; 4]),
                bucket("2025-12-31T23:00:00Z", 0, 0, [0; 4]),
                bucket("2026-01-01T00:00:00Z", 1, 0, [0; 4]),
                bucket("2026-01-01T01:00:00Z", 0, 0, [0; 4]),
            ],
        })
    );
    for (query, from, to, buckets) in [
        ("", "2025-12-02T00:00:00Z", "2026-01-02T00:00:00Z", 31),
        ("?interval=day", "2025-12-02T00:00:00Z", "2026-01-02T00:00:00Z", 31),
        ("?interval=hour", "2025-12-30T00:00:00Z", "2026-01-01T01:00:00Z", 49),
        ("?from=2026-01-01T00:00:00Z", "2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z", 1),
        ("?to=2026-01-01T00:00:00Z", "2025-12-02T00:00:00Z", "2026-01-01T00:00:00Z", 30),
        (
            "?from=2026-01-01T00:00:00Z&to=2026-01-01T00:00:00Z",
            "2026-01-01T00:00:00Z",
            "2026-01-01T00:00:00Z",
            0,
        ),
        (
            "?from=2026-01-01T00:00:00Z&to=2028-09-27T00:00:00Z",
            "2026-01-01T00:00:00Z",
            "2028-09-27T00:00:00Z",
            1_000,
        ),
    ] {
        let answer = usage(query).await;
        let shown = (answer["from"].as_str(), answer["to"].as_str(), answer["data"].as_array().map(Vec::len));
        assert_eq!(shown, (Some(from), Some(to), Some(buckets)), "{query}");
    }
}

async fn a_period_that_can_not_be_answered_is_refused(backend: Backend) {
    let server = Server::start(backend).await;
    let (id, _) = server.key(&["read:*"]).await;
    for path in [USAGE, &format!("{KEYS}/{id}/usage")] {
        for (query, complaint) in [
            ("interval=week", "interval: must be hour or day"),
            ("interval=", "interval: must be hour or day"),
            ("from=yesterday", "from is not an RFC 3339 time"),
            ("to=2026-01-01", "to is not an RFC 3339 time"),
            ("from=2026-01-01T00:00:01Z&to=2026-01-01T00:00:00Z", "from must not be after to"),
            ("from=2026-01-02T00:00:00Z", "from must not be after to"),
            ("from=2026-01-01T00:00:00Z&to=2028-09-27T00:00:01Z", "more than 1000 buckets"),
            ("interval=hour&from=2026-01-01T00:00:00Z&to=9999-12-31T23:59:59Z", "more than 1000 buckets"),
            ("interval=hour&from=2025-11-26T23:59:59Z", "available since 2025-11-27T00:00:00Z"),
            ("from=2023-10-23T23:59:59Z", "available since 2023-10-24T00:00:00Z"),
            ("to=1970-01-01T00:00:00Z", "available since 2023-10-24T00:00:00Z"),
            ("interval=day&interval=hour", "interval appears twice"),
            ("limit=3", "the query parameters of this operation are interval, from, to"),
        ] {
            let refused = server.admin().get(&format!("{path}?{query}")).await;
            assert_eq!((refused.status, refused.code().as_str()), (400, "invalid_request"), "{path}?{query}");
            assert!(refused.text.contains(complaint), "{path}?{query}: {}", refused.text);
        }
    }
    let of_a_key = server.admin().get(&format!("{KEYS}/{id}/usage?project=default")).await;
    assert_eq!(of_a_key.status, 400, "a key has one project");
    assert_eq!(server.admin().get(&format!("{USAGE}?project=UP")).await.status, 400);
}

async fn use_is_shown_to_those_who_may_read_it(backend: Backend) {
    let server = Server::start(backend).await;
    let (id, _) = server.key(&["read:*"]).await;
    let (dead, _) = server.key(&["read:*"]).await;
    let (gone, _) = server.key(&["read:*"]).await;
    let admin = server.admin();
    assert_eq!(admin.post_json(&format!("{KEYS}/{dead}/revoke"), &json!({})).await.status, 200);
    assert_eq!(admin.send(reqwest::Method::DELETE, &format!("{KEYS}/{gone}"), None).await.status, 204);
    let (_, of_keys) = server.key(&["read:claviger/orgs/default/projects/default/keys/*"]).await;
    let (_, of_usage) = server.key(&["read:claviger/orgs/default/usage"]).await;
    let (_, writer) = server.key(&["write:claviger/orgs/default/**"]).await;
    let (_, full_access) = server.key(&["*:*"]).await;
    let (_, of_another) = server.key(&["read:claviger/orgs/other/**"]).await;
    let key_usage = |id: &str| format!("{KEYS}/{id}/usage");
    for (by, path, status) in [
        (&of_keys, key_usage(&id), 200),
        (&of_keys, key_usage(&dead), 200),
        (&of_keys, key_usage(&gone), 403),
        (&server.admin_key, key_usage(&gone), 404),
        (&server.admin_key, key_usage("key_0000000000000000"), 404),
        (&server.admin_key, key_usage("nonsense"), 404),
        (&server.admin_key, format!("/v1/orgs/other/keys/{id}/usage"), 404),
        (&of_keys, USAGE.to_owned(), 403),
        (&of_usage, USAGE.to_owned(), 200),
        (&of_usage, key_usage(&id), 403),
        (&writer, USAGE.to_owned(), 403),
        (&writer, key_usage(&id), 403),
        (&full_access, USAGE.to_owned(), 403),
        (&of_usage, "/v1/orgs/other/usage".to_owned(), 404),
        (&of_another, "/v1/orgs/other/usage".to_owned(), 404),
        (&server.admin_key, "/v1/orgs/other/usage".to_owned(), 404),
    ] {
        let answer = server.client().bearer(by).get(&path).await;
        assert_eq!(answer.status, status, "{path}: {}", answer.text);
    }
    let refused = server.client().bearer(&of_keys).get(USAGE).await;
    assert!(refused.text.contains("read:claviger/orgs/default/usage"), "{}", refused.text);
    assert_eq!(server.client().get(USAGE).await.status, 401);
}
