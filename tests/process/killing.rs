//! A kill, at whatever moment, takes nothing that was acknowledged and leaves nothing half done.
//!
//! `CLAVIGER_KILLS` is how often the server is killed on each database; without it, as often as fits into half a
//! minute, and no more than 150 times.

mod checker;
mod journal;
mod writer;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use tokio::task::JoinSet;

use self::checker::Checker;
pub(crate) use self::checker::assert_consistent;
use self::journal::Journal;
use self::writer::Writer;
use crate::support::{Backend, Claviger, Process, on_both, until};

on_both!(a_kill_takes_nothing_that_was_acknowledged, a_first_start_that_was_killed_is_made_up_for);

const WRITERS: usize = 4;

/// At most so many changes are acknowledged before the server is killed.
const MOST_CHANGES: usize = 40;

async fn a_kill_takes_nothing_that_was_acknowledged(backend: Backend) {
    let database = backend.fresh().await;
    let claviger = Claviger::over(&database);
    let (kills, time) = match std::env::var("CLAVIGER_KILLS") {
        Ok(kills) => (kills.parse().expect("a number of kills"), Duration::MAX),
        Err(_) => (150, Duration::from_secs(30)),
    };
    let (begun, mut changes, mut killed) = (Instant::now(), 0, 0);
    let mut checker = Checker::over(&database);
    let mut server = claviger.serve();
    while killed < kills && begun.elapsed() < time {
        let acknowledged = Arc::new(AtomicUsize::new(0));
        let writers = write(&server, killed, &acknowledged);
        // Each kill falls on another part of what the writers do.
        let enough = killed * 7 % MOST_CHANGES;
        until("changes are made", async || acknowledged.load(Ordering::Relaxed) >= enough).await;
        drop(server);
        let journals = writers.join_all().await;
        server = claviger.serve();
        checker.check(&server, &journals).await;
        changes += acknowledged.load(Ordering::Relaxed);
        killed += 1;
    }
    println!("{backend:?}: {killed} kills, {changes} changes, in {:?}", begun.elapsed());
    assert!(!claviger.log().contains("panicked"), "{}", claviger.log());
}

/// Starts the writers; each returns what it knows once it is cut off.
fn write(server: &Process, round: usize, acknowledged: &Arc<AtomicUsize>) -> JoinSet<Journal> {
    let mut writers = JoinSet::new();
    for lane in 0..WRITERS {
        let name = format!("r{round}w{lane}");
        let writer = Writer::new(&server.admin(), name, Arc::clone(acknowledged));
        writers.spawn(writer.write_until_cut_off(round + lane));
    }
    writers
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
