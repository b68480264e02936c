//! Backups and restores that are killed, at whatever moment.

use std::path::Path;
use std::time::{Duration, Instant};

use claviger::store::Backup;

use super::{backed_up, looked_into, moved, printed, stop};
use crate::support::{Backend, Claviger, Database, on_both};

on_both!(
    a_backup_that_is_killed_leaves_none,
    a_restore_that_is_killed_leaves_the_store_as_it_was,
    a_restore_into_nothing_that_is_killed_leaves_nothing,
);

/// Enough for backing up and restoring to take a while.
const KEYS: u32 = 5_000;

/// How many moments of the time that it takes are tried.
const MOMENTS: u32 = 6;

/// A store with many keys.
async fn large(backend: Backend) -> (Database, Claviger) {
    let database = backend.fresh().await;
    let claviger = Claviger::over(&database);
    stop(claviger.serve());
    let numbers = format!(
        "WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < {KEYS})"
    );
    let id = "CAST(1000000000000000 + n AS TEXT)";
    database
        .execute(&format!(
            "INSERT INTO api_keys (id, created_seq, organization, project, environment, brand, name, name_folded, scopes,
                 cidrs, generation, created_at, created_by)
             {numbers} SELECT 'key_' || {id}, -n, organization, project, environment, brand, 'x', 'x', 'read:*', cidrs, 1,
                 created_at, created_by FROM api_keys, numbers;
             INSERT INTO key_secrets (id, key_id, hash, created_at)
             {numbers} SELECT 'sec_' || {id}, 'key_' || {id}, hash, created_at FROM key_secrets, numbers"
        ))
        .await;
    (database, claviger)
}

/// Runs a command to its end, and then again, to be killed at different moments. After each, `look` says whether
/// it was done all the same.
async fn kill_at_every_moment(
    claviger: &Claviger,
    whole: Duration,
    arguments: &[&str],
    look: impl AsyncFn() -> bool,
) {
    let mut unfinished = 0;
    for moment in 0..MOMENTS {
        let mut running = claviger.spawn_command(arguments);
        // No wait for anything to happen: the moment is what is tried.
        tokio::time::sleep(whole * moment / MOMENTS).await;
        running.kill().and_then(|()| running.wait()).expect("an end");
        if look().await {
            break;
        }
        unfinished += 1;
    }
    assert!(unfinished > 1, "only {unfinished} were killed in time");
}

fn names(folder: &Path) -> Vec<String> {
    let names = std::fs::read_dir(folder).expect("a folder");
    names.map(|entry| entry.expect("a file").file_name().into_string().expect("text")).collect()
}

async fn a_backup_that_is_killed_leaves_none(backend: Backend) {
    let (database, claviger) = large(backend).await;
    let server = claviger.serve();
    let begun = Instant::now();
    backed_up(&claviger, &database, "first.backup");
    let whole = begun.elapsed();
    let file = database.folder.path().join("a.backup");
    let client = server.admin();
    kill_at_every_moment(&claviger, whole, &["backup", "a.backup"], async || {
        assert_eq!(client.get("/readyz").await.status, 200);
        if file.exists() {
            Backup::open(&file).await.expect("a whole one");
        }
        file.exists()
    })
    .await;
    let _ = std::fs::remove_file(&file);
    let drafts = |name: &String| name.starts_with("a.backup.");
    assert!(
        names(database.folder.path()).iter().any(drafts),
        "what it had written is there, under another name"
    );
    backed_up(&claviger, &database, "a.backup");
    let rows = async |name: &str| {
        looked_into(&database.folder.path().join(name)).number("SELECT COUNT(*) FROM api_keys").await
    };
    assert_eq!(
        (rows("first.backup").await, rows("a.backup").await),
        (i64::from(KEYS) + 1, i64::from(KEYS) + 1)
    );
}

async fn a_restore_that_is_killed_leaves_the_store_as_it_was(backend: Backend) {
    let (large, claviger) = large(backend).await;
    backed_up(&claviger, &large, "a.backup");
    // The same deployment with little in it.
    let small = backend.fresh().await;
    let small_claviger = moved(&large, &small);
    stop(small_claviger.serve());
    let before = small.dump().await;
    let arguments = ["restore", "a.backup", "--replace"];
    let begun = Instant::now();
    printed(&small_claviger, &[&arguments[..], &["--dry-run"]].concat());
    let whole = begun.elapsed() * 3 / 2;
    let count = "SELECT COUNT(*) FROM api_keys";
    kill_at_every_moment(&small_claviger, whole, &arguments, async || {
        let is_done = small.number(count).await == i64::from(KEYS) + 1;
        if !is_done {
            assert_eq!(small.dump().await, before);
        }
        is_done
    })
    .await;
    printed(&small_claviger, &arguments);
    assert_eq!(small.number(count).await, i64::from(KEYS) + 1);
    let server = small_claviger.serve();
    assert_eq!(server.admin().get("/v1/self").await.status, 200);
}

async fn a_restore_into_nothing_that_is_killed_leaves_nothing(backend: Backend) {
    let (large, claviger) = large(backend).await;
    backed_up(&claviger, &large, "a.backup");
    let empty = backend.fresh().await;
    let restored = moved(&large, &empty);
    let begun = Instant::now();
    printed(&restored, &["restore", "a.backup", "--dry-run"]);
    let whole = begun.elapsed() * 3 / 2;
    kill_at_every_moment(&restored, whole, &["restore", "a.backup"], async || {
        let tables = empty.dump_if_any().await.unwrap_or_default();
        let rows = tables.iter().filter(|row| row.starts_with("api_keys ")).count();
        assert!(rows == 0 || rows == KEYS as usize + 1, "{rows}");
        rows > 0
    })
    .await;
    let refused = restored.run(&["restore", "a.backup"]);
    let is_there_now = String::from_utf8_lossy(&refused.stderr).contains("the store is not empty");
    assert!(refused.status.success() || is_there_now, "{}", String::from_utf8_lossy(&refused.stderr));
    let server = restored.serve();
    assert_eq!(server.admin().get("/v1/self").await.status, 200);
}
