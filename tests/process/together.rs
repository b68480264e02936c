//! Several first starts over one empty database: one fills it, the others use it or say why they can't.

use std::path::{Path, PathBuf};
use std::thread;

use crate::support::{Backend, Claviger, Database, Process, on_postgres};

on_postgres!(
    starts_in_one_folder_share_what_one_of_them_made,
    starts_with_one_master_key_share_the_store,
    starts_with_master_keys_of_their_own_are_refused_but_one,
);

const STARTS: usize = 4;

const MASTER_KEY: &str = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

/// Starts them all at once; for each its folder and what became of it.
fn start_all(
    database: &Database,
    start: impl Fn(Claviger, usize) -> Claviger,
) -> Vec<(Claviger, Option<Process>)> {
    let starts: Vec<_> = (0..STARTS).map(|at| start(Claviger::over(database), at)).collect();
    thread::scope(|scope| {
        let starting: Vec<_> =
            starts.iter().map(|claviger| scope.spawn(|| claviger.try_serve().ok())).collect();
        let started = starting.into_iter().map(|starting| starting.join().expect("a start"));
        starts.iter().cloned().zip(started).collect()
    })
}

fn folder(database: &Database, at: usize) -> PathBuf {
    let folder = database.folder.path().join(at.to_string());
    std::fs::create_dir_all(&folder).expect("a folder");
    folder
}

fn keys_in(folder: &Path) -> Vec<String> {
    let files = std::fs::read_dir(folder.join("keys")).into_iter().flatten();
    let mut names: Vec<_> =
        files.map(|file| file.expect("a file").file_name().into_string().expect("text")).collect();
    names.sort();
    names
}

/// Whether the administrator's key of one works at each.
async fn assert_one_store(database: &Database, admin_key: &str, serving: &[&Process]) {
    for server in serving {
        assert_eq!(server.client().token(admin_key, "").await.status, 200);
    }
    for (table, rows) in [("deployment", 1), ("api_keys", 1), ("signing_keys", 1), ("audit_events", 1)] {
        assert_eq!(database.number(&format!("SELECT COUNT(*) FROM {table}")).await, rows, "{table}");
    }
}

async fn starts_in_one_folder_share_what_one_of_them_made(backend: Backend) {
    for _ in 0..5 {
        let database = backend.fresh().await;
        let started = start_all(&database, |claviger, _| claviger);
        let serving: Vec<_> = started.iter().flat_map(|(_, process)| process).collect();
        assert_eq!(serving.len(), STARTS, "{}", started[0].0.log());
        assert_eq!(serving.iter().filter(|server| server.greeting.contains("admin.key")).count(), 1);
        assert_eq!(keys_in(database.folder.path()), ["admin.key", "master.key"]);
        assert_one_store(&database, &serving[0].admin_key(), &serving).await;
    }
}

async fn starts_with_one_master_key_share_the_store(backend: Backend) {
    let database = backend.fresh().await;
    let started = start_all(&database, |claviger, at| {
        claviger.moved_to(&folder(&database, at)).set("CLAVIGER_MASTER_KEY", MASTER_KEY)
    });
    let serving: Vec<_> = started.iter().flat_map(|(_, process)| process).collect();
    assert_eq!(serving.len(), STARTS);
    let first = serving.iter().find(|server| server.greeting.contains("admin.key")).expect("a first one");
    let kept: Vec<_> = (0..STARTS).flat_map(|at| keys_in(&folder(&database, at))).collect();
    assert_eq!(kept, ["admin.key"], "the key that is in the store, and no other");
    assert_one_store(&database, &first.admin_key(), &serving).await;
}

async fn starts_with_master_keys_of_their_own_are_refused_but_one(backend: Backend) {
    let database = backend.fresh().await;
    let started = start_all(&database, |claviger, at| claviger.moved_to(&folder(&database, at)));
    let serving: Vec<_> = started.iter().flat_map(|(_, process)| process).collect();
    let [first] = serving[..] else { panic!("{} of them serve", serving.len()) };
    assert_one_store(&database, &first.admin_key(), &serving).await;
    for (at, (claviger, process)) in started.iter().enumerate() {
        if process.is_none() {
            let complaint = "claviger: the store was made with a master key that is not here: put it into";
            assert!(claviger.log().contains(complaint), "{}", claviger.log());
            assert_eq!(keys_in(&folder(&database, at)), [""; 0], "nothing that belongs to no store");
        }
    }
}
