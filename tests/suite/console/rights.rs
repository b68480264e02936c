//! Whoever is signed in may do what their key may do at the management API, and nothing else.

use serde_json::json;

use super::browser::Browser;
use crate::support::{Backend, Server, on_both};

on_both!(
    what_a_person_may_not_do_is_not_offered_and_refused,
    another_organization_is_not_there,
    nobody_hands_out_what_they_do_not_have,
);

async fn what_a_person_may_not_do_is_not_offered_and_refused(backend: Backend) {
    let server = Server::start(backend).await;
    let (id, _) = server.key_from(json!({"name": "some key", "preset": "query_only"})).await;
    let (_, reader) = server.key(&["read:claviger/orgs/default/projects/*/keys/*"]).await;
    let browser = Browser::signed_in(&server, &reader).await;
    let (keys, own) = ("/console/orgs/default/keys", format!("/console/orgs/default/keys/{id}"));
    let list = browser.page(keys).await;
    assert!(list.contains("some key") && !list.contains("/keys/new"), "{list}");
    for room in ["usage", "audit", "projects", "edit"] {
        assert!(!list.contains(&format!(r#"/default/{room}""#)), "{room}: {list}");
    }
    let page = browser.page(&own).await;
    for act in ["/edit", "/rotate", "/revoke", "/delete", "<h2>Audit log</h2>"] {
        assert!(!page.contains(act), "{act}: {page}");
    }
    let rooms = ["usage", "usage.csv", "usage-by-key.csv", "audit", "audit.csv", "edit", "delete"];
    let rooms = rooms.map(|room| format!("/console/orgs/default/{room}"));
    let deployment = ["audit", "audit.csv", "signing-keys"].map(|room| format!("/console/{room}"));
    for room in rooms.iter().chain(&deployment) {
        let refused = browser.get(room).await;
        assert_eq!(refused.status, 403, "{room}");
        let scope = ["read:claviger/", "admin:claviger/"];
        assert!(scope.iter().any(|scope| refused.text.contains(scope)), "{}", refused.text);
    }
    for act in ["edit", "rotate", "revoke", "delete"] {
        assert_eq!(browser.get(&format!("{own}/{act}")).await.status, 403, "{act}");
    }
    let fields =
        [("name", "some key"), ("overlap", "0"), ("ends", "keep"), ("action", "read"), ("resource", "*")];
    for act in ["edit", "rotate", "revoke", "delete"] {
        assert_eq!(browser.post(&format!("{own}/{act}"), &fields).await.status, 403, "{act}");
    }
    let form = [
        ("name", "x"),
        ("project", "default"),
        ("environment", "prd"),
        ("ends", "never"),
        ("access", "query_only"),
    ];
    assert_eq!(browser.post("/console/orgs/default/keys/new", &form).await.status, 403);
    assert_eq!(
        browser.post("/console/orgs/default/projects", &[("id", "x"), ("environments", "prd")]).await.status,
        403
    );
    assert_eq!(browser.post("/console/signing-keys", &[]).await.status, 403);
    assert_eq!(browser.post("/console/orgs", &[("id", "mine")]).await.status, 403);
    assert_eq!(browser.post("/console/orgs/default/edit", &[("name", "Mine")]).await.status, 403);
    assert_eq!(browser.post("/console/orgs/default/delete", &[("name", "default")]).await.status, 403);
    server.flush().await;
    let denied = server.admin().get("/v1/orgs/default/audit?action=access.denied").await.json();
    assert!(!denied["data"].as_array().unwrap().is_empty(), "it is noted as at the management API");
}

async fn another_organization_is_not_there(backend: Backend) {
    let server = Server::start(backend).await;
    server.admin().post_json("/v1/orgs", &json!({"id": "acme"})).await.done(201);
    let (_, own) = server.key(&["*:claviger/orgs/default/**"]).await;
    let browser = Browser::signed_in(&server, &own).await;
    for org in ["acme", "never-was"] {
        assert_eq!(browser.get(&format!("/console/orgs/{org}")).await.status, 404, "{org}");
        for room in [
            "keys",
            "keys/new",
            "usage",
            "audit",
            "projects",
            "audit.csv",
            "usage-by-key.csv",
            "edit",
            "delete",
        ] {
            let answer = browser.get(&format!("/console/orgs/{org}/{room}")).await;
            assert_eq!(answer.status, 404, "{org}/{room}");
        }
    }
    assert!(!browser.page("/console/orgs").await.contains("acme"));
    let everywhere = Browser::signed_in(&server, &server.admin_key).await;
    let all = everywhere.page("/console/orgs").await;
    assert!(all.contains(r#"/console/orgs/acme""#) && all.contains(r#"/console/orgs/default""#), "{all}");
    assert!(everywhere.page("/console/orgs/acme/keys").await.contains("No API keys"));
}

async fn nobody_hands_out_what_they_do_not_have(backend: Backend) {
    let server = Server::start(backend).await;
    let (_, key) = server.key(&["*:claviger/orgs/default/projects/*/keys/*"]).await;
    let browser = Browser::signed_in(&server, &key).await;
    let form = [
        ("name", "up"),
        ("project", "default"),
        ("environment", "prd"),
        ("ends", "never"),
        ("access", "scopes"),
        ("action", "*"),
        ("resource", "claviger/**"),
    ];
    let refused = browser.post("/console/orgs/default/keys/new", &form).await;
    assert_eq!(refused.status, 403);
    assert!(refused.text.contains("grant or change a scope that you do not"), "{}", refused.text);
    assert!(
        refused.text.contains(r#"value="claviger/**""#),
        "what was typed is still there: {}",
        refused.text
    );
    let admin = server.admin().get("/v1/self").await.json()["id"].as_str().unwrap().to_owned();
    let rotate = format!("/console/orgs/default/keys/{admin}/rotate");
    assert_eq!(browser.post(&rotate, &[("overlap", "3600")]).await.status, 403);
}
