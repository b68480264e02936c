//! A deployment whose console is closed to API keys, except the recovery keys that `claviger admin-key` makes.

use claviger::domain::api_key::KeyId;
use claviger::domain::audit::{Actor, Who};
use claviger::node::ConsoleKeys;
use serde_json::json;

use super::{Scene, session};
use crate::support::{Answer, Backend, on_both};

on_both!(
    only_a_recovery_key_opens_a_console_that_is_closed_to_keys,
    sessions_of_keys_end_when_the_console_is_closed_to_them,
    the_page_says_what_opens_the_console,
);

const CLOSED: &str = "API keys cannot open the console of this deployment";

impl Scene {
    async fn open_with(&self, key: &str) -> Answer {
        self.browser().post_form("/console/sign-in", &format!("key={key}")).await
    }

    /// Marks a key as the command does.
    async fn mark(&self, key: &str) {
        let (store, now) = (&self.server.node.records.store, self.server.clock.now());
        let mut write = store.write(now, &Actor::server(Who::Operator)).await.unwrap();
        write.mark_recovery_key(&key.parse::<KeyId>().unwrap()).await.unwrap();
        write.commit().await.unwrap();
    }
}

async fn only_a_recovery_key_opens_a_console_that_is_closed_to_keys(backend: Backend) {
    let scene = Scene::with_keys(backend, ConsoleKeys::RecoveryOnly).await;
    let (key, plain) = scene.server.key(&["*:claviger/**"]).await;
    for key in [&scene.server.admin_key, &plain] {
        let refused = scene.open_with(key).await;
        assert_eq!((refused.status, session(&refused)), (403, None), "{}", refused.text);
        assert!(refused.text.contains(CLOSED), "{}", refused.text);
    }
    let last = if plain.ends_with('x') { 'y' } else { 'x' };
    let wrong = scene.open_with(&format!("{}{last}", &plain[..plain.len() - 1])).await;
    assert_eq!(wrong.status, 401);
    assert!(!wrong.text.contains(CLOSED), "nobody without a key learns what it may: {}", wrong.text);
    assert_eq!(scene.server.admin().get("/v1/orgs/default/keys").await.status, 200, "the API takes all keys");

    scene.mark(&key).await;
    let cookie = session(&scene.open_with(&plain).await).expect("a session");
    let browser = scene.server.client().with("cookie", &cookie);
    assert_eq!(browser.get("/console/orgs/default/keys").await.status, 200);
    // Changes and rotations of the key leave the mark.
    let path = format!("/v1/orgs/default/keys/{key}");
    scene.server.admin().patch(&path, &json!({ "name": "Rescue" })).await.done(200);
    let rotated = scene
        .server
        .admin()
        .post_json(&format!("{path}/rotate"), &json!({ "overlap_seconds": 60 }))
        .await
        .done(201);
    assert!(session(&scene.open_with(rotated["key"].as_str().unwrap()).await).is_some());
    // No request makes a key one of these.
    let made = json!({ "name": "x", "project": "default", "environment": "prd", "preset": "query_only", "recovery_at": 1 });
    assert_eq!(scene.server.admin().post_json("/v1/orgs/default/keys", &made).await.status, 400);
    assert_eq!(scene.server.admin().patch(&path, &json!({ "recovery_at": 1 })).await.status, 400);
    scene.member("ada@example.com", &json!({})).await;
}

async fn sessions_of_keys_end_when_the_console_is_closed_to_them(backend: Backend) {
    let scene = Scene::with_keys(backend, ConsoleKeys::RecoveryOnly).await;
    let (key, plain) = scene.server.key(&["*:claviger/**"]).await;
    scene.mark(&key).await;
    let cookie = session(&scene.open_with(&plain).await).expect("a session");
    let status =
        async || scene.server.client().with("cookie", &cookie).get("/console/orgs/default/keys").await.status;
    assert_eq!(status().await, 200);
    // The session of a key that is no recovery key, as it is after the setting was changed.
    scene.server.database.execute("UPDATE api_keys SET recovery_at = NULL").await;
    assert_eq!(status().await, 303);
    assert_eq!(scene.server.database.number("SELECT COUNT(*) FROM console_sessions").await, 0);
    scene.mark(&key).await;
    assert_eq!(status().await, 303, "it does not come back");
    let trail = scene.server.admin().get("/v1/orgs/default/audit?action=console.sign_out").await.done(200);
    assert_eq!(trail["data"][0]["actor"], json!(key), "{trail}");
}

async fn the_page_says_what_opens_the_console(backend: Backend) {
    let closed = Scene::with_keys(backend, ConsoleKeys::RecoveryOnly).await;
    let page = closed.server.client().get("/console/sign-in").await.text;
    assert!(page.contains("API keys cannot open the console here"), "{page}");
    assert!(
        page.contains("<summary>Use a recovery key</summary>") && !page.contains("recovery\" open"),
        "{page}"
    );
    let open = Scene::set(backend).await;
    let page = open.server.client().get("/console/sign-in").await.text;
    assert!(page.contains("Sign in with a key") && !page.contains("recovery key"), "{page}");
    assert!(session(&open.open_with(&open.server.admin_key).await).is_some());
}
