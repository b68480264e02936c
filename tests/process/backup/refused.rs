//! What is not backed up or restored, and that nothing has changed then.

use std::fs;
use std::path::Path;

use super::{backed_up, backends, complaint, moved, printed, resealed, stop, unsealed};
use crate::support::{Backend, Claviger, Database, on_both, write_private};

on_both!(
    a_backup_overwrites_nothing,
    an_empty_store_is_not_backed_up,
    a_filled_store_is_not_overwritten_unasked,
    a_backup_is_not_restored_with_another_master_key,
    another_deployment_is_not_replaced,
    what_is_no_backup_is_not_restored,
    a_dry_run_writes_nothing,
);

/// A store that was served once, and a backup of it.
async fn served(backend: Backend) -> (Database, Claviger) {
    let database = backend.fresh().await;
    let claviger = Claviger::over(&database);
    stop(claviger.serve());
    backed_up(&claviger, &database, "a.backup");
    (database, claviger)
}

async fn a_backup_overwrites_nothing(backend: Backend) {
    let (database, claviger) = served(backend).await;
    let path = |name: &str| database.folder.path().join(name);
    fs::write(path("precious"), "precious").expect("a file");
    std::os::unix::fs::symlink("nowhere", path("link")).expect("a link");
    for name in ["precious", "link", "a.backup"] {
        let before = fs::read(path(name)).ok();
        let refused = complaint(&claviger, &["backup", name]);
        assert_eq!(refused, format!("claviger: {name} already exists: a backup overwrites nothing"));
        assert_eq!(fs::read(path(name)).ok(), before);
    }
    let refused = complaint(&claviger, &["backup", "nowhere/a.backup"]);
    assert!(refused.starts_with("claviger: nowhere/a.backup cannot be written: No such file"), "{refused}");
    let no_stream = claviger.run(&["backup", "-"]);
    assert_eq!(no_stream.status.code(), Some(2));
    assert!(no_stream.stdout.is_empty() && !path("-").exists());
}

async fn an_empty_store_is_not_backed_up(backend: Backend) {
    let database = backend.fresh().await;
    let claviger = Claviger::over(&database);
    let refused = complaint(&claviger, &["backup", "a.backup"]);
    assert_eq!(refused, "claviger: the store at CLAVIGER_DATABASE_URL is missing or empty");
    let names = fs::read_dir(database.folder.path()).expect("a folder");
    assert_eq!(names.count(), 0, "neither a backup nor a store");
    let url = claviger.set("CLAVIGER_DATABASE_URL", "mysql://nowhere").run(&["backup", "a.backup"]);
    assert_eq!(url.status.code(), Some(2));
}

async fn a_filled_store_is_not_overwritten_unasked(backend: Backend) {
    let (database, claviger) = served(backend).await;
    let before = database.dump().await;
    let refused = complaint(&claviger, &["restore", "a.backup"]);
    assert_eq!(refused, "claviger: the store is not empty: --replace replaces its contents with the backup");
    let forget = claviger.run(&["restore", "a.backup", "--forget-revocations"]);
    assert_eq!(forget.status.code(), Some(2), "it says nothing without --replace");
    if backend == Backend::Sqlite {
        let server = claviger.serve();
        let refused = complaint(&claviger, &["restore", "a.backup", "--replace"]);
        assert!(refused.starts_with("claviger: another claviger process is using "), "{refused}");
        stop(server);
    }
    assert_eq!(database.dump().await, before);
}

async fn a_backup_is_not_restored_with_another_master_key(backend: Backend) {
    let (from, _) = served(backend).await;
    let file = from.folder.path().join("a.backup");
    let file = file.to_str().expect("text");
    for to in backends() {
        let to = to.fresh().await;
        let before = to.dump_if_any().await;
        let claviger = Claviger::over(&to);
        let refused = complaint(&claviger, &["restore", file]);
        let missing = "claviger: the backup was made with a master key that is not here: put it into \
                       keys/master.key, or into CLAVIGER_MASTER_KEY";
        assert_eq!(refused, missing);
        let other =
            claviger.clone().set("CLAVIGER_MASTER_KEY", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA");
        let refused = complaint(&other, &["restore", file]);
        assert_eq!(
            refused,
            "claviger: CLAVIGER_MASTER_KEY is not the master key of this backup; if it was replaced since, give the earlier one with --retired-master-key-file"
        );
        assert_eq!(to.dump_if_any().await, before);
    }
}

async fn another_deployment_is_not_replaced(backend: Backend) {
    let (from, _) = served(backend).await;
    let (to, _) = served(backend).await;
    let before = to.dump().await;
    let file = from.folder.path().join("a.backup");
    for flags in [&[][..], &["--dry-run"], &["--forget-revocations"]] {
        let arguments = [&["restore", file.to_str().expect("text"), "--replace"], flags].concat();
        let refused = complaint(&moved(&from, &to), &arguments);
        assert_eq!(
            refused,
            "claviger: the store has another master key than the backup, and is not replaced: \
             is it the right one?"
        );
    }
    assert_eq!(to.dump().await, before);
}

async fn what_is_no_backup_is_not_restored(backend: Backend) {
    let (from, claviger) = served(backend).await;
    let folder = from.folder.path();
    fs::write(folder.join("empty"), "").expect("a file");
    write_private(&folder.join("text"), &"no database\n".repeat(1_000));
    let store = Backend::Sqlite.fresh().await;
    stop(moved(&from, &store).serve());
    fs::copy(store.url.trim_start_matches("sqlite://"), folder.join("store")).expect("a copy");
    for (name, statement) in [
        ("format", "UPDATE backup SET format = 3"),
        ("schema", "UPDATE backup SET schema_version = 99"),
        ("row", "UPDATE api_keys SET scopes = 'admin:claviger/**'"),
        ("gone", "DELETE FROM audit_events"),
        ("column", "ALTER TABLE api_keys RENAME COLUMN note TO remark"),
        ("table", "DROP TABLE revoked_tokens"),
        ("facts", "UPDATE backup SET made_at = made_at + 1"),
        ("digest", "UPDATE backup SET digest = x'00'"),
        ("nothing", "DELETE FROM backup"),
    ] {
        fs::copy(folder.join("a.backup"), folder.join(name)).expect("a copy");
        resealed(&folder.join(name), statement).await;
    }
    fs::copy(folder.join("a.backup"), folder.join("unsealed")).expect("a copy");
    unsealed(&folder.join("unsealed"), "UPDATE backup SET made_at = made_at").await;
    cut(folder, "cut", 2);
    let newer = "is newer than this binary knows: use a newer claviger";
    let damaged = "the backup is damaged: ";
    for (name, why) in [
        ("missing", "No such file or directory (os error 2)"),
        ("empty", "not a backup that claviger made"),
        ("text", "not a backup that claviger made"),
        ("store", "not a backup that claviger made"),
        ("format", &format!("its format is 3, which {newer}")),
        ("schema", &format!("its schema has version 99, which {newer}")),
        ("row", &format!("{damaged}its contents differ from what was written")),
        ("gone", &format!("{damaged}its contents differ from what was written")),
        ("column", damaged),
        ("table", damaged),
        ("facts", &format!("{damaged}its contents differ from what was written")),
        ("digest", &format!("{damaged}its contents differ from what was written")),
        ("nothing", damaged),
        ("unsealed", &format!("{damaged}its end is missing")),
        ("cut", damaged),
    ] {
        let to = backend.fresh().await;
        let before = to.dump_if_any().await;
        let refused = complaint(&moved(&from, &to), &["restore", name]);
        assert!(refused.starts_with(&format!("claviger: {name}: {why}")), "{name}: {refused}");
        assert_eq!(to.dump_if_any().await, before, "{name}");
    }
    let before = from.dump().await;
    complaint(&claviger, &["restore", "cut", "--replace"]);
    assert_eq!(from.dump().await, before);
}

/// The backup without its last part.
fn cut(folder: &Path, name: &str, into: usize) {
    let whole = fs::read(folder.join("a.backup")).expect("a file");
    fs::write(folder.join(name), &whole[..whole.len() / into]).expect("a file");
}

async fn a_dry_run_writes_nothing(backend: Backend) {
    let (from, claviger) = served(backend).await;
    let before = from.dump().await;
    let said = printed(&claviger, &["restore", "a.backup", "--replace", "--dry-run"]);
    assert!(said.starts_with("Dry run: nothing was changed.\nWould be restored: "), "{said}");
    // Beside a running server too, of either kind.
    let server = claviger.serve();
    assert_eq!(printed(&claviger, &["restore", "a.backup", "--replace", "--dry-run"]), said);
    stop(server);
    assert_eq!(from.dump().await, before);
    let empty = backend.fresh().await;
    let nothing = empty.dump_if_any().await;
    let said = printed(&moved(&from, &empty), &["restore", "a.backup", "--dry-run"]);
    assert!(said.contains("\nWhat was revoked or removed after "), "{said}");
    assert_eq!(empty.dump_if_any().await, nothing);
}
