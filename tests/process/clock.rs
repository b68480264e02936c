//! Starts with a clock that is wrong.

use std::path::Path;

use crate::support::{Backend, Claviger, is_here, on_both, until};

on_both!(a_start_with_the_clock_far_ahead_leaves_the_audit_trail_alone);

/// Where Debian puts the library that sets a process's clock; its folder is the architecture's.
fn faketime() -> Option<String> {
    if !is_here("faketime") {
        return None;
    }
    let folders = std::fs::read_dir("/usr/lib").expect("libraries").filter_map(Result::ok);
    let library = |folder: &Path| folder.join("faketime/libfaketime.so.1");
    let found = folders.map(|folder| library(&folder.path())).find(|library| library.exists());
    Some(found.expect("faketime's library").display().to_string())
}

async fn a_start_with_the_clock_far_ahead_leaves_the_audit_trail_alone(backend: Backend) {
    let Some(library) = faketime() else { return };
    let database = backend.fresh().await;
    let claviger = Claviger::over(&database);
    drop(claviger.serve());
    // As if no round of deletions had been before.
    database.execute("UPDATE deployment SET steady_at = NULL").await;
    let ahead = claviger
        .clone()
        .set("LD_PRELOAD", &library)
        .set("FAKETIME", "+402d")
        .set("FAKETIME_DONT_FAKE_MONOTONIC", "1");
    let server = ahead.serve();
    let bootstrap = "SELECT COUNT(*) FROM audit_events WHERE action = 'bootstrap'";
    assert_eq!(database.number(bootstrap).await, 1);
    // The first round puts a signing key in line before it deletes; a second one at least is over when this is seen.
    let in_line = "SELECT COUNT(*) FROM signing_keys";
    until("a round is under way", async || database.number(in_line).await > 1).await;
    let steady = "SELECT steady_at - (SELECT MIN(at) FROM audit_events) FROM deployment";
    assert!((0..86_400).contains(&database.number(steady).await));
    assert_eq!(database.number(bootstrap).await, 1);
    assert_eq!(server.client().get("/readyz").await.status, 200);
    // What signs now is not a key that nobody but this clock has active.
    drop(server);
    let corrected = claviger.serve();
    assert_eq!(corrected.client().token(&corrected.admin_key(), "").await.status, 200);
    assert_eq!(corrected.client().get("/readyz").await.status, 200);
}
