//! A restore beside a running node, which PostgreSQL allows.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

use reqwest::Method;
use serde_json::json;
use tokio::task::{JoinSet, spawn_blocking};

use super::{backed_up, printed};
use crate::support::{Backend, Claviger, Client, in_time, on_postgres, until};

on_postgres!(what_is_acknowledged_beside_a_restore_is_not_undone_by_it);

const KEYS: usize = 400;

type Acknowledged = Arc<Mutex<BTreeSet<usize>>>;

/// Revokes keys, each until that is acknowledged.
async fn revoke(admin: Client, ids: Vec<(usize, String)>, acknowledged: Acknowledged) {
    for (at, id) in ids {
        let path = format!("/v1/orgs/default/keys/{id}/revoke");
        loop {
            match admin.send(Method::POST, &path, None).await.status {
                200 => break,
                503 => {}
                status => panic!("{status}"),
            }
        }
        acknowledged.lock().unwrap_or_else(PoisonError::into_inner).insert(at);
    }
}

async fn what_is_acknowledged_beside_a_restore_is_not_undone_by_it(backend: Backend) {
    let database = backend.fresh().await;
    let claviger = Claviger::over(&database);
    let server = claviger.serve();
    let admin = server.admin();
    let mut keys = Vec::new();
    for _ in 0..KEYS {
        keys.push(admin.create_key_from(json!({ "preset": "query_only" })).await);
    }
    backed_up(&claviger, &database, "a.backup");

    let acknowledged = Acknowledged::default();
    let revoked = async || acknowledged.lock().unwrap_or_else(PoisonError::into_inner).clone();
    let ids: Vec<_> = keys.iter().map(|(id, _)| id.clone()).enumerate().collect();
    let mut revokers = JoinSet::new();
    for part in ids.chunks(KEYS / 4) {
        revokers.spawn(revoke(admin.clone(), part.to_vec(), Arc::clone(&acknowledged)));
    }
    until("some are revoked", async || !revoked().await.is_empty()).await;
    let mut restores = 0;
    while revoked().await.len() < KEYS {
        let run = claviger.clone();
        spawn_blocking(move || printed(&run, &["restore", "a.backup", "--replace"]))
            .await
            .expect("a restore");
        restores += 1;
    }
    in_time("all are revoked", revokers.join_all()).await;
    assert!(restores > 1, "all were revoked before one was done");
    for (at, (_, key)) in keys.iter().enumerate() {
        assert_eq!(server.client().token(key, "").await.status, 401, "key {at}");
    }
    let live = "SELECT COUNT(*) FROM api_keys WHERE revoked_at IS NULL";
    assert_eq!(database.number(live).await, 1, "the administrator's");
}
