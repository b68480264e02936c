//! The whole server from raw sockets: no request hides in another, none keeps it waiting, each has an id.

use std::collections::BTreeSet;
use std::time::Duration;

use claviger::listener::Limits;

use super::{
    FORM, JSON, KEYS, MALFORMED, Scene, Verdict, assert_api, assert_oauth, exchange, raw, read, request,
};
use crate::support::{Backend, Options, Server, on_both};

on_both!(
    a_request_that_reads_in_two_ways_hides_none,
    a_body_that_nobody_wants_is_not_taken_for_a_request,
    broken_chunks_are_a_broken_body,
    a_slow_head_is_cut_off,
    a_slow_body_is_told_so,
    every_answer_has_an_id_of_its_own,
);

/// A request that must not be found behind another one.
const SMUGGLED: &str = "GET /healthz HTTP/1.1\r\nHost: smuggled\r\n\r\n";
/// Long enough for a slow machine to send half a request, short enough to wait for.
const SOON: Duration = Duration::from_millis(300);

const TOO_SLOW: Verdict = (408, "invalid_request");

fn post(fields: &str) -> String {
    format!("POST /oauth/token HTTP/1.1\r\nHost: test\r\n{FORM}{fields}\r\n\r\n")
}

async fn a_request_that_reads_in_two_ways_hides_none(backend: Backend) {
    let server = Server::start(backend).await;
    let chunks = "0\r\n\r\n";
    for (what, request, status) in [
        ("a length and a coding", post("Content-Length: 5\r\nTransfer-Encoding: chunked") + chunks, 401),
        ("a coding and a length", post("Transfer-Encoding: chunked\r\nContent-Length: 5") + chunks, 401),
        ("two lengths", post("Content-Length: 5\r\nContent-Length: 0") + chunks, 400),
        ("a list of lengths", post("Content-Length: 5, 5") + chunks, 400),
        ("a signed length", post("Content-Length: +5") + chunks, 400),
        ("two codings", post("Transfer-Encoding: chunked\r\nTransfer-Encoding: identity") + chunks, 400),
        ("another coding", post("Transfer-Encoding: gzip, chunked") + chunks, 400),
        ("a disguised coding", post("Transfer-Encoding: xchunked") + chunks, 400),
        ("a space before the colon", post("Content-Length : 5") + chunks, 400),
        ("a folded line", post("X: y\r\n Transfer-Encoding: chunked") + chunks, 400),
        ("a NUL in a field", post("X: a\0b") + chunks, 400),
        ("a return in a field", post("X: a\rContent-Length: 5") + chunks, 400),
        ("two hosts", post("Host: other") + chunks, 400),
        ("no host", "GET /healthz HTTP/1.1\r\n\r\n".into(), 400),
        ("a space in the target", "GET /health z HTTP/1.1\r\nHost: test\r\n\r\n".into(), 400),
        ("another version", "GET /healthz HTTP/1.2\r\nHost: test\r\n\r\n".into(), 400),
        ("too large a head", post(&format!("X: {}", "x".repeat(20_000))), 431),
        ("too many fields", post(&vec!["X: y"; 200].join("\r\n")), 431),
    ] {
        let mut client = raw::Client::connect(server.address()).await;
        let answer = client.ask(request + SMUGGLED).await;
        assert_eq!((answer.status, answer.closes()), (status, true), "{what}: {}", answer.head);
        client.end().await;
    }
}

async fn a_body_that_nobody_wants_is_not_taken_for_a_request(backend: Backend) {
    let server = Server::start(backend).await;
    let last = request("GET", "/readyz", "Connection: close\r\n", "");
    for (target, status) in [("/nonesuch", 404), ("/healthz", 405), (KEYS, 401)] {
        let mut client = raw::Client::connect(server.address()).await;
        client.send([request("POST", target, "", SMUGGLED), last.clone()].concat()).await;
        assert_eq!((client.answer().await.status, client.answer().await.status), (status, 200), "{target}");
        client.end().await;
    }
    // A length that is too little: the rest is a request of its own, and none.
    let mut client = raw::Client::connect(server.address()).await;
    client.send([&post("Content-Length: 3"), "a=bc=d&e=f\r\n\r\n"].concat()).await;
    assert_eq!((client.answer().await.status, client.answer().await.status), (401, 400));
    client.end().await;
}

async fn broken_chunks_are_a_broken_body(backend: Backend) {
    let scene = Scene::set(backend).await;
    for chunks in [
        "x\r\n",
        "-1\r\n",
        "0x1\r\na\r\n0\r\n\r\n",
        "1\na\r\n0\r\n\r\n",
        "1\r\nab\r\n0\r\n\r\n",
        "fffffffffffffffff\r\na\r\n0\r\n\r\n",
        "1\r\na\r\n0\r\nno trailer\r\n\r\n",
    ] {
        for (target, fields) in
            [("/oauth/token", FORM.to_owned()), (KEYS, format!("{JSON}X-Api-Key: {}\r\n", scene.key))]
        {
            let head = format!("POST {target} HTTP/1.1\r\nHost: test\r\n{fields}");
            let body = format!("Transfer-Encoding: chunked\r\n\r\n{chunks}");
            let mut client = raw::Client::connect(scene.server.address()).await;
            let answer = client.ask([&head, &body, SMUGGLED].concat()).await;
            assert!(answer.closes(), "{chunks:?}: {}", answer.head);
            match target {
                KEYS => assert_api(chunks, &read(answer), MALFORMED),
                _ => assert_oauth(chunks, &read(answer), MALFORMED),
            }
            client.end().await;
        }
    }
}

async fn a_slow_head_is_cut_off(backend: Backend) {
    let limits = Limits { header_timeout: SOON, ..Limits::default() };
    let server = Server::start_with(backend, Options { limits, ..Options::default() }).await;
    let mut slow = Vec::new();
    for head in ["", "P", "POST /oauth/token HTTP/1.1\r\nHost: te", "GET /healthz HTTP/1.1\r\nHost: test\r\n"]
    {
        let mut client = raw::Client::connect(server.address()).await;
        client.send(head).await;
        slow.push(client);
    }
    for mut client in slow {
        client.end().await;
    }
}

async fn a_slow_body_is_told_so(backend: Backend) {
    let limits = Limits { body_timeout: SOON, ..Limits::default() };
    let server = Server::start_with(backend, Options { limits, ..Options::default() }).await;
    let admin = format!("{JSON}X-Api-Key: {}\r\n", server.admin_key);
    for whole in [request("POST", "/oauth/token", FORM, "a=b"), request("POST", KEYS, &admin, "{}")] {
        let mut client = raw::Client::connect(server.address()).await;
        let answer = client.ask(&whole[..whole.len() - 1]).await;
        assert!(answer.closes(), "{}", answer.head);
        match whole.ends_with(b"{}") {
            true => assert_api("half an object", &read(answer), TOO_SLOW),
            false => assert_oauth("half a form", &read(answer), TOO_SLOW),
        }
        client.end().await;
    }
}

async fn every_answer_has_an_id_of_its_own(backend: Backend) {
    let scene = Scene::set(backend).await;
    let guess = format!("grant_type=client_credentials&client_id={}&client_secret=guess", scene.id);
    for _ in 0..10 {
        scene.post("/oauth/token", "", &guess).await;
    }
    let mut ids = BTreeSet::new();
    for (method, target, fields, body, status) in [
        ("GET", "/healthz", "", "", 200),
        ("GET", "/healthz", "X-Request-Id: mine\r\n", "", 200),
        ("GET", "/.well-known/jwks.json", "If-None-Match: *\r\n", "", 304),
        ("GET", "/nonesuch", "", "", 404),
        ("OPTIONS", "*", "", "", 404),
        ("POST", "/healthz", "", "", 405),
        ("GET", "/oauth/token", "", "", 405),
        ("POST", "/oauth/token", "", "", 400),
        ("POST", "/oauth/token", FORM, "", 401),
        ("POST", "/oauth/token", FORM, &guess, 429),
        ("GET", "/v1/self", "", "", 401),
        ("GET", "/v1/self", "X-Api-Key: {admin}\r\n", "", 200),
        ("GET", "/v1/self?x", "X-Api-Key: {admin}\r\n", "", 400),
        ("POST", KEYS, "X-Api-Key: {admin}\r\n", "x", 415),
        ("POST", KEYS, "X-Api-Key: {admin}\r\n", &"x".repeat(300_000), 413),
    ] {
        let fields = fields.replace("{admin}", &scene.server.admin_key);
        let answer = exchange(&scene.server, request(method, target, &fields, body)).await;
        assert_eq!(answer.status, status, "{method} {target} {fields:?}: {}", answer.text);
        let id = answer.header("x-request-id").to_owned();
        assert_eq!(id.trim_matches(|digit: char| digit.is_ascii_hexdigit()), "", "{method} {target}: {id:?}");
        assert!(id.len() == 24 && ids.insert(id), "{method} {target}: {answer:?}");
    }
    scene.server.clock.advance(31);
    assert_api("the store was not heard from", &scene.ask("GET", "/v1/self").await, (503, "unavailable"));
}
