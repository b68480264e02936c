//! The files of a store on SQLite: whose they are, and that they are still there.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use claviger::store::{OpenError, Store, WriteFault};
use serde_json::json;

use crate::support::{Backend, Server};

fn file_of(url: &str) -> PathBuf {
    url.trim_start_matches("sqlite://").into()
}

fn beside(file: &Path, end: &str) -> PathBuf {
    PathBuf::from(format!("{}{end}", file.display()))
}

fn mode(file: &Path) -> u32 {
    fs::metadata(file).expect("a file").permissions().mode() & 0o777
}

async fn new_key(server: &Server) -> u16 {
    let members = json!({ "name": "x", "project": "default", "environment": "prd", "preset": "query_only" });
    server.admin().post_json("/v1/orgs/default/keys", &members).await.status
}

#[tokio::test]
async fn nothing_is_acknowledged_into_a_file_that_has_gone() {
    for end in ["", "-wal", "-shm"] {
        let server = Server::start(Backend::Sqlite).await;
        let (file, store) = (beside(&file_of(&server.database.url), end), &server.node.records.store);
        assert_eq!(new_key(&server).await, 201);
        let away = beside(&file, ".away");
        fs::rename(&file, &away).expect("a file");
        assert_eq!(new_key(&server).await, 503, "{end}: moved away");
        let ready = server.client().get("/readyz").await;
        assert_eq!(ready.status, 503, "{}", ready.text);
        assert!(ready.text.contains("file was deleted, moved or replaced"), "{}", ready.text);
        fs::write(&file, "").expect("another file");
        assert_eq!(new_key(&server).await, 503, "{end}: replaced");
        store.check_writes(server.clock.now()).await;
        assert_eq!(store.writes().failing().expect("writes that fail").reason, WriteFault::FileGone);
        fs::rename(&away, &file).expect("a file");
        store.check_writes(server.clock.now()).await;
        assert!(store.writes().failing().is_none(), "{end}: it is back");
        assert_eq!(server.client().get("/readyz").await.status, 200);
        assert_eq!(new_key(&server).await, 201);
    }
}

#[tokio::test]
async fn a_file_with_a_second_name_is_refused() {
    let database = Backend::Sqlite.fresh().await;
    let server = Store::open(&database.url).await.expect("a store");
    let link = database.folder.path().join("link.db");
    fs::hard_link(file_of(&database.url), &link).expect("a link");
    let refused = Store::open(&format!("sqlite://{}", link.display())).await.expect_err("a second server");
    assert!(matches!(refused, OpenError::HardLinks { names: 2, .. }), "{refused}");
    server.close().await;
    Store::open(&database.url).await.expect_err("still two names");
    fs::remove_file(&link).expect("a link");
    Store::open(&database.url).await.expect("one name").close().await;
    std::os::unix::fs::symlink(file_of(&database.url), &link).expect("a link");
    let server = Store::open(&format!("sqlite://{}", link.display())).await.expect("a symbolic link");
    let refused = Store::open(&database.url).await.expect_err("a second server");
    assert!(matches!(refused, OpenError::InUse(_)), "{refused}");
    server.close().await;
}

#[tokio::test]
async fn only_their_owner_reads_the_files_of_a_store() {
    let database = Backend::Sqlite.fresh().await;
    let file = file_of(&database.url);
    let files = ["", "-wal", "-shm", ".lock"].map(|end| beside(&file, end));
    let store = Store::open(&database.url).await.expect("a new store");
    assert_eq!(files.each_ref().map(|file| mode(file)), [0o600; 4]);
    store.close().await;
    // As an earlier version left them.
    for file in files.iter().filter(|file| file.exists()) {
        fs::set_permissions(file, fs::Permissions::from_mode(0o644)).expect("permissions");
    }
    let store = Store::open(&database.url).await.expect("a store");
    assert_eq!(files.each_ref().map(|file| mode(file)), [0o600; 4]);
    store.close().await;
}

#[tokio::test]
async fn a_closed_store_leaves_its_file_to_the_next_and_no_log() {
    let database = Backend::Sqlite.fresh().await;
    let log = beside(&file_of(&database.url), "-wal");
    let store = Store::open(&database.url).await.expect("a store");
    assert!(log.exists());
    store.close().await;
    assert!(!log.exists());
    Store::open(&database.url).await.expect("the next server").close().await;
}
