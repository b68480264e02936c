//! HTTP/2, frame by frame.

use std::sync::Arc;
use std::time::Duration;

use claviger::listener::Limits;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::interval;
use tokio_rustls::client::TlsStream;

use crate::client::{Client, in_time};
use crate::server::{SOON, Server, patient};
use crate::tls::Identity;

const DATA: u8 = 0;
const HEADERS: u8 = 1;
const RST_STREAM: u8 = 3;
const SETTINGS: u8 = 4;
const PING: u8 = 6;
const GOAWAY: u8 = 7;
const WINDOW_UPDATE: u8 = 8;
const CONTINUATION: u8 = 9;

const END_STREAM: u8 = 1;
const ACK: u8 = 1;
const END_HEADERS: u8 = 4;

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
const MAX_CONCURRENT_STREAMS: u8 = 3;
const INITIAL_WINDOW_SIZE: u8 = 4;
const ENHANCE_YOUR_CALM: u8 = 11;

/// `:status` as the server's encoder writes it: an index, or a literal in Huffman's code.
const OK: &[u8] = &[0x88];
const REQUEST_TIMEOUT: &[u8] = &[0x48, 0x83, 0x68, 0x0f, 0x7f];
const HEADER_FIELDS_TOO_LARGE: &[u8] = &[0x48, 0x83, 0x69, 0x90, 0xff];

struct Frame {
    kind: u8,
    flags: u8,
    stream: u32,
    payload: Vec<u8>,
}

struct Http2(Client<TlsStream<TcpStream>>);

impl Http2 {
    async fn connect(identity: &Identity, server: &Server, settings: &[(u8, u32)]) -> Self {
        let mut client = identity.connect(server, &["h2"]).await;
        client.send(PREFACE).await;
        let mut http2 = Self(client);
        let settings: Vec<u8> =
            settings.iter().flat_map(|(id, value)| [&[0, *id], &value.to_be_bytes()[..]].concat()).collect();
        http2.send(SETTINGS, 0, 0, &settings).await;
        http2
    }

    async fn send(&mut self, kind: u8, flags: u8, stream: u32, payload: &[u8]) {
        self.0.send(frame(kind, flags, stream, payload)).await;
    }

    /// Sends a request without a body.
    async fn get(&mut self, stream: u32, path: &str) {
        self.send(HEADERS, END_HEADERS | END_STREAM, stream, &head(0x82, path)).await;
    }

    /// The next frame of a stream, or of the connection about its end; the others are seen to.
    async fn frame(&mut self) -> Frame {
        loop {
            let frame = self.any_frame().await;
            match (frame.kind, frame.flags) {
                (SETTINGS, 0) => self.send(SETTINGS, ACK, 0, &[]).await,
                (PING, 0) => self.send(PING, ACK, 0, &frame.payload).await,
                (DATA | HEADERS | RST_STREAM | GOAWAY, _) => return frame,
                _ => {}
            }
        }
    }

    async fn any_frame(&mut self) -> Frame {
        let head = self.0.bytes(9).await;
        let length = u32::from_be_bytes([0, head[0], head[1], head[2]]);
        let stream = u32::from_be_bytes([head[5], head[6], head[7], head[8]]);
        Frame { kind: head[3], flags: head[4], stream, payload: self.0.bytes(length as usize).await }
    }

    /// Reads an answer: its stream, the beginning of its head, its body.
    async fn answer(&mut self) -> (u32, Vec<u8>, Vec<u8>) {
        let head = self.frame().await;
        assert_eq!(head.kind, HEADERS);
        let mut body = Vec::new();
        let mut flags = head.flags;
        while flags & END_STREAM == 0 {
            let data = self.frame().await;
            assert_eq!((data.kind, data.stream), (DATA, head.stream));
            body.extend(data.payload);
            flags = data.flags;
        }
        (head.stream, head.payload, body)
    }

    async fn expect(&mut self, stream: u32, status: &[u8], body: &str) {
        let (found, head, content) = self.answer().await;
        assert_eq!((found, String::from_utf8(content).unwrap().as_str()), (stream, body));
        assert!(head.starts_with(status), "{head:x?}");
    }

    /// Sends these frames, and reads until the server ends the connection because of them.
    async fn is_told_to_calm_down(&mut self, frames: &[u8]) {
        // The server may end the connection before it has taken all of them.
        let _ = self.0.stream.write_all(frames).await;
        loop {
            let frame = self.frame().await;
            if frame.kind == GOAWAY {
                assert_eq!(frame.payload[4..8], [0, 0, 0, ENHANCE_YOUR_CALM]);
                break;
            }
        }
    }

    /// Pings until the connection ends, so that silence is not what ends it, and returns what came.
    async fn ping_until_the_end(mut self) -> Vec<u8> {
        let mut pause = interval(Duration::from_millis(10));
        let ping = frame(PING, 0, 0, &[0; 8]);
        let mut received = Vec::new();
        loop {
            let mut chunk = [0; 4096];
            tokio::select! {
                read = self.0.stream.read(&mut chunk) => match read {
                    Ok(length) if length > 0 => received.extend(&chunk[..length]),
                    _ => return received,
                },
                _ = pause.tick() => {
                    let _ = self.0.stream.write_all(&ping).await;
                }
            }
        }
    }
}

fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    [&length[1..], &[kind, flags], &stream.to_be_bytes(), payload].concat()
}

/// `method` is its index in HPACK's static table (RFC 7541, Appendix A), as is all else but path and authority.
fn head(method: u8, path: &str) -> Vec<u8> {
    let path_length = u8::try_from(path.len()).unwrap();
    [&[method, 0x87, 0x01, 9], &b"localhost"[..], &[0x04, path_length], path.as_bytes()].concat()
}

async fn server(limits: Limits) -> (Identity, Server) {
    let identity = Identity::new();
    let server = Server::start_with(limits, Some(identity.settings()));
    (identity, server)
}

#[tokio::test]
async fn requests_are_answered_as_they_are_ready() {
    let (identity, server) = server(patient()).await;
    let mut client = Http2::connect(&identity, &server, &[]).await;
    client.get(1, "/wait").await;
    server.one_waits().await;
    for stream in [3, 5] {
        client.get(stream, "/").await;
        client.expect(stream, OK, "hello").await;
    }
    server.gate.add_permits(1);
    client.expect(1, OK, "waited").await;
}

#[tokio::test]
async fn a_peer_that_sends_no_preface_is_cut_off() {
    let (identity, server) = server(Limits { header_timeout: SOON, ..patient() }).await;
    for preface in [&b""[..], &PREFACE[..10]] {
        let mut client = identity.connect(&server, &["h2"]).await;
        client.send(preface).await;
        client.rest().await;
    }
}

#[tokio::test]
async fn a_connection_at_rest_ends_after_the_keep_alive_time_whatever_it_pings() {
    let (identity, server) = server(Limits { keep_alive: SOON, ..patient() }).await;
    let mut client = Http2::connect(&identity, &server, &[]).await;
    client.get(1, "/").await;
    client.expect(1, OK, "hello").await;
    let goaway = [0, 0, 8, GOAWAY, 0, 0, 0, 0, 0];
    let received = in_time(client.ping_until_the_end()).await;
    assert!(received.windows(goaway.len()).any(|window| window == goaway));
}

#[tokio::test]
async fn half_a_body_is_answered_with_408() {
    let (identity, server) = server(Limits { body_timeout: SOON, ..patient() }).await;
    let mut client = Http2::connect(&identity, &server, &[]).await;
    client.send(HEADERS, END_HEADERS, 1, &head(0x83, "/echo")).await;
    client.send(DATA, 0, 1, b"half").await;
    client.expect(1, REQUEST_TIMEOUT, "").await;
}

#[tokio::test]
async fn a_peer_that_opens_no_window_is_cut_off() {
    let (identity, server) = server(Limits { write_timeout: SOON, ..patient() }).await;
    let mut client = Http2::connect(&identity, &server, &[(INITIAL_WINDOW_SIZE, 0)]).await;
    client.get(1, "/").await;
    in_time(client.ping_until_the_end()).await;
}

#[tokio::test]
async fn rapid_resets_end_the_connection() {
    let (identity, server) = server(patient()).await;
    let mut client = Http2::connect(&identity, &server, &[]).await;
    let resets: Vec<u8> = (0..2_000)
        .flat_map(|number| {
            let stream = 2 * number + 1;
            let request = frame(HEADERS, END_HEADERS | END_STREAM, stream, &head(0x82, "/wait"));
            [request, frame(RST_STREAM, 0, stream, &[0, 0, 0, 8])].concat()
        })
        .collect();
    client.is_told_to_calm_down(&resets).await;
}

/// "MadeYouReset": the server itself ends a stream whose window is made too large, and that makes room for the next.
#[tokio::test]
async fn resets_that_the_peer_provokes_end_the_connection() {
    let (identity, server) = server(patient()).await;
    let mut client = Http2::connect(&identity, &server, &[]).await;
    let provocations: Vec<u8> = (0..2_000)
        .flat_map(|number| {
            let stream = 2 * number + 1;
            let request = frame(HEADERS, END_HEADERS | END_STREAM, stream, &head(0x82, "/wait"));
            [request, frame(WINDOW_UPDATE, 0, stream, &[0x7f, 0xff, 0xff, 0xff])].concat()
        })
        .collect();
    client.is_told_to_calm_down(&provocations).await;
}

#[tokio::test]
async fn a_head_in_endless_parts_ends_the_connection() {
    let (identity, server) = server(patient()).await;
    let mut client = Http2::connect(&identity, &server, &[]).await;
    client.send(HEADERS, END_STREAM, 1, &head(0x82, "/")).await;
    let part = frame(CONTINUATION, 0, 1, &[]);
    client.is_told_to_calm_down(&part.repeat(2_000)).await;
}

#[tokio::test]
async fn streams_are_limited() {
    let (identity, server) = server(Limits { http2_streams: 7, ..patient() }).await;
    let mut client = Http2::connect(&identity, &server, &[]).await;
    let settings = client.any_frame().await;
    assert_eq!(settings.kind, SETTINGS);
    assert!(settings.payload.chunks(6).any(|setting| setting == [0, MAX_CONCURRENT_STREAMS, 0, 0, 0, 7]));
}

#[tokio::test]
async fn too_large_a_head_is_refused() {
    let (identity, server) = server(patient()).await;
    let mut client = Http2::connect(&identity, &server, &[]).await;
    // The field enters the dynamic table once, and then costs a byte each time.
    let field = [&[0x40, 1, b'x', 0x7f, 0xa1, 0x1e], &[b'y'; 4000][..]].concat();
    let bomb = [head(0x82, "/"), field, vec![0xbe; 8]].concat();
    client.send(HEADERS, END_HEADERS | END_STREAM, 1, &bomb).await;
    client.expect(1, HEADER_FIELDS_TOO_LARGE, "").await;
}

#[tokio::test]
async fn requests_at_the_signal_are_answered() {
    let (identity, server) = server(patient()).await;
    let mut client = Http2::connect(&identity, &server, &[]).await;
    client.get(1, "/wait").await;
    server.one_waits().await;
    let gate = Arc::clone(&server.gate);
    let ended = server.shut_down();
    client.get(3, "/").await;
    let mut answered = Vec::new();
    let mut said_goodbye = false;
    while answered.len() < 2 {
        let frame = client.frame().await;
        match frame.kind {
            GOAWAY => said_goodbye = true,
            HEADERS => {
                assert!(frame.payload.starts_with(OK));
                answered.push(frame.stream);
                gate.add_permits(1);
            }
            _ => {}
        }
    }
    assert_eq!((answered, said_goodbye), (vec![3, 1], true));
    client.0.rest().await;
    assert_eq!(ended.report().await.aborted, 0);
}
