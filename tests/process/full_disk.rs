//! A disk that is full: what is not written is not acknowledged, and writes go on once there is room.

use std::process::Command;

use serde_json::json;

use crate::support::{Answer, Backend, Claviger, Process, is_here, until};

async fn new_key(server: &Process) -> Answer {
    let members = json!({
        "name": "x", "note": "x".repeat(900), "project": "default", "environment": "prd", "preset": "query_only"
    });
    server.admin().post_json("/v1/orgs/default/keys", &members).await
}

/// Lets the server's files grow to so many bytes and no further.
fn limit_files(server: &Process, bytes: &str) {
    let pid = format!("--pid={}", server.id());
    let done = Command::new("prlimit").args([&pid, &format!("--fsize={bytes}:unlimited")]).status();
    assert!(done.expect("prlimit runs").success());
}

#[tokio::test]
async fn writes_go_on_once_a_full_disk_has_room() {
    if !is_here("prlimit") {
        return;
    }
    let database = Backend::Sqlite.fresh().await;
    // The signal that a file is too large would end the process; a full disk sends none.
    let server = Claviger::over(&database).ignoring("XFSZ").serve();
    let (_, key) = server.admin().create_key(&["read:*"]).await;
    let log = format!("{}-wal", database.url.trim_start_matches("sqlite://"));
    let mut acknowledged = 2;
    for _ in 0..3 {
        // The log of the server is a file, too, and a shorter one.
        let length = std::fs::metadata(&log).expect("a write-ahead log").len();
        limit_files(&server, &length.to_string());
        let mut refused = 0;
        // More than there are connections.
        while refused < 20 {
            let answer = new_key(&server).await;
            assert!(matches!(answer.status, 201 | 503), "{}", answer.text);
            refused += u32::from(answer.status == 503);
            acknowledged += i64::from(answer.status == 201);
        }
        assert_eq!(server.client().token(&key, "").await.status, 200, "reads go on");
        limit_files(&server, "unlimited");
        until("the first write goes well", async || new_key(&server).await.status == 201).await;
        acknowledged += 1;
        for _ in 0..20 {
            assert_eq!(new_key(&server).await.status, 201);
            acknowledged += 1;
        }
    }
    assert_eq!(database.number("SELECT COUNT(*) FROM api_keys").await, acknowledged);
    let log = Claviger::over(&database).log();
    // The limit may fall on a line of the log, too.
    assert!(log.contains("the store takes no writes: the disk reports errors"), "{log}");
    // A write that changes nothing may find room where a new key does not.
    assert!(log.matches("the store takes writes again").count() >= 3, "{log}");
    server.signal("TERM");
    assert!(server.end().0.success());
}
