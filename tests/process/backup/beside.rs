//! A restore beside a running node, which PostgreSQL allows.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

use reqwest::Method;
use serde_json::json;
use tokio::sync::watch;
use tokio::task::{JoinSet, spawn_blocking};

use super::{backed_up, printed};
use crate::support::{Backend, Claviger, Client, in_time, on_postgres, until};

on_postgres!(what_is_acknowledged_beside_a_restore_is_not_undone_by_it);

const KEYS: usize = 400;

type Acknowledged = Arc<Mutex<BTreeSet<usize>>>;

/// Revokes keys, each until that is acknowledged; the last one after two restores, so that however slow a restore is,
/// there are revocations before, beside and after it.
async fn revoke(
    admin: Client,
    ids: Vec<(usize, String)>,
    acknowledged: Acknowledged,
    mut restores: watch::Receiver<usize>,
) {
    let last = ids.len() - 1;
    for (nth, (at, id)) in ids.into_iter().enumerate() {
        if nth == last {
            restores.wait_for(|restores| *restores >= 2).await.expect("restores go on");
        }
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
    let (restores, done) = watch::channel(0);
    let mut revokers = JoinSet::new();
    for part in ids.chunks(KEYS / 4) {
        revokers.spawn(revoke(admin.clone(), part.to_vec(), Arc::clone(&acknowledged), done.clone()));
    }
    until("some are revoked", async || !revoked().await.is_empty()).await;
    while revoked().await.len() < KEYS {
        let run = claviger.clone();
        spawn_blocking(move || printed(&run, &["restore", "a.backup", "--replace"]))
            .await
            .expect("a restore");
        restores.send_modify(|restores| *restores += 1);
    }
    in_time("all are revoked", revokers.join_all()).await;
    for (at, (_, key)) in keys.iter().enumerate() {
        assert_eq!(server.client().token(key, "").await.status, 401, "key {at}");
    }
    let live = "SELECT COUNT(*) FROM api_keys WHERE revoked_at IS NULL";
    assert_eq!(database.number(live).await, 1, "the administrator's");
}
