//! A kill, at whatever moment, takes nothing that was acknowledged and leaves nothing half done.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use reqwest::Method;
use serde_json::json;
use tokio::task::JoinSet;

use crate::support::{Backend, Claviger, Client, Database, on_both, until};

on_both!(a_kill_takes_nothing_that_was_acknowledged, a_first_start_that_was_killed_is_made_up_for);

/// A key that was acknowledged, and what has become of it.
struct Key {
    text: String,
    fate: Fate,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    Good,
    Revoked,
    /// The revocation was not acknowledged.
    Unknown,
}

async fn a_kill_takes_nothing_that_was_acknowledged(backend: Backend) {
    let database = backend.fresh().await;
    let claviger = Claviger::over(&database);
    let mut keys: Vec<Key> = Vec::new();
    for _ in 0..5 {
        let server = claviger.serve();
        let acknowledged = Arc::new(AtomicUsize::new(0));
        let mut clients = JoinSet::new();
        for _ in 0..4 {
            clients.spawn(change_until_cut_off(server.admin(), Arc::clone(&acknowledged)));
        }
        until("there is something to lose", async || acknowledged.load(Ordering::Relaxed) > 100).await;
        server.signal("KILL");
        keys.extend(clients.join_all().await.into_iter().flatten());
        server.end();

        let server = claviger.serve();
        assert_consistent(&database).await;
        for Key { text, fate } in &keys {
            let status = server.client().token(text, "").await.status;
            let expected: &[u16] = match fate {
                Fate::Good => &[200],
                Fate::Revoked => &[401],
                Fate::Unknown => &[200, 401],
            };
            assert!(expected.contains(&status), "{fate:?}: {status}");
        }
    }
}

/// Makes keys, and revokes every other one, until there is no answer any more.
async fn change_until_cut_off(admin: Client, acknowledged: Arc<AtomicUsize>) -> Vec<Key> {
    let admin = admin.with("content-type", "application/json");
    let new = json!({ "name": "x", "project": "default", "environment": "prd", "preset": "query_only" })
        .to_string();
    let mut keys = Vec::new();
    loop {
        let Ok(created) = admin.try_send(Method::POST, "/v1/orgs/default/keys", Some(new.clone())).await
        else {
            return keys;
        };
        acknowledged.fetch_add(1, Ordering::Relaxed);
        let key = created.json();
        let text = key["key"].as_str().expect("a key").to_owned();
        if keys.len() % 2 == 0 {
            keys.push(Key { text, fate: Fate::Good });
            continue;
        }
        let path = format!("/v1/orgs/default/keys/{}/revoke", key["id"].as_str().expect("an id"));
        match admin.try_send(Method::POST, &path, None).await {
            Ok(_) => keys.push(Key { text, fate: Fate::Revoked }),
            Err(_) => {
                keys.push(Key { text, fate: Fate::Unknown });
                return keys;
            }
        }
    }
}

/// Nothing is half done.
pub(crate) async fn assert_consistent(database: &Database) {
    let changes = database.number("SELECT value FROM sequences WHERE name = 'changes'").await;
    for (what, query, wanted) in [
        ("changes in a row", "SELECT COUNT(*) FROM changes", changes),
        ("up to the last", "SELECT MAX(seq) FROM changes", changes),
        ("each with its event", "SELECT COUNT(*) FROM audit_events JOIN changes USING (seq)", changes),
        (
            "as many keys as were made",
            "SELECT COUNT(*) - (SELECT COUNT(*) FROM api_keys) FROM audit_events
             WHERE action IN ('bootstrap', 'key.create')",
            0,
        ),
        (
            "as many revoked",
            "SELECT COUNT(*) - (SELECT COUNT(*) FROM api_keys WHERE revoked_at IS NOT NULL) FROM audit_events
             WHERE action = 'key.revoke'",
            0,
        ),
        (
            "each key with its secret",
            "SELECT COUNT(*) FROM api_keys WHERE id NOT IN (SELECT key_id FROM key_secrets)",
            0,
        ),
    ] {
        assert_eq!(database.number(query).await, wanted, "{what}");
    }
    if database.url.starts_with("sqlite") {
        assert_eq!(database.texts("PRAGMA integrity_check").await, ["ok"]);
    }
}

async fn a_first_start_that_was_killed_is_made_up_for(backend: Backend) {
    for file in ["keys/master.key", "keys/admin.key"] {
        for _ in 0..5 {
            let database = backend.fresh().await;
            let claviger = Claviger::over(&database);
            let mut killed = claviger.spawn();
            let path = database.folder.path().join(file);
            until("the file is there", async || path.exists()).await;
            killed.kill().and_then(|()| killed.wait()).expect("an end");
            let server = claviger.serve();
            assert_eq!(server.admin().get("/v1/self").await.status, 200, "killed after {file}");
        }
    }
}
