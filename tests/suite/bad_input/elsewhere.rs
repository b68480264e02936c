//! Ids and cursors that are good, only not here: another tenant's, another list's.

use serde_json::{Value, json};

use super::{MALFORMED, NOT_FOUND, assert_api};
use crate::matrix::operations;
use crate::matrix::operations::{Fixture, Operation};
use crate::support::{Backend, Server, on_both};

on_both!(
    a_key_of_another_tenant_is_not_there,
    a_project_of_another_tenant_is_not_there,
    a_cursor_is_bound_to_its_list
);

/// Even one who may do everything everywhere does not reach a key through another organization.
async fn a_key_of_another_tenant_is_not_there(backend: Backend) {
    let server = Server::start(backend).await;
    let fixture = Fixture::create(&server, "acme").await;
    let admin = server.admin();
    let (_, inside) = server.key(&["*:claviger/orgs/default/**"]).await;
    let inside = server.client().bearer(&inside);
    let before = server.database.dump().await;
    for operation in operations().filter(|operation| operation.path.contains("/keys/{key}")) {
        let path = operation.path.replace("{org}", "default");
        let asking = Operation { path, ..operation };
        for client in [&admin, &inside] {
            let answer = asking.ask(&fixture, client).await;
            assert_api(&format!("{} {}", asking.method, asking.path), &answer, NOT_FOUND);
        }
    }
    for (filter, path) in
        [("revoke", "/v1/orgs/default/keys/revoke"), ("rescope", "/v1/orgs/default/keys/rescope")]
    {
        let mut body = json!({ "filter": { "project": "web" } });
        if filter == "rescope" {
            body["add"] = json!([{ "action": "read" }]);
        }
        assert_eq!(admin.post_json(path, &body).await.done(200)["count"], 0);
    }
    assert_eq!(server.database.dump().await, before);
}

async fn a_project_of_another_tenant_is_not_there(backend: Backend) {
    let server = Server::start(backend).await;
    let fixture = Fixture::create(&server, "acme").await;
    let admin = server.admin();
    let before = server.database.dump().await;
    for operation in operations().filter(|operation| operation.path.ends_with("/projects/web")) {
        let path = operation.path.replace("{org}", "default");
        let asking = Operation { path, ..operation };
        assert_api(&asking.path, &asking.ask(&fixture, &admin).await, NOT_FOUND);
    }
    let key = json!({ "name": "x", "project": "web", "environment": "prd", "preset": "query_only" });
    assert_api("a key", &admin.post_json("/v1/orgs/default/keys", &key).await, MALFORMED);
    assert_eq!(admin.get("/v1/orgs/default/keys?project=web").await.done(200)["data"], json!([]));
    assert_eq!(server.database.dump().await, before);
}

async fn a_cursor_is_bound_to_its_list(backend: Backend) {
    let server = Server::start(backend).await;
    Fixture::create(&server, "acme").await;
    let admin = server.admin();
    for collection in ["/v1/orgs", "/v1/orgs/default/projects", "/v1/orgs/acme/projects"] {
        admin.post_json(collection, &json!({ "id": "another" })).await.done(201);
    }
    for organization in ["default", "acme"] {
        let project = if organization == "acme" { "web" } else { "default" };
        for _ in 0..2 {
            let key =
                json!({ "name": "x", "project": project, "environment": "prd", "preset": "query_only" });
            admin.post_json(&format!("/v1/orgs/{organization}/keys"), &key).await.done(201);
        }
    }
    let lists = [
        "/v1/orgs?limit=1",
        "/v1/orgs/default/projects?limit=1",
        "/v1/orgs/acme/projects?limit=1",
        "/v1/orgs/default/keys?limit=1",
        "/v1/orgs/acme/keys?limit=1",
        "/v1/orgs/acme/keys?limit=1&status=all",
        "/v1/orgs/acme/keys?limit=1&project=web",
        "/v1/orgs/acme/keys?limit=1&environment=prd",
        "/v1/orgs/acme/keys?limit=1&q=x",
        "/v1/orgs/acme/keys?limit=1&unused_since=2026-01-02T00:00:00Z",
        "/v1/orgs/acme/keys?limit=1&any_address=true",
    ];
    let mut cursors = Vec::new();
    for list in lists {
        let page = admin.get(list).await.done(200);
        cursors.push(page["next_cursor"].as_str().unwrap_or_else(|| panic!("{list}: {page}")).to_owned());
    }
    for (list, own) in lists.iter().zip(&cursors) {
        admin.get(&format!("{list}&cursor={own}")).await.done(200);
        // The length of a page is no part of the list.
        admin.get(&format!("{}&cursor={own}", list.replace("limit=1", "limit=9"))).await.done(200);
        let forged = forgeries(own);
        for cursor in cursors.iter().filter(|cursor| *cursor != own).chain(&forged) {
            let answer = admin.get(&format!("{list}&cursor={cursor}")).await;
            assert_api(&format!("{list}, {cursor}"), &answer, MALFORMED);
        }
    }
    let (_, other) = server.key(&["read:claviger/**"]).await;
    let page = server.client().bearer(&other).get(&format!("{}&cursor={}", lists[4], cursors[4])).await;
    assert_ne!(page.done(200)["data"], Value::Null, "it shows whoever uses it what they may read");
}

fn forgeries(cursor: &str) -> Vec<String> {
    let mut changed = cursor.to_owned();
    changed.replace_range(..1, if cursor.starts_with('A') { "B" } else { "A" });
    let longer = format!("{cursor}A");
    vec![
        changed,
        longer,
        cursor[1..].into(),
        cursor[..cursor.len() - 1].into(),
        "1".into(),
        "%00".into(),
        "a".repeat(5_000),
    ]
}
