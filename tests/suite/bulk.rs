//! `POST /v1/orgs/{org}/keys/revoke` and `…/rescope`: many keys at once, all of them or none.

mod refused;

use serde_json::{Value, json};

use crate::support::{Backend, Server, on_both};

on_both!(
    a_filter_finds_what_it_says,
    all_that_is_found_is_revoked_and_said,
    scopes_are_replaced_added_and_removed,
    a_dry_run_lists_what_would_change,
);

const KEYS: &str = "/v1/orgs/default/keys";
const REVOKE: &str = "/v1/orgs/default/keys/revoke";
const RESCOPE: &str = "/v1/orgs/default/keys/rescope";

/// A server with a project `web` and keys of these names and members.
async fn server_with(backend: Backend, keys: &[(&str, Value)]) -> Server {
    let server = Server::start(backend).await;
    server.admin().post_json("/v1/orgs/default/projects", &json!({ "id": "web" })).await.done(201);
    for (name, members) in keys {
        let mut key = json!({ "name": name, "preset": "query_only" });
        key.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
        server.key_from(key).await;
    }
    server
}

/// The names of the keys in an answer, in a fixed order.
fn names(answer: &Value) -> Vec<&str> {
    let mut names: Vec<_> =
        answer["data"].as_array().unwrap().iter().map(|key| key["name"].as_str().unwrap()).collect();
    names.sort_unstable();
    assert_eq!(answer["count"], names.len());
    names
}

async fn a_filter_finds_what_it_says(backend: Backend) {
    let server = server_with(
        backend,
        &[
            ("one", json!({})),
            ("web one", json!({ "project": "web" })),
            ("web dev", json!({ "project": "web", "environment": "dev" })),
            ("short", json!({ "expires_in": 5 })),
            ("dead", json!({})),
        ],
    )
    .await;
    let (admin, client) = (server.admin(), server.client());
    let dead = admin.get(&format!("{KEYS}?q=dead")).await.done(200)["data"][0]["id"].clone();
    admin.post_json(&format!("{KEYS}/{}/revoke", dead.as_str().unwrap()), &json!({})).await.done(200);
    let (maker_id, maker) = server
        .key_from(json!({ "name": "maker", "scopes": [{ "action": "write", "resource": "claviger/**" }] }))
        .await;
    let made = json!({ "name": "made", "project": "web", "environment": "stg", "preset": "query_only" });
    let made = client.bearer(&maker).post_json(KEYS, &made).await.done(201);
    server.clock.advance(10);
    client.token(made["key"].as_str().unwrap(), "").await.done(200);
    server.node.usage.flush(&server.node.records.store, server.clock.now()).await.unwrap();
    for (filter, found) in [
        (json!({ "project": "web" }), &["made", "web dev", "web one"][..]),
        (json!({ "environment": "dev" }), &["web dev"]),
        (json!({ "project": "web", "environment": "prd" }), &["web one"]),
        (json!({ "q": "WEB" }), &["web dev", "web one"]),
        (json!({ "created_by": maker_id }), &["made"]),
        (json!({ "created_by": "bootstrap", "q": "admin" }), &["Administrator"]),
        (json!({ "created_by": "key_0123456789abcdef" }), &[]),
        // Made at the beginning and never used since; an expired key could come back.
        (json!({ "unused_since": "2026-01-01T00:00:01Z", "project": "web" }), &["web dev", "web one"]),
        (json!({ "unused_since": "2026-01-01T00:00:01Z", "q": "short" }), &["short"]),
        (json!({ "unused_since": "2026-01-01T00:00:00Z" }), &[]),
        (
            json!({ "unused_since": "2026-01-01T00:00:11Z", "project": "web" }),
            &["made", "web dev", "web one"],
        ),
        (json!({ "project": "nonesuch" }), &[]),
    ] {
        let request = json!({ "filter": filter });
        let found_now =
            admin.post_json(&format!("{REVOKE}?dry_run=true&force=true"), &request).await.done(200);
        assert_eq!(names(&found_now), found, "{filter}");
        let mut listed = format!("{KEYS}?status=active");
        for (member, value) in filter.as_object().unwrap() {
            listed += &format!("&{member}={}", value.as_str().unwrap());
        }
        let mut listed = json!({ "data": admin.get(&listed).await.done(200)["data"] });
        listed["count"] = listed["data"].as_array().unwrap().len().into();
        let active: Vec<_> = found.iter().copied().filter(|name| *name != "short").collect();
        assert_eq!(names(&listed), active, "a list by the same filter: {filter}");
    }
}

async fn all_that_is_found_is_revoked_and_said(backend: Backend) {
    let server = server_with(
        backend,
        &[
            ("old a", json!({})),
            ("old b", json!({ "expires_in": 5 })),
            ("old c", json!({})),
            ("new", json!({})),
        ],
    )
    .await;
    let (admin, client) = (server.admin(), server.client());
    let (gone, _) = server.key_from(json!({ "name": "old gone", "preset": "query_only" })).await;
    let gone = format!("{KEYS}/{gone}");
    admin.post_json(&format!("{gone}/revoke"), &json!({ "reason": "before" })).await.done(200);
    let (id, key) = server.key_from(json!({ "name": "old d", "preset": "query_only" })).await;
    let token = client.access_token(&key, "").await;
    server.clock.advance(10);
    server.node.catch_up().await.unwrap();
    let before = server.database.number("SELECT COUNT(*) FROM audit_events").await;
    let request = json!({ "filter": { "q": "OLD" }, "reason": "spring cleaning" });
    let done = admin.post_json(REVOKE, &request).await.done(200);
    assert_eq!((names(&done), &done["dry_run"]), (vec!["old a", "old b", "old c", "old d"], &json!(false)));
    let told = done["data"].as_array().unwrap().iter().find(|key| key["id"] == id.as_str()).unwrap();
    let now = "2026-01-01T00:00:10Z";
    let expected = json!({
        "id": id, "name": "old d", "project": "default", "environment": "prd",
        "changes": {
            "status": { "from": "active", "to": "revoked" }, "generation": { "from": 1, "to": 2 },
            "revoked_at": { "from": null, "to": now },
            "revoked_reason": { "from": null, "to": "spring cleaning" },
        },
    });
    assert_eq!(told, &expected);
    let read = admin.get(&format!("{KEYS}/{id}")).await.done(200);
    assert_eq!((&read["status"], &read["revoked_at"]), (&json!("revoked"), &json!(now)));
    client.bearer(&key).get("/v1/self").await.refused(401, "key_revoked");
    let introspected = admin.post_form("/oauth/introspect", &format!("token={token}")).await.done(200);
    assert_eq!(introspected, json!({ "active": false }));
    assert_eq!(admin.get(&gone).await.done(200)["revoked_reason"], "before");
    let events = "SELECT subject FROM audit_events WHERE action = 'key.revoke' ORDER BY seq DESC LIMIT 4";
    let mut events = server.database.texts(events).await;
    let mut ids: Vec<_> =
        done["data"].as_array().unwrap().iter().map(|key| key["id"].as_str().unwrap().to_owned()).collect();
    events.sort();
    ids.sort();
    assert_eq!(events, ids, "an event for each");
    assert_eq!(server.database.number("SELECT COUNT(*) FROM audit_events").await, before + 4);
    let again = admin.post_json(REVOKE, &request).await.done(200);
    assert_eq!(again, json!({ "dry_run": false, "count": 0, "data": [] }));
}

async fn scopes_are_replaced_added_and_removed(backend: Backend) {
    let reads = |resource: &str| json!({ "action": "read", "resource": resource });
    let (a, b, c) = (reads("a"), reads("b"), reads("c"));
    let server = server_with(
        backend,
        &[
            ("web ab", json!({ "project": "web", "preset": null, "scopes": [a, b] })),
            ("web b", json!({ "project": "web", "preset": null, "scopes": [b] })),
        ],
    )
    .await;
    let admin = server.admin();
    let mut generations = [1, 1];
    for (request, of_ab, of_b, taken) in [
        (json!({ "add": [c] }), json!([a, b, c]), json!([b, c]), [0, 0]),
        (json!({ "remove": [a] }), json!([b, c]), json!([b, c]), [1, 0]),
        (json!({ "add": [a], "remove": [b, reads("*")] }), json!([a, c]), json!([a, c]), [1, 1]),
        (json!({ "add": [], "remove": [] }), json!([a, c]), json!([a, c]), [0, 0]),
        (json!({ "scopes": [reads("*")] }), json!([reads("*")]), json!([reads("*")]), [0, 0]),
        (json!({ "remove": [reads("*")], "add": [b, b] }), json!([b]), json!([b]), [1, 1]),
    ] {
        let mut body = json!({ "filter": { "project": "web" } });
        body.as_object_mut().unwrap().extend(request.as_object().unwrap().clone());
        admin.post_json(RESCOPE, &body).await.done(200);
        let listed = admin.get(&format!("{KEYS}?project=web")).await.done(200);
        let [of_b_now, of_ab_now] = &listed["data"].as_array().unwrap()[..] else { panic!("two keys") };
        generations = [generations[0] + taken[0], generations[1] + taken[1]];
        for (key, scopes, generation) in
            [(of_ab_now, of_ab, generations[0]), (of_b_now, of_b, generations[1])]
        {
            assert_eq!((&key["scopes"], &key["generation"]), (&scopes, &json!(generation)), "{request}");
        }
    }
}

async fn a_dry_run_lists_what_would_change(backend: Backend) {
    let server = server_with(
        backend,
        &[("web", json!({ "project": "web" })), ("same", json!({ "preset": "full_access" }))],
    )
    .await;
    let admin = server.admin();
    let before = server.database.dump().await;
    let request = json!({ "filter": { "q": "e" }, "scopes": [{ "action": "*" }] });
    let everything = json!([{ "action": "*", "resource": "*" }]);
    let told = admin.post_json(&format!("{RESCOPE}?dry_run=true"), &request).await.done(200);
    // That one has those scopes already.
    assert_eq!((names(&told), &told["dry_run"]), (vec!["web"], &json!(true)));
    let reading = json!([{ "action": "read", "resource": "*" }]);
    assert_eq!(told["data"][0]["changes"], json!({ "scopes": { "from": reading, "to": everything } }));
    let revocation = json!({ "filter": { "q": "e" } });
    let told = admin.post_json(&format!("{REVOKE}?dry_run=true"), &revocation).await.done(200);
    assert_eq!(names(&told), ["same", "web"]);
    assert_eq!(server.database.dump().await, before);
}
