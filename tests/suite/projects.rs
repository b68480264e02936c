//! `/v1/orgs/{org}/projects`: projects made, changed and ended, their environments, and who sees them.

use serde_json::{Value, json};

use crate::organizations::ids;
use crate::support::{Backend, Server, on_both};

on_both!(
    a_project_is_made_and_changed_and_ended,
    an_id_is_never_used_again_in_its_organization,
    an_environment_with_keys_that_are_not_revoked_stays,
    a_key_is_at_home_in_an_environment_of_its_project,
    a_list_shows_what_the_caller_may_read,
    a_list_pages_through_everything,
);

const PROJECTS: &str = "/v1/orgs/default/projects";
const WEB: &str = "/v1/orgs/default/projects/web";
const KEYS: &str = "/v1/orgs/default/keys";

async fn a_project_is_made_and_changed_and_ended(backend: Backend) {
    let server = Server::start(backend).await;
    let admin = server.admin();
    let api = server.url("/api");
    let plain = json!({
        "id": "web", "organization": "default", "name": "web", "environments": ["dev", "stg", "prd"],
        "audiences": null, "created_at": "2026-01-01T00:00:00Z",
    });
    let made = admin.post_json(PROJECTS, &json!({ "id": "web" })).await;
    assert_eq!(made.done(201), plain);
    assert_eq!(made.header("location"), server.url(WEB));
    assert_eq!(admin.get(WEB).await.done(200), plain);
    let full =
        json!({ "id": "api", "name": "The API", "environments": ["live", "test"], "audiences": [api] });
    let made = admin.post_json(PROJECTS, &full).await.done(201);
    for member in ["id", "name", "environments", "audiences"] {
        assert_eq!(made[member], full[member], "{member}");
    }
    for (patch, changes) in [
        (json!({ "name": "Web" }), json!({ "name": "Web" })),
        (json!({ "environments": ["prd", "dev"] }), json!({ "environments": ["prd", "dev"] })),
        (json!({ "audiences": [api] }), json!({ "audiences": [api] })),
        (json!({}), json!({})),
        (json!({ "audiences": null }), json!({ "audiences": null })),
    ] {
        let mut expected = admin.get(WEB).await.done(200);
        expected.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
        assert_eq!(admin.patch(WEB, &patch).await.done(200), expected, "{patch}");
        assert_eq!(admin.get(WEB).await.done(200), expected, "{patch}");
    }
    admin.delete(WEB).await.done(204);
    for gone in [admin.get(WEB).await, admin.patch(WEB, &json!({})).await, admin.delete(WEB).await] {
        gone.refused(404, "not_found");
    }
    assert_eq!(ids(&admin.get(PROJECTS).await.done(200)), ["api", "default"]);
}

async fn an_id_is_never_used_again_in_its_organization(backend: Backend) {
    let server = Server::start(backend).await;
    let admin = server.admin();
    let web = json!({ "id": "web" });
    admin.post_json(PROJECTS, &web).await.done(201);
    admin.post_json(PROJECTS, &web).await.refused(409, "conflict");
    admin.delete(WEB).await.done(204);
    admin.post_json(PROJECTS, &web).await.refused(409, "conflict");
    admin.post_json("/v1/orgs", &json!({ "id": "acme" })).await.done(201);
    admin.post_json("/v1/orgs/acme/projects", &web).await.done(201);
    admin.get(WEB).await.refused(404, "not_found");
}

/// A key of `web` in this environment, as a path.
async fn key_in(server: &Server, environment: &str) -> String {
    let (id, _) = server
        .key_from(
            json!({ "project": "web", "environment": environment, "preset": "query_only", "expires_in": 10 }),
        )
        .await;
    format!("{KEYS}/{id}")
}

async fn an_environment_with_keys_that_are_not_revoked_stays(backend: Backend) {
    let server = Server::start(backend).await;
    let admin = server.admin();
    admin.post_json(PROJECTS, &json!({ "id": "web" })).await.done(201);
    let key = key_in(&server, "stg").await;
    // Expired is not revoked: a later end would bring it back.
    server.clock.advance(10);
    server.node.catch_up().await.unwrap();
    let before = admin.get(WEB).await.done(200);
    for environments in [json!(["dev", "prd"]), json!(["dev", "stage", "prd"])] {
        let patch = json!({ "name": "x", "environments": environments });
        for path in [WEB, &format!("{WEB}?dry_run=true")] {
            let refused = admin.patch(path, &patch).await.refused(409, "conflict");
            assert!(refused.contains("stg"), "it says which: {refused}");
        }
        assert_eq!(admin.get(WEB).await.done(200), before);
    }
    admin.patch(WEB, &json!({ "environments": ["stg", "new"] })).await.done(200);
    admin.delete(WEB).await.refused(409, "conflict");
    admin.post_json(&format!("{key}/revoke"), &json!({})).await.done(200);
    admin.patch(WEB, &json!({ "environments": ["prd"] })).await.done(200);
    assert_eq!(admin.get(&key).await.done(200)["environment"], "stg", "a key's own never changes");
    admin.delete(WEB).await.done(204);
    assert_eq!(admin.get(&key).await.done(200)["status"], "revoked", "it stays, for audit");
}

async fn a_key_is_at_home_in_an_environment_of_its_project(backend: Backend) {
    let server = Server::start(backend).await;
    let admin = server.admin();
    admin.post_json(PROJECTS, &json!({ "id": "web", "environments": ["live"] })).await.done(201);
    let body = |environment: &str| {
        let mut key = json!({ "name": "k", "project": "web", "preset": "query_only" });
        key["environment"] = environment.into();
        key
    };
    let refused = admin.post_json(KEYS, &body("prd")).await.refused(400, "invalid_request");
    assert!(refused.contains("live"), "it says which there are: {refused}");
    let made = admin.post_json(KEYS, &body("live")).await.done(201);
    assert!(made["key"].as_str().unwrap().starts_with("clv_live_"));
    let key = format!("{KEYS}/{}", made["id"].as_str().unwrap());
    admin.delete(&key).await.done(204);
    admin.delete(WEB).await.done(204);
    admin.post_json(KEYS, &body("live")).await.refused(400, "invalid_request");
}

async fn a_list_shows_what_the_caller_may_read(backend: Backend) {
    let server = Server::start(backend).await;
    for id in ["web", "api"] {
        server.admin().post_json(PROJECTS, &json!({ "id": id })).await.done(201);
    }
    for (scopes, shown) in [
        (&["read:claviger/orgs/default/**"][..], &["api", "web", "default"][..]),
        (&["read:claviger/orgs/*/projects/*"], &["api", "web", "default"]),
        (&["*:claviger/orgs/default/projects/web"], &["web"]),
        (&["read:claviger/orgs/default/projects/api", "read:claviger/orgs/*/projects/web"], &["api", "web"]),
        (&["read:claviger/orgs/default/projects/web/**"], &[]),
        (&["read:claviger/orgs/default"], &[]),
        (&["write:claviger/orgs/default/projects/*"], &[]),
        (&["read:claviger/orgs/acme/projects/*"], &[]),
        (&["*:*"], &[]),
    ] {
        let (_, key) = server.key(scopes).await;
        let client = server.client().bearer(&key);
        assert_eq!(ids(&client.get(PROJECTS).await.done(200)), shown, "{scopes:?}");
        for id in ["web", "api", "default"] {
            let status = client.get(&format!("{PROJECTS}/{id}")).await.status;
            assert_eq!(status, if shown.contains(&id) { 200 } else { 403 }, "{scopes:?}, {id}");
        }
    }
}

async fn a_list_pages_through_everything(backend: Backend) {
    let server = Server::start(backend).await;
    let admin = server.admin();
    for id in ["a", "b", "c"] {
        admin.post_json(PROJECTS, &json!({ "id": id })).await.done(201);
    }
    let first = admin.get(&format!("{PROJECTS}?limit=3")).await.done(200);
    let cursor = first["next_cursor"].as_str().unwrap();
    let last = admin.get(&format!("{PROJECTS}?limit=3&cursor={cursor}")).await.done(200);
    assert_eq!((ids(&first), ids(&last)), (vec!["c", "b", "a"], vec!["default"]));
    assert_eq!(last["next_cursor"], Value::Null);
}
