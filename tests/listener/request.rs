//! What an ordinary request meets.

use tokio::io::AsyncWriteExt;

use crate::client::{GET, GET_WAIT};
use crate::server::{Server, patient};

#[tokio::test]
async fn requests_follow_each_other_on_one_connection() {
    let server = Server::start(patient());
    let mut client = server.connect().await;
    for _ in 0..3 {
        let answer = client.ask(GET).await;
        assert_eq!((answer.status, answer.body.as_slice(), answer.closes()), (200, &b"hello"[..], false));
    }
}

#[tokio::test]
async fn pipelined_requests_are_answered_in_order() {
    let server = Server::start(patient());
    let mut client = server.connect().await;
    let echo = "POST /echo HTTP/1.1\r\nHost: test\r\nContent-Length: 3\r\n\r\nabc";
    client.send([GET, echo, GET].concat()).await;
    for expected in ["hello", "abc", "hello"] {
        assert_eq!(client.answer().await.body, expected.as_bytes());
    }
}

#[tokio::test]
async fn the_service_knows_the_peers_address() {
    let server = Server::start(patient());
    let mut client = server.connect().await;
    let answer = client.ask("GET /peer HTTP/1.1\r\nHost: test\r\n\r\n").await;
    assert_eq!(answer.body, client.stream.local_addr().unwrap().to_string().into_bytes());
}

#[tokio::test]
async fn a_peer_that_closes_its_side_is_still_answered() {
    let server = Server::start(patient());
    let mut client = server.connect().await;
    client.send(GET_WAIT).await;
    client.stream.shutdown().await.unwrap();
    server.one_waits().await;
    // Whoever sees the end of the client's side has seen it by now.
    server.connect().await.ask(GET).await;
    server.gate.add_permits(1);
    assert_eq!(client.answer().await.body, b"waited");
    client.end().await;
}

/// A connection closed with the peer's bytes unread would be reset, and the answer with it.
#[tokio::test]
async fn an_answer_before_the_end_of_a_long_body_arrives() {
    let server = Server::start(patient());
    let mut client = server.connect().await;
    client.send("POST /unread HTTP/1.1\r\nHost: test\r\nContent-Length: 8000000\r\n\r\n").await;
    client.send(vec![b'x'; 8_000_000]).await;
    let answer = client.answer().await;
    assert_eq!((answer.status, answer.closes()), (200, true));
    client.end().await;
}

#[tokio::test]
async fn a_short_body_that_the_service_leaves_unread_ends_nothing() {
    let server = Server::start(patient());
    let mut client = server.connect().await;
    for _ in 0..2 {
        let answer = client.ask("POST /unread HTTP/1.1\r\nHost: test\r\nContent-Length: 3\r\n\r\nabc").await;
        assert_eq!((answer.status, answer.closes()), (200, false));
    }
}
