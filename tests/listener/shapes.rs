//! Requests that two recipients might read differently, and requests that are none.

use crate::client::{Client, GET};
use crate::server::{Server, patient};

/// A request that must not be found behind another one.
const SMUGGLED: &str = "GET /wait HTTP/1.1\r\nHost: smuggled\r\n\r\n";
const CHUNKS: &str = "4\r\nabcd\r\n0\r\n\r\n";

async fn refused(status: u16, head: &str) {
    let server = Server::start(patient());
    let mut client = server.connect().await;
    let answer = client.ask([head, SMUGGLED].concat()).await;
    assert_eq!((answer.status, answer.closes()), (status, true), "{head:?}");
    client.end().await;
}

async fn answered(body: &str, request: &str) -> Client {
    let server = Server::start(patient());
    let mut client = server.connect().await;
    let answer = client.ask(request).await;
    assert_eq!((answer.status, answer.body.as_slice()), (200, body.as_bytes()), "{request:?}");
    client
}

fn post(fields: &str) -> String {
    format!("POST /echo HTTP/1.1\r\nHost: test\r\n{fields}\r\n\r\n")
}

fn get(fields: &str) -> String {
    format!("GET / HTTP/1.1\r\nHost: test\r\n{fields}\r\n\r\n")
}

/// RFC 9112 §6.3: the coding counts, and the connection closes whatever else is in it.
#[tokio::test]
async fn a_length_beside_a_coding_ends_the_connection() {
    for fields in [
        "Content-Length: 6\r\nTransfer-Encoding: chunked",
        "Transfer-Encoding: chunked\r\nContent-Length: 6",
        "Content-Length: 6\r\nTransfer-Encoding: chunked\r\nContent-Length: 7",
    ] {
        let mut client = answered("abcd", &[&post(fields), CHUNKS, SMUGGLED].concat()).await;
        client.end().await;
    }
}

#[tokio::test]
async fn lengths_that_are_no_one_number_are_refused() {
    for length in
        ["4\r\nContent-Length: 5", "4, 4", "4, 5", "+4", "-1", "", "0x4", "4 4", "99999999999999999999"]
    {
        refused(400, &post(&format!("Content-Length: {length}"))).await;
    }
    answered("abcd", &(post("Content-Length: 4\r\nContent-Length: 4") + "abcd")).await;
}

#[tokio::test]
async fn codings_but_one_chunked_are_refused() {
    for coding in [
        "chunked, identity",
        "identity, chunked",
        "gzip, chunked",
        "chunked, chunked",
        "chunked\r\nTransfer-Encoding: chunked",
        "chunked\r\nTransfer-Encoding: identity",
        "identity\r\nTransfer-Encoding: chunked",
        ", chunked",
        "chunked,",
        "xchunked",
        "\"chunked\"",
        "chunked;q=1",
        "\x0bchunked",
        "gzip",
        "",
    ] {
        refused(400, &(post(&format!("Transfer-Encoding: {coding}")) + CHUNKS)).await;
    }
    refused(400, &("POST /echo HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n".to_owned() + CHUNKS)).await;
    answered("abcd", &(post("Transfer-Encoding: Chunked") + CHUNKS)).await;
}

#[tokio::test]
async fn malformed_fields_are_refused() {
    for fields in [
        "Transfer-Encoding : chunked",
        "Content-Length : 4",
        "X : y",
        " X: y",
        "X: y\r\n folded",
        "X: a\0b",
        "X: a\rb",
        "X: \x01",
        "X: \x7f",
        ": y",
        "Xy",
        "X\0: y",
        "X(: y",
    ] {
        refused(400, &get(fields)).await;
    }
}

/// RFC 9112 §3.2.
#[tokio::test]
async fn requests_without_one_valid_host_are_refused() {
    for host in ["X: y", "Host: a\r\nHost: a", "Host: a b", "Host: a/b", "Host: a@b", "Host: a, b?"] {
        refused(400, &format!("GET / HTTP/1.1\r\n{host}\r\n\r\n")).await;
    }
    refused(400, "GET / HTTP/1.0\r\nHost: a\r\nHost: b\r\n\r\n").await;
    answered("hello", "GET / HTTP/1.0\r\n\r\n").await;
    for host in ["", "localhost:8080", "[::1]:8080", "xn--bcher-kva.example", "under_score"] {
        answered("hello", &format!("GET / HTTP/1.1\r\nHost: {host}\r\n\r\n")).await;
    }
}

#[tokio::test]
async fn malformed_request_lines_are_refused() {
    for line in [
        "GET /",
        "GET / HTTP/1.2",
        "GET / HTTP/2.0",
        "GET / http/1.1",
        "GET  / HTTP/1.1",
        "GET\t/ HTTP/1.1",
        "GET / HTTP/1.1 ",
        " GET / HTTP/1.1",
        "GET /a b HTTP/1.1",
        "G(T / HTTP/1.1",
        "GET /\0 HTTP/1.1",
        "GET /{<> HTTP/1.1",
        "\x16\x03\x01\x02",
    ] {
        refused(400, &format!("{line}\r\nHost: test\r\n\r\n")).await;
    }
}

#[tokio::test]
async fn targets_that_are_no_path_reach_nothing() {
    let server = Server::start(patient());
    let mut client = server.connect().await;
    for line in ["CONNECT test:443", "OPTIONS *", "GET *", "GET x"] {
        let answer = client.ask(format!("{line} HTTP/1.1\r\nHost: test\r\n\r\n")).await;
        assert_eq!(answer.status, 404, "{line}");
    }
    assert_eq!(client.ask("GET http://elsewhere/ HTTP/1.1\r\nHost: test\r\n\r\n").await.status, 200);
    assert_eq!(client.ask(get("Connection: Upgrade\r\nUpgrade: h2c")).await.status, 200);
}

#[tokio::test]
async fn too_large_a_head_is_refused() {
    refused(431, &get(&format!("X: {}", "a".repeat(20_000)))).await;
    refused(431, &format!("GET /{} HTTP/1.1\r\nHost: test\r\n\r\n", "a".repeat(70_000))).await;
    refused(431, &get(&["X: y"; 100].join("\r\n"))).await;
    answered("hello", &get(&["X: y"; 99].join("\r\n"))).await;
    answered("hello", &get(&format!("X: {}", "a".repeat(16_000)))).await;
}

#[tokio::test]
async fn http_2_in_the_clear_is_closed() {
    let server = Server::start(patient());
    let mut client = server.connect().await;
    client.send("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").await;
    client.end().await;
}

#[tokio::test]
async fn malformed_chunks_are_refused() {
    let many_trailers = format!("0\r\n{}\r\n", "X: y\r\n".repeat(4_000));
    let long_extension = format!("4;{}\r\nabcd\r\n0\r\n\r\n", "a".repeat(20_000));
    for chunks in [
        "4\nabcd\r\n0\r\n\r\n",
        "4\rabcd\r\n0\r\n\r\n",
        "4;a\nb\r\nabcd\r\n0\r\n\r\n",
        "0x4\r\nabcd\r\n0\r\n\r\n",
        "-4\r\nabcd\r\n0\r\n\r\n",
        "\r\n4\r\nabcd\r\n0\r\n\r\n",
        "fffffffffffffffff\r\nabcd\r\n0\r\n\r\n",
        "4\r\nabcdX\r\n0\r\n\r\n",
        "4\r\nabcd\n0\r\n\r\n",
        "4\r\nabcd\r\n0\r\nX y\r\n\r\n",
        &many_trailers,
        &long_extension,
    ] {
        refused(400, &(post("Transfer-Encoding: chunked") + chunks)).await;
    }
}

/// RFC 9112 §2.2 lets a recipient take a bare LF for a line's end; hyper does, consistently.
#[tokio::test]
async fn a_bare_line_feed_ends_a_line_of_a_head() {
    let mut client = answered("hello", "GET / HTTP/1.1\nHost: test\n\n").await;
    assert_eq!(client.ask(["\r\n", GET].concat()).await.status, 200);
}
