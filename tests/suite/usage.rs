//! `/v1/orgs/{org}/usage` and `/v1/orgs/{org}/keys/{key}/usage`: what was counted, to the last use.

mod asking;
mod flush;
mod totals;

use claviger::domain::usage::Interval;
use serde_json::{Value, json};

use crate::support::{Backend, Client, START, Server, forged, on_both};

on_both!(
    every_kind_of_use_is_counted,
    a_use_counts_in_the_hour_and_the_day_when_it_happened,
    an_organization_has_the_use_of_its_projects,
    last_used_at_is_the_time_of_the_last_use,
    old_buckets_are_thinned_out,
);

const KEYS: &str = "/v1/orgs/default/keys";
const USAGE: &str = "/v1/orgs/default/usage";
const HOUR: i64 = 3_600;
const DAY: i64 = 24 * HOUR;

fn bucket(start: &str, tokens: u64, direct: u64, [revoked, expired, address, secret]: [u64; 4]) -> Value {
    let refused = json!({ "revoked": revoked, "expired": expired, "disabled": 0, "address": address, "secret": secret, "proof": 0 });
    json!({ "start": start, "tokens": tokens, "direct": direct, "refused": refused })
}

/// What is there, without the buckets in which nothing was.
async fn used(client: &Client, path: &str) -> Vec<Value> {
    let answer = client.get(path).await;
    assert_eq!(answer.status, 200, "{path}: {}", answer.text);
    let mut data = answer.json()["data"].as_array().expect("buckets").clone();
    data.retain(|shown| *shown != bucket(shown["start"].as_str().expect("a start"), 0, 0, [0; 4]));
    data
}

async fn project(server: &Server, id: &str) {
    let made = server.admin().post_json("/v1/orgs/default/projects", &json!({ "id": id })).await;
    assert_eq!(made.status, 201, "{}", made.text);
}

async fn every_kind_of_use_is_counted(backend: Backend) {
    let server = Server::start(backend).await;
    project(&server, "web").await;
    let web = |more: Value| {
        let mut members = json!({ "project": "web", "scopes": [{ "action": "read", "resource": "*" }] });
        members.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        server.key_from(members)
    };
    let (client, admin) = (server.client(), server.admin());
    let scopes =
        json!([{ "action": "read" }, { "action": "read", "resource": "claviger/orgs/default/usage" }]);
    let (good_id, good) = web(json!({ "scopes": scopes })).await;
    let token = client.access_token(&good, "&scope=read:*").await;
    let own_token = client.access_token(&good, &format!("&resource={}", server.url(""))).await;
    for credential in [&good, &good, &own_token] {
        assert_eq!(client.bearer(credential).get("/v1/self").await.status, 200);
    }
    for good in [&good, &token] {
        assert_eq!(client.bearer(good).get("/v1/gate?action=read&resource=a").await.status, 200);
        let introspected = admin.post_form("/oauth/introspect", &format!("token={good}")).await;
        assert_eq!(introspected.json()["active"], true);
        // Whoever may not know makes no use of it.
        let told = client
            .bearer(&good_or(&server).await)
            .post_form("/oauth/introspect", &format!("token={good}"))
            .await;
        assert_eq!(told.json()["active"], false);
    }

    // Exchanged, both are checked here; the token that comes of it is the resource server's.
    let exchanging = ["write:claviger/orgs/default/projects/web/token-exchange"];
    let (resource_server_id, resource_server) = server.key(&exchanging).await;
    for (subject, subject_type) in [
        (&good, "urn:claviger:token-type:api_key"),
        (&token, "urn:ietf:params:oauth:token-type:access_token"),
    ] {
        let form = format!(
            "grant_type=urn:ietf:params:oauth:grant-type:token-exchange&client_secret={resource_server}\
             &subject_token={subject}&subject_token_type={subject_type}"
        );
        let exchanged = client.post_form("/oauth/token", &form).await;
        assert_eq!(exchanged.status, 200, "{}", exchanged.text);
    }

    let (from_elsewhere_id, from_elsewhere) = web(json!({ "cidrs": ["192.0.2.0/24"] })).await;
    assert_eq!(client.token(&from_elsewhere, "").await.status, 401);
    assert_eq!(client.bearer(&from_elsewhere).get("/v1/self").await.status, 403);

    let (short_id, short) = web(json!({ "expires_in": 10 })).await;
    let (rotated_id, retired) = web(json!({})).await;
    let rotated =
        admin.post_json(&format!("{KEYS}/{rotated_id}/rotate"), &json!({ "overlap_seconds": 0 })).await;
    assert_eq!(rotated.status, 201, "{}", rotated.text);
    assert_eq!(client.token(&retired, "").await.status, 401);
    assert_eq!(client.bearer(&retired).get("/v1/self").await.status, 401);

    let (dead_id, dead) = web(json!({ "scopes": scopes })).await;
    let dead_token = client.access_token(&dead, &format!("&resource={}", server.url(""))).await;
    assert_eq!(admin.post_json(&format!("{KEYS}/{dead_id}/revoke"), &json!({})).await.status, 200);
    assert_eq!(client.token(&dead, "").await.status, 401);
    assert_eq!(client.bearer(&dead_token).get("/v1/self").await.code(), "key_revoked");
    assert_eq!(admin.post_form("/oauth/introspect", &format!("token={dead}")).await.json()["active"], false);

    server.advance(10).await;
    assert_eq!(client.token(&short, "").await.status, 401);
    assert_eq!(admin.post_form("/oauth/introspect", &format!("token={short}")).await.json()["active"], false);
    // None of these is anybody's use.
    for nobodys in ["nonsense", &forged(&good)] {
        assert_eq!(client.token(nobodys, "").await.status, 401);
    }

    server.flush().await;
    for (interval, start) in [("hour", "2026-01-01T00:00:00Z"), ("day", "2026-01-01T00:00:00Z")] {
        for (id, expected) in [
            (&good_id, bucket(start, 2, 9, [0; 4])),
            (&resource_server_id, bucket(start, 2, 0, [0; 4])),
            (&from_elsewhere_id, bucket(start, 0, 0, [0, 0, 2, 0])),
            (&short_id, bucket(start, 0, 0, [0, 2, 0, 0])),
            (&rotated_id, bucket(start, 0, 0, [0, 0, 0, 2])),
            (&dead_id, bucket(start, 1, 0, [3, 0, 0, 0])),
        ] {
            let path = format!("{KEYS}/{id}/usage?interval={interval}");
            assert_eq!(used(&admin, &path).await, [expected], "{path}");
        }
        let of_project = used(&admin, &format!("{USAGE}?interval={interval}&project=web")).await;
        assert_eq!(of_project, [bucket(start, 3, 9, [3, 2, 2, 2])]);
    }
    server.flush().await;
    assert_eq!(used(&admin, &format!("{USAGE}?project=web")).await.len(), 1, "and nothing twice");
    assert_eq!(
        used(&admin, &format!("{KEYS}/{good_id}/usage")).await,
        [bucket("2026-01-01T00:00:00Z", 2, 9, [0; 4])]
    );
}

/// A key that may not introspect.
async fn good_or(server: &Server) -> String {
    server.key(&["read:*"]).await.1
}

async fn a_use_counts_in_the_hour_and_the_day_when_it_happened(backend: Backend) {
    let server = Server::start(backend).await;
    let (id, key) = server.key(&["read:*"]).await;
    for (until, times) in [(0, 1), (HOUR - 1, 2), (HOUR, 3), (DAY - 1, 4), (DAY, 5)] {
        server.advance(until - server.clock.now().since(START)).await;
        for _ in 0..times {
            server.client().access_token(&key, "").await;
        }
    }
    // All of it is written in one go, after the last of these hours has begun.
    server.flush().await;
    let tokens = |start, tokens| bucket(start, tokens, 0, [0; 4]);
    assert_eq!(
        used(&server.admin(), &format!("{KEYS}/{id}/usage?interval=hour")).await,
        [
            tokens("2026-01-01T00:00:00Z", 3),
            tokens("2026-01-01T01:00:00Z", 3),
            tokens("2026-01-01T23:00:00Z", 4),
            tokens("2026-01-02T00:00:00Z", 5),
        ]
    );
    let days = [tokens("2026-01-01T00:00:00Z", 10), tokens("2026-01-02T00:00:00Z", 5)];
    assert_eq!(used(&server.admin(), &format!("{KEYS}/{id}/usage")).await, days);
    // What comes later is added to what is there.
    server.client().access_token(&key, "").await;
    server.flush().await;
    assert_eq!(
        used(&server.admin(), &format!("{KEYS}/{id}/usage")).await[1],
        tokens("2026-01-02T00:00:00Z", 6)
    );
}

async fn an_organization_has_the_use_of_its_projects(backend: Backend) {
    let server = Server::start(backend).await;
    project(&server, "web").await;
    let other = json!({ "id": "other" });
    assert_eq!(server.admin().post_json("/v1/orgs", &other).await.status, 201);
    assert_eq!(
        server.admin().post_json("/v1/orgs/other/projects", &json!({ "id": "web" })).await.status,
        201
    );
    let (_, here) = server.key(&["read:*"]).await;
    let (_, there) = server.key_from(json!({ "project": "web", "preset": "query_only" })).await;
    let elsewhere = json!({ "name": "x", "project": "web", "environment": "prd", "preset": "query_only" });
    let elsewhere = server.admin().post_json("/v1/orgs/other/keys", &elsewhere).await.json();
    for (key, times) in [(here.as_str(), 1), (&there, 2), (elsewhere["key"].as_str().unwrap(), 4)] {
        for _ in 0..times {
            server.client().access_token(key, "").await;
        }
    }
    server.flush().await;
    for (path, tokens) in [
        ("/v1/orgs/default/usage", Some(3)),
        ("/v1/orgs/default/usage?project=default", Some(1)),
        ("/v1/orgs/default/usage?project=web", Some(2)),
        ("/v1/orgs/default/usage?project=nowhere", None),
        ("/v1/orgs/other/usage", Some(4)),
        ("/v1/orgs/other/usage?project=web&interval=hour", Some(4)),
    ] {
        let used = used(&server.admin(), path).await;
        assert_eq!(used.first().map(|bucket| bucket["tokens"].as_u64().unwrap()), tokens, "{path}");
    }
}

async fn last_used_at_is_the_time_of_the_last_use(backend: Backend) {
    let server = Server::start(backend).await;
    let (id, key) = server.key(&["read:*", "read:claviger/orgs/default/usage"]).await;
    let key_of = async |id: &str| server.admin().get(&format!("{KEYS}/{id}")).await.json();
    let last_used = async || {
        server.flush().await;
        let shown = key_of(&id).await;
        (shown["last_used_at"].clone(), shown["secrets"][0]["last_used_at"].clone())
    };
    assert_eq!(last_used().await, (Value::Null, Value::Null));
    let at = |time: &str| json!(format!("2026-01-01T{time}Z"));
    let token = server.client().access_token(&key, &format!("&resource={}", server.url(""))).await;
    assert_eq!(last_used().await, (at("00:00:00"), at("00:00:00")));
    server.advance(60).await;
    assert_eq!(server.client().bearer(&token).get("/v1/self").await.status, 200);
    assert_eq!(last_used().await, (at("00:01:00"), at("00:00:00")), "a token shows no secret");
    server.advance(60).await;
    assert_eq!(server.client().token(&format!("{key}x"), "").await.status, 401);
    assert_eq!(last_used().await, (at("00:01:00"), at("00:00:00")), "a refusal is no use");
    server.admin().post_form("/oauth/introspect", &format!("token={key}")).await;
    assert_eq!(last_used().await, (at("00:02:00"), at("00:02:00")), "a resource server was shown the key");
}

async fn old_buckets_are_thinned_out(backend: Backend) {
    let server = Server::start(backend).await;
    let (id, key) = server.key(&["read:*"]).await;
    let rows = async |span: Interval| {
        let count = async |table: &str| {
            let query =
                format!("SELECT COUNT(*) FROM {table} WHERE kind = 'token' AND span = {}", span.seconds());
            server.database.number(&query).await
        };
        (count("key_usage").await, count("project_usage").await)
    };
    for _ in 0..3 {
        server.client().access_token(&key, "").await;
        server.advance(HOUR).await;
    }
    server.flush().await;
    let days = async |from: &str| used(&server.admin(), &format!("{KEYS}/{id}/usage?from={from}")).await;
    let begun = "2026-01-01T00:00:00Z";
    // The hours are 0 to 3, and the days have begun with them.
    for (passed, hours, left) in [
        (35 * DAY, 3, 1),
        (35 * DAY + HOUR, 2, 1),
        (36 * DAY, 0, 1),
        (801 * DAY - 1, 0, 1),
        (801 * DAY, 0, 0),
    ] {
        server.advance(passed - server.clock.now().since(START)).await;
        server.node.tidy_once().await;
        assert_eq!(rows(Interval::Hour).await, (hours, hours), "after {passed} s");
        assert_eq!(rows(Interval::Day).await, (left, left), "after {passed} s");
        if left == 1 {
            assert_eq!(days(begun).await, [bucket(begun, 3, 0, [0; 4])], "after {passed} s");
        }
    }
}
