//! Peers that take their time.

use std::num::NonZeroU32;
use std::time::{Duration, Instant};

use claviger::listener::Limits;
use tokio::io::AsyncWriteExt;
use tokio::time::interval;

use crate::client::{Client, GET, GET_WAIT, in_time};
use crate::server::{SOON, Server, patient};

const HALF_A_HEAD: &str = "GET / HTTP/1.1\r\nHost: te";

/// Waits for the end of the connection, and checks that it did not come early.
async fn ends_after(limit: Duration, since: Instant, mut client: Client) {
    client.end().await;
    assert!(since.elapsed() >= limit, "the connection ended early, after {:?}", since.elapsed());
}

#[tokio::test]
async fn a_peer_that_sends_nothing_is_cut_off() {
    let server = Server::start(Limits { header_timeout: SOON, ..patient() });
    let began = Instant::now();
    ends_after(SOON, began, server.connect().await).await;
}

#[tokio::test]
async fn a_peer_that_sends_half_a_head_is_cut_off() {
    for half in [HALF_A_HEAD, "G", "\r\n", "PRI ", "GET / HTTP/1.1\r\nHost: test\r\n"] {
        let server = Server::start(Limits { header_timeout: SOON, ..patient() });
        let began = Instant::now();
        let mut client = server.connect().await;
        client.send(half).await;
        ends_after(SOON, began, client).await;
    }
}

#[tokio::test]
async fn a_head_that_drips_in_is_cut_off() {
    let server = Server::start(Limits { header_timeout: SOON, ..patient() });
    let mut client = server.connect().await;
    client.send(HALF_A_HEAD).await;
    let mut drip = interval(Duration::from_millis(10));
    in_time(async {
        while client.stream.write_all(b"s").await.is_ok() {
            drip.tick().await;
        }
    })
    .await;
}

#[tokio::test]
async fn the_next_head_has_the_same_time_as_the_first() {
    let server = Server::start(Limits { header_timeout: SOON, ..patient() });
    let mut client = server.connect().await;
    client.ask(GET).await;
    let began = Instant::now();
    client.send(HALF_A_HEAD).await;
    ends_after(SOON, began, client).await;
}

#[tokio::test]
async fn a_connection_at_rest_is_closed_after_the_keep_alive_time() {
    let server = Server::start(Limits { keep_alive: SOON, ..patient() });
    let mut client = server.connect().await;
    client.ask(GET).await;
    let began = Instant::now();
    client.ask(GET).await;
    ends_after(SOON, began, client).await;
}

/// Another connection, which is cut off meanwhile, tells that the time is over.
#[tokio::test]
async fn a_service_may_take_longer_than_every_limit() {
    let server = Server::start(Limits {
        header_timeout: SOON,
        body_timeout: SOON,
        write_timeout: SOON,
        keep_alive: SOON,
        ..patient()
    });
    let mut waits = server.connect().await;
    waits.send(GET_WAIT).await;
    server.one_waits().await;
    for _ in 0..3 {
        server.connect().await.end().await;
    }
    server.gate.add_permits(1);
    assert_eq!(waits.answer().await.body, b"waited");
}

#[tokio::test]
async fn half_a_body_is_answered_with_408_and_ends_the_connection() {
    for framing in [
        "Content-Length: 4\r\n\r\nab",
        "Transfer-Encoding: chunked\r\n\r\n2\r\nab\r\n",
        "Content-Length: 4\r\n\r\n",
    ] {
        let server = Server::start(Limits { body_timeout: SOON, ..patient() });
        let began = Instant::now();
        let mut client = server.connect().await;
        let answer = client.ask(["POST /echo HTTP/1.1\r\nHost: test\r\n", framing].concat()).await;
        assert_eq!((answer.status, answer.closes()), (408, true), "{framing:?}");
        ends_after(SOON, began, client).await;
    }
}

#[tokio::test]
async fn a_body_may_come_in_parts() {
    let server = Server::start(patient());
    let mut client = server.connect().await;
    client
        .send("POST /echo HTTP/1.1\r\nHost: test\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n")
        .await;
    assert_eq!(client.answer().await.status, 100);
    client.send("ab").await;
    client.send("cd").await;
    assert_eq!(client.answer().await.body, b"abcd");
    assert_eq!(client.ask(GET).await.status, 200);
}

/// Two others, which are cut off meanwhile, tell that the time of a head is over.
#[tokio::test]
async fn a_body_in_parts_is_not_taken_for_the_next_head() {
    let server = Server::start(Limits { header_timeout: SOON, ..patient() });
    let mut client = server.connect().await;
    client
        .send("POST /echo HTTP/1.1\r\nHost: test\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n")
        .await;
    assert_eq!(client.answer().await.status, 100);
    assert_eq!(client.ask("abcd").await.body, b"abcd");
    for _ in 0..2 {
        server.connect().await.end().await;
    }
    assert_eq!(client.ask(GET).await.status, 200);
}

/// It cannot be seen from a connection whose bytes nobody reads that it has ended; the only slot coming free
/// shows it.
#[tokio::test]
async fn a_peer_that_does_not_read_its_answer_is_cut_off() {
    let server = Server::start(Limits { connections: NonZeroU32::MIN, write_timeout: SOON, ..patient() });
    let mut stalled = server.connect().await;
    stalled.send("GET /big HTTP/1.1\r\nHost: test\r\n\r\n").await;
    assert_eq!(server.connect().await.ask(GET).await.status, 200);
    drop(stalled);
}

#[tokio::test]
async fn a_peer_that_reads_slowly_gets_all_of_its_answer() {
    let server = Server::start(Limits { write_timeout: SOON, ..patient() });
    let mut slow = server.connect().await;
    let mut pause = interval(Duration::from_millis(2));
    slow.send("GET /big HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n").await;
    for _ in 0..300 {
        pause.tick().await;
        slow.bytes(64 * 1024).await;
    }
    assert!(slow.rest().await.ends_with(b"xxx"));
}

#[tokio::test]
async fn an_answer_that_does_not_get_on_is_cut_off() {
    let server = Server::start(Limits { write_timeout: SOON, ..patient() });
    let began = Instant::now();
    let mut client = server.connect().await;
    client.send("GET /stuck HTTP/1.1\r\nHost: test\r\n\r\n").await;
    let received = client.rest().await;
    assert!(received.starts_with(b"HTTP/1.1 200") && began.elapsed() >= SOON);
}
