//! Connections are open files.

use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;

use crate::support::{Claviger, Process, in_time};

/// Connections that have each sent one byte.
async fn begun(server: &Process, count: usize) -> Vec<TcpStream> {
    let mut connections = Vec::new();
    for _ in 0..count {
        let mut connection = TcpStream::connect(server.address).await.unwrap();
        connection.write_all(b"G").await.unwrap();
        connections.push(connection);
    }
    connections
}

#[tokio::test]
async fn the_soft_limit_on_open_files_is_raised() {
    let folder = tempfile::tempdir().unwrap();
    let claviger = Claviger::at(folder.path()).after("ulimit -Sn 64; ulimit -Hn 1024");
    let server = claviger.serve();
    let held = begun(&server, 200).await;
    let answer = in_time("an answer beside 200 connections", server.client().get("/healthz")).await;
    assert_eq!(answer.status, 200);
    drop(held);
    server.signal("TERM");
    assert!(server.end().0.success());
    assert!(claviger.log().contains("the limit on open files leaves room for fewer connections"));
    assert!(!claviger.log().contains("cannot accept connections"), "{}", claviger.log());
}

#[tokio::test]
async fn connections_leave_room_for_other_files() {
    let folder = tempfile::tempdir().unwrap();
    let claviger = Claviger::at(folder.path()).after("ulimit -n 256");
    let server = claviger.serve();
    // More than fit. Those that are accepted do not keep the store from its files.
    let held = begun(&server, 300).await;
    drop(held);
    let answer = in_time("a token", server.client().token(&server.admin_key(), "")).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    let log = claviger.log();
    assert!(log.contains("open_files=256 connections=128 wanted=10000"), "{log}");
    assert!(!log.contains("cannot accept connections"), "{log}");
}
