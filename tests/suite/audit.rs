//! `/v1/orgs/{org}/audit` and `/v1/audit`: who did what, found again.

mod export;
mod pruning;
mod refusals;

use serde_json::{Value, json};

use crate::support::{Backend, Client, START, Server, on_both};

on_both!(
    an_event_says_who_did_what_when_and_from_where,
    a_trail_is_newest_first_and_pages_through_everything,
    a_cursor_is_good_for_its_own_list,
    each_filter_finds_its_events,
    a_filter_that_is_none_is_refused,
    a_trail_is_shown_to_those_who_may_read_it,
    what_was_deleted_stays_in_the_trail,
);

const KEYS: &str = "/v1/orgs/default/keys";
const AUDIT: &str = "/v1/orgs/default/audit";
const EVERYWHERE: &str = "/v1/audit";

async fn page(client: &Client, path: &str) -> Value {
    let answer = client.get(path).await;
    assert_eq!(answer.status, 200, "{path}: {}", answer.text);
    answer.json()
}

/// The events on a page.
async fn events(client: &Client, path: &str) -> Vec<Value> {
    page(client, path).await["data"].as_array().expect("events").clone()
}

/// What was done to what, by the newest first.
async fn acts(client: &Client, path: &str) -> Vec<String> {
    let text = |event: &Value, member: &str| event[member].as_str().expect("text").to_owned();
    let events = events(client, path).await;
    events.iter().map(|event| format!("{} {}", text(event, "action"), text(event, "subject"))).collect()
}

/// The id of the key that a client presents.
async fn own_id(client: &Client) -> String {
    client.get("/v1/self").await.json()["id"].as_str().expect("an id").to_owned()
}

/// Puts `count` events into the trail behind the server's back, one a second from [`START`] on, with change
/// numbers from 1,000,001 on. `after` is an SQL expression, which may use their number `n`.
async fn events_behind(server: &Server, count: usize, after: &str) {
    let start = START.unix();
    server
        .database
        .execute(&format!(
            "WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < {count})
             INSERT INTO audit_events (seq, at, actor, action, family, organization, subject, after)
             SELECT 1000000 + n, {start} + n, 'schedule', 'test.event', 'test', 'default', 'thing ' || n, {after}
             FROM numbers"
        ))
        .await;
}

async fn an_event_says_who_did_what_when_and_from_where(backend: Backend) {
    let server = Server::start(backend).await;
    let admin = own_id(&server.admin()).await;
    server.advance(90).await;
    let body =
        json!({ "name": "é \u{2028}🔑", "project": "default", "environment": "prd", "preset": "query_only" });
    let created = server.admin().post_json(KEYS, &body).await;
    let mut key = created.json();
    let whole = key.as_object_mut().unwrap().remove("key").unwrap();
    let id = key["id"].clone();
    let shown = events(&server.admin(), AUDIT).await;
    let mut first = shown[0].clone();
    assert!(first.as_object_mut().unwrap().remove("id").unwrap().as_str().unwrap().starts_with("evt_"));
    assert_eq!(
        first,
        json!({
            "at": "2026-01-01T00:01:30Z", "actor": admin, "actor_name": "Administrator", "operator_id": null, "address": "127.0.0.1",
            "request_id": created.header("x-request-id"), "action": "key.create", "organization": "default",
            "key": id, "subject": id, "before": null, "after": key,
        })
    );
    let members: Vec<_> = shown[0].as_object().unwrap().keys().collect();
    assert_eq!(members.len(), 13);

    let revoked =
        server.admin().post_json(&format!("{KEYS}/{}/revoke", id.as_str().unwrap()), &json!({})).await;
    let newest = &events(&server.admin(), AUDIT).await[0];
    assert_eq!((&newest["before"], &newest["after"]), (&key, &revoked.json()));
    let everywhere = server.admin().get(EVERYWHERE).await.text;
    assert!(!everywhere.contains(whole.as_str().unwrap()));
    assert_eq!(acts(&server.admin(), EVERYWHERE).await.len(), 3, "with the bootstrap");
}

async fn a_trail_is_newest_first_and_pages_through_everything(backend: Backend) {
    let server = Server::start(backend).await;
    // Several of one second, and one that is written late.
    for seconds in [0, 0, 0, 5, 0] {
        server.clock.advance(seconds);
        server.key(&["read:*"]).await;
    }
    events_behind(&server, 3, "NULL").await;
    for path in [AUDIT, EVERYWHERE] {
        let whole = page(&server.admin(), path).await;
        assert_eq!(whole["next_cursor"], Value::Null);
        let whole = whole["data"].as_array().unwrap().clone();
        assert_eq!(whole.len(), if path == AUDIT { 8 } else { 9 });
        let order: Vec<_> =
            whole.iter().map(|event| (event["at"].as_str().unwrap(), number(event))).collect();
        assert!(order.is_sorted_by(|newer, older| newer > older), "{order:?}");
        for limit in [1, 2, 3, whole.len()] {
            let (mut seen, mut next) = (Vec::new(), format!("{path}?limit={limit}"));
            while !next.is_empty() {
                let page = page(&server.admin(), &next).await;
                seen.extend(page["data"].as_array().unwrap().clone());
                let cursor = page["next_cursor"].as_str();
                next =
                    cursor.map(|cursor| format!("{path}?limit={limit}&cursor={cursor}")).unwrap_or_default();
            }
            assert_eq!(seen, whole, "{path}, {limit} at a time");
        }
    }
}

fn number(event: &Value) -> i64 {
    event["id"].as_str().unwrap().strip_prefix("evt_").unwrap().parse().unwrap()
}

async fn a_cursor_is_good_for_its_own_list(backend: Backend) {
    let server = Server::start(backend).await;
    for _ in 0..3 {
        server.key(&["read:*"]).await;
    }
    let cursor =
        async |path: &str| page(&server.admin(), path).await["next_cursor"].as_str().unwrap().to_owned();
    let own = cursor(&format!("{AUDIT}?limit=1")).await;
    let of_creations = cursor(&format!("{AUDIT}?limit=1&action=key.create")).await;
    let of_everything = cursor(&format!("{EVERYWHERE}?limit=1&org=default")).await;
    let of_keys = cursor(&format!("{KEYS}?limit=1")).await;
    assert_eq!(
        events(&server.admin(), &format!("{AUDIT}?limit=2&cursor={own}")).await.len(),
        2,
        "of any length"
    );
    for bad in [
        format!("cursor={of_creations}"),
        format!("cursor={of_everything}"),
        format!("cursor={of_keys}"),
        format!("action=key.create&cursor={own}"),
        format!("from=2026-01-01T00:00:00Z&cursor={own}"),
        format!("cursor={own}A"),
        format!("cursor={}", own.to_uppercase()),
        "cursor=".to_owned(),
        "cursor=evt_1".to_owned(),
    ] {
        let refused = server.admin().get(&format!("{AUDIT}?{bad}")).await;
        assert_eq!((refused.status, refused.code().as_str()), (400, "invalid_request"), "{bad}");
    }
}

async fn each_filter_finds_its_events(backend: Backend) {
    let server = Server::start(backend).await;
    let admin = own_id(&server.admin()).await;
    let (maker_id, maker) = server.key(&["*:claviger/orgs/default/**", "*:*"]).await;
    let maker_client = server.client().bearer(&maker);
    server.advance(60).await;
    let (id, key) = maker_client.create_key(&["read:*"]).await;
    let token = server.client().access_token(&key, "").await;
    let form = format!("token={token}&client_secret={key}");
    assert_eq!(server.client().post_form("/oauth/revoke", &form).await.status, 200);
    server.advance(60).await;
    assert_eq!(server.admin().post_json(&format!("{KEYS}/{id}/revoke"), &json!({})).await.status, 200);
    assert_eq!(server.admin().post_json("/v1/signing-keys/rotate", &json!({})).await.status, 201);
    let project = json!({ "id": "web" });
    assert_eq!(server.admin().post_json("/v1/orgs/default/projects", &project).await.status, 201);
    let found = async |path: &str, query: &str| -> Vec<String> {
        let acts = acts(&server.admin(), &format!("{path}?{query}")).await;
        acts.iter().map(|act| act.split(' ').next().unwrap().to_owned()).collect()
    };
    let whole = ["project.create", "key.revoke", "token.revoke", "key.create", "key.create"];
    assert_eq!(found(AUDIT, "").await, whole);
    for (query, expected) in [
        (format!("actor={admin}"), vec!["project.create", "key.revoke", "key.create"]),
        (format!("actor={maker_id}"), vec!["key.create"]),
        (format!("actor={id}"), vec!["token.revoke"]),
        ("actor=bootstrap".to_owned(), vec![]),
        ("actor=schedule".to_owned(), vec![]),
        ("actor=key_0000000000000000".to_owned(), vec![]),
        (format!("key={id}"), vec!["key.revoke", "token.revoke", "key.create"]),
        (format!("key={maker_id}"), vec!["key.create"]),
        ("key=key_0000000000000000".to_owned(), vec![]),
        ("action=key.create".to_owned(), vec!["key.create", "key.create"]),
        ("action=token.revoke".to_owned(), vec!["token.revoke"]),
        ("action=key".to_owned(), vec![]),
        ("action=key.*".to_owned(), vec!["key.revoke", "key.create", "key.create"]),
        ("action=project.*".to_owned(), vec!["project.create"]),
        ("action=signing_key.*".to_owned(), vec![]),
        ("from=2026-01-01T00:01:00Z".to_owned(), whole[..4].to_vec()),
        ("to=2026-01-01T00:01:00Z".to_owned(), vec!["key.create"]),
        ("from=2026-01-01T00:01:00Z&to=2026-01-01T00:02:00Z".to_owned(), vec!["token.revoke", "key.create"]),
        ("from=2026-01-01T00:01:01Z&to=2026-01-01T00:01:59Z".to_owned(), vec![]),
        ("from=2026-01-01T00:02:00Z&to=2026-01-01T00:00:00Z".to_owned(), vec![]),
        (format!("key={id}&actor={maker_id}"), vec!["key.create"]),
        (format!("key={id}&action=key.*&from=2026-01-01T02:01:01%2B02:00"), vec!["key.revoke"]),
    ] {
        assert_eq!(found(AUDIT, &query).await, expected, "{query}");
    }
    let everything = found(EVERYWHERE, "").await;
    assert_eq!(everything.len(), 7);
    for (query, expected) in [
        ("org=default".to_owned(), whole.to_vec()),
        ("org=other".to_owned(), vec![]),
        ("actor=bootstrap".to_owned(), vec!["bootstrap"]),
        ("action=bootstrap".to_owned(), vec!["bootstrap"]),
        ("action=signing_key.*".to_owned(), vec!["signing_key.rotate"]),
        (format!("key={id}"), vec!["key.revoke", "token.revoke", "key.create"]),
        (format!("key={admin}"), vec!["bootstrap"]),
        (format!("actor={admin}&action=signing_key.rotate"), vec!["signing_key.rotate"]),
    ] {
        assert_eq!(found(EVERYWHERE, &query).await, expected, "{query}");
    }
}

async fn a_filter_that_is_none_is_refused(backend: Backend) {
    let server = Server::start(backend).await;
    for (query, complaint) in [
        (
            "actor=nobody",
            "actor: must be the id of a key or of a member, portal: and a subject, provider: and a name, bootstrap, schedule or operator",
        ),
        ("actor=", "actor: must be the id of a key"),
        ("key=nonsense", "key: a key's id must be"),
        ("action=*", "action: must be an action such as key.revoke"),
        ("action=key.rev*", "action: must be an action such as key.revoke"),
        ("action=", "action: must be an action such as key.revoke"),
        ("action=%00", "without NUL"),
        ("from=now", "from is not an RFC 3339 time"),
        ("to=1", "to is not an RFC 3339 time"),
        ("limit=0", "limit must be 1 to 200"),
        ("limit=201", "limit must be 1 to 200"),
        ("format=xml", "format must be json, jsonl or csv"),
        ("actor=schedule&actor=bootstrap", "actor appears twice"),
        (
            "subject=x",
            "the query parameters of this operation are actor, key, action, from, to, limit, cursor, format",
        ),
    ] {
        for path in [AUDIT, EVERYWHERE] {
            let refused = server.admin().get(&format!("{path}?{query}")).await;
            assert_eq!((refused.status, refused.code().as_str()), (400, "invalid_request"), "{path}?{query}");
            assert!(refused.text.contains(complaint), "{path}?{query}: {}", refused.text);
        }
    }
    assert_eq!(server.admin().get(&format!("{AUDIT}?org=default")).await.status, 400, "it has one already");
    assert_eq!(server.admin().get(&format!("{EVERYWHERE}?org=UP")).await.status, 400);
}

async fn a_trail_is_shown_to_those_who_may_read_it(backend: Backend) {
    let server = Server::start(backend).await;
    let (_, of_audit) = server.key(&["read:claviger/orgs/default/audit"]).await;
    let (_, of_organization) = server.key(&["read:claviger/orgs/default/**"]).await;
    let (_, of_deployment) = server.key(&["read:claviger/audit"]).await;
    let (_, of_keys) = server.key(&["read:claviger/orgs/default/projects/*/keys/*"]).await;
    let (_, writer) = server.key(&["write:claviger/orgs/default/**", "admin:claviger/**"]).await;
    let (_, full_access) = server.key(&["*:*"]).await;
    for (by, own, others, everything) in [
        (&server.admin_key, 200, 404, 200),
        (&of_audit, 200, 404, 403),
        (&of_organization, 200, 404, 403),
        (&of_deployment, 403, 404, 200),
        (&of_keys, 403, 404, 403),
        (&writer, 403, 403, 403),
        (&full_access, 403, 404, 403),
    ] {
        for (path, status) in [(AUDIT, own), ("/v1/orgs/other/audit", others), (EVERYWHERE, everything)] {
            for query in ["", "?format=csv", "?format=jsonl"] {
                let answer = server.client().bearer(by).get(&format!("{path}{query}")).await;
                assert_eq!(answer.status, status, "{path}{query}: {}", answer.text);
            }
        }
    }
    let refused = server.client().bearer(&of_keys).get(AUDIT).await;
    assert!(refused.text.contains("read:claviger/orgs/default/audit"), "{}", refused.text);
    let refused = server.client().bearer(&of_keys).get(EVERYWHERE).await;
    assert!(refused.text.contains("read:claviger/audit"), "{}", refused.text);
    assert_eq!(server.client().get(AUDIT).await.status, 401);
    assert_eq!(server.admin().post_json(AUDIT, &json!({})).await.status, 405);
}

async fn what_was_deleted_stays_in_the_trail(backend: Backend) {
    let server = Server::start(backend).await;
    let admin = server.admin();
    let delete = async |path: &str| admin.send(reqwest::Method::DELETE, path, None).await.status;
    let (id, _) = server.key(&["read:*"]).await;
    assert_eq!(delete(&format!("{KEYS}/{id}")).await, 204);
    let of_key = acts(&admin, &format!("{AUDIT}?key={id}")).await;
    assert_eq!(of_key.last().unwrap(), &format!("key.create {id}"));
    assert!(of_key.len() > 1, "{of_key:?}");

    assert_eq!(admin.post_json("/v1/orgs", &json!({ "id": "gone" })).await.status, 201);
    assert_eq!(admin.get("/v1/orgs/gone/audit").await.status, 200);
    assert_eq!(delete("/v1/orgs/gone").await, 204);
    assert_eq!(admin.get("/v1/orgs/gone/audit").await.status, 404);
    let left = acts(&admin, &format!("{EVERYWHERE}?org=gone")).await;
    assert_eq!(left, ["organization.delete gone", "organization.create gone"]);
}
