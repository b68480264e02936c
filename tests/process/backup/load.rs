//! A backup beside a server that is written to.

use std::sync::{Arc, Mutex, PoisonError};

use reqwest::Method;
use serde_json::json;
use tokio::task::{JoinSet, spawn_blocking};

use super::{backed_up, backends, looked_into, moved, printed};
use crate::killing::assert_consistent;
use crate::support::{Backend, Claviger, Client, on_both, until};

on_both!(a_backup_has_all_that_was_acknowledged_before_it);

const WRITERS: usize = 4;
const BACKUPS: usize = 3;

/// Keys that were acknowledged: their texts, and whether a revocation of them was.
#[derive(Clone, Default)]
struct Journal(Arc<Mutex<Vec<(String, bool)>>>);

impl Journal {
    fn read(&self) -> Vec<(String, bool)> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn note(&self, key: String, is_revoked: bool) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push((key, is_revoked));
    }
}

/// Makes keys, and revokes every other one before it is noted, until there is no answer any more.
async fn write_until_cut_off(admin: Client, journal: Journal) {
    let admin = admin.with("content-type", "application/json");
    let new = json!({ "name": "x", "project": "default", "environment": "prd", "preset": "query_only" });
    for is_revoked in [false, true].into_iter().cycle() {
        let made = admin.try_send(Method::POST, "/v1/orgs/default/keys", Some(new.to_string())).await;
        let Ok(made) = made else { return };
        let key = made.json();
        if is_revoked {
            let path = format!("/v1/orgs/default/keys/{}/revoke", key["id"].as_str().expect("an id"));
            if admin.try_send(Method::POST, &path, None).await.is_err() {
                return;
            }
        }
        journal.note(key["key"].as_str().expect("a key").to_owned(), is_revoked);
    }
}

async fn a_backup_has_all_that_was_acknowledged_before_it(backend: Backend) {
    let database = backend.fresh().await;
    let claviger = Claviger::over(&database);
    let server = claviger.serve();
    let journal = Journal::default();
    let mut writers = JoinSet::new();
    for _ in 0..WRITERS {
        writers.spawn(write_until_cut_off(server.admin(), journal.clone()));
    }
    let mut acknowledged = Vec::new();
    for backup in 0..BACKUPS {
        let (before, name) = (journal.read().len(), format!("{backup}.backup"));
        until("there is more", async || journal.read().len() > before + 50).await;
        acknowledged = journal.read();
        let (run, of) = (claviger.clone(), name.clone());
        spawn_blocking(move || printed(&run, &["backup", &of])).await.expect("a backup");
        until("writers go on", async || journal.read().len() > acknowledged.len()).await;
        assert_consistent(&looked_into(&database.folder.path().join(name))).await;
    }
    server.signal("KILL");
    server.end();
    writers.join_all().await;

    for target in backends() {
        let other = target.fresh().await;
        let restored = moved(&database, &other);
        printed(&restored, &["restore", &format!("{}.backup", BACKUPS - 1)]);
        let server = restored.serve();
        for (key, is_revoked) in &acknowledged {
            let status = server.client().token(key, "").await.status;
            assert_eq!(status, if *is_revoked { 401 } else { 200 });
        }
    }
    // The server was killed, and nobody has cleared up: what is there is backed up all the same.
    let left = backed_up(&claviger, &database, "left.backup");
    assert_consistent(&looked_into(&left)).await;
    assert_eq!(
        looked_into(&left).number("SELECT MAX(seq) FROM changes").await,
        database.number("SELECT MAX(seq) FROM changes").await
    );
}
