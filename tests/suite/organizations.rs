//! `/v1/orgs`: tenants made, changed and ended, and who sees them.

use serde_json::{Value, json};

use crate::support::{Backend, Server, on_both};

on_both!(
    an_organization_is_made_and_changed_and_ended,
    an_id_is_never_used_again,
    an_organization_with_keys_that_are_not_revoked_stays,
    nothing_below_a_deleted_organization_is_there,
    a_list_shows_what_the_caller_may_read,
    a_list_pages_through_everything,
);

const ORGS: &str = "/v1/orgs";
const ACME: &str = "/v1/orgs/acme";

/// The ids on a page.
pub(crate) fn ids(page: &Value) -> Vec<&str> {
    page["data"].as_array().unwrap().iter().map(|thing| thing["id"].as_str().unwrap()).collect()
}

async fn an_organization_is_made_and_changed_and_ended(backend: Backend) {
    let server = Server::start(backend).await;
    let admin = server.admin();
    let api = server.url("/api");
    server.clock.advance(1);

    let made = admin.post_json(ORGS, &json!({ "id": "acme" })).await;
    let plain = json!({
        "id": "acme", "name": "acme", "audiences": null, "created_at": "2026-01-01T00:00:01Z"
    });
    assert_eq!(made.done(201), plain);
    assert_eq!(made.header("location"), server.url(ACME));
    assert_eq!(admin.get(ACME).await.done(200), plain);
    let named = json!({ "id": "other-2", "name": "Ünbekannt & Söhne", "audiences": [api] });
    let made = admin.post_json(ORGS, &named).await.done(201);
    assert_eq!((&made["name"], &made["audiences"]), (&named["name"], &named["audiences"]));

    for (patch, name, audiences) in [
        (json!({ "name": "Acme Inc." }), "Acme Inc.", Value::Null),
        (json!({ "audiences": [api] }), "Acme Inc.", json!([api])),
        (json!({}), "Acme Inc.", json!([api])),
        (json!({ "name": "Acme", "audiences": null }), "Acme", Value::Null),
    ] {
        let changed = admin.patch(ACME, &patch).await.done(200);
        let expected =
            json!({ "id": "acme", "name": name, "audiences": audiences, "created_at": plain["created_at"] });
        assert_eq!(changed, expected, "{patch}");
        assert_eq!(admin.get(ACME).await.done(200), expected, "{patch}");
    }

    admin.delete(ACME).await.done(204);
    for gone in [admin.get(ACME).await, admin.patch(ACME, &json!({})).await, admin.delete(ACME).await] {
        gone.refused(404, "not_found");
    }
    assert_eq!(ids(&admin.get(ORGS).await.done(200)), ["other-2", "default"]);
}

async fn an_id_is_never_used_again(backend: Backend) {
    let server = Server::start(backend).await;
    let admin = server.admin();
    admin.post_json(ORGS, &json!({ "id": "acme" })).await.done(201);
    let again = json!({ "id": "acme", "name": "Another" });
    admin.post_json(ORGS, &again).await.refused(409, "conflict");
    assert_eq!(admin.get(ACME).await.done(200)["name"], "acme");
    admin.delete(ACME).await.done(204);
    admin.post_json(ORGS, &again).await.refused(409, "conflict");
    admin.get(ACME).await.refused(404, "not_found");
    admin.post_json(ORGS, &json!({ "id": "default" })).await.refused(409, "conflict");
}

async fn an_organization_with_keys_that_are_not_revoked_stays(backend: Backend) {
    let server = Server::start(backend).await;
    let admin = server.admin();
    admin.delete("/v1/orgs/default").await.refused(409, "conflict");
    admin.post_json(ORGS, &json!({ "id": "acme" })).await.done(201);
    admin.post_json(&format!("{ACME}/projects"), &json!({ "id": "web" })).await.done(201);
    let body = json!({
        "name": "k", "project": "web", "environment": "prd", "preset": "query_only", "expires_in": 10,
    });
    let key = admin.post_json(&format!("{ACME}/keys"), &body).await.done(201);
    admin.delete(ACME).await.refused(409, "conflict");
    server.clock.advance(10);
    server.node.catch_up().await.unwrap();
    admin.delete(ACME).await.refused(409, "conflict");
    let path = format!("{ACME}/keys/{}", key["id"].as_str().unwrap());
    admin.post_json(&format!("{path}/revoke"), &json!({})).await.done(200);
    admin.delete(ACME).await.done(204);
}

async fn nothing_below_a_deleted_organization_is_there(backend: Backend) {
    let server = Server::start(backend).await;
    let admin = server.admin();
    admin.post_json(ORGS, &json!({ "id": "acme" })).await.done(201);
    let web = json!({ "id": "web" });
    admin.post_json(&format!("{ACME}/projects"), &web).await.done(201);
    let body = json!({ "name": "k", "project": "web", "environment": "prd", "preset": "query_only" });
    let key = admin.post_json(&format!("{ACME}/keys"), &body).await.done(201);
    let path = format!("{ACME}/keys/{}", key["id"].as_str().unwrap());
    admin.post_json(&format!("{path}/revoke"), &json!({})).await.done(200);
    admin.delete(ACME).await.done(204);
    for below in ["projects", "projects/web", "keys"].map(|below| format!("{ACME}/{below}")) {
        admin.get(&below).await.refused(404, "not_found");
    }
    admin.get(&path).await.refused(404, "not_found");
    admin.delete(&path).await.refused(404, "not_found");
    admin.post_json(&format!("{ACME}/projects"), &web).await.refused(404, "not_found");
    admin.post_json(&format!("{ACME}/keys"), &body).await.refused(404, "not_found");
    let filter = json!({ "filter": { "project": "web" } });
    admin.post_json(&format!("{ACME}/keys/revoke"), &filter).await.refused(404, "not_found");
}

async fn a_list_shows_what_the_caller_may_read(backend: Backend) {
    let server = Server::start(backend).await;
    for id in ["acme", "beta"] {
        server.admin().post_json(ORGS, &json!({ "id": id })).await.done(201);
    }
    for (scopes, shown) in [
        (&["read:claviger/orgs/*"][..], &["beta", "acme", "default"][..]),
        (&["*:claviger/**"], &["beta", "acme", "default"]),
        (&["read:claviger/orgs/acme"], &["acme"]),
        (&["read:claviger/orgs/beta", "*:claviger/orgs/acme", "read:claviger/orgs/none"], &["beta", "acme"]),
        (&["read:claviger/orgs/acme/**"], &[]),
        (&["read:claviger/orgs/*/projects/*"], &[]),
        (&["admin:claviger/orgs/*", "write:claviger/orgs/acme"], &[]),
        (&["*:*"], &[]),
    ] {
        let (_, key) = server.key(scopes).await;
        let client = server.client().bearer(&key);
        assert_eq!(ids(&client.get(ORGS).await.done(200)), shown, "{scopes:?}");
        for id in ["acme", "beta", "default"] {
            let status = client.get(&format!("{ORGS}/{id}")).await.status;
            assert_eq!(status == 200, shown.contains(&id), "{scopes:?}, {id}: {status}");
        }
    }
}

async fn a_list_pages_through_everything(backend: Backend) {
    let server = Server::start(backend).await;
    let admin = server.admin();
    for id in ["a", "b", "c", "d"] {
        admin.post_json(ORGS, &json!({ "id": id })).await.done(201);
    }
    let (mut seen, mut query) = (Vec::new(), "limit=2".to_owned());
    loop {
        let page = admin.get(&format!("{ORGS}?{query}")).await.done(200);
        seen.push(ids(&page).join(" "));
        let Some(cursor) = page["next_cursor"].as_str() else { break };
        query = format!("limit=2&cursor={cursor}");
    }
    assert_eq!(seen, ["d c", "b a", "default"]);
}
