//! SIGTERM answers what was accepted.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::json;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use crate::support::{Backend, Claviger, Client, Database, Postgres, in_time, on_both, until};

on_both!(sigterm_under_load_answers_everything, sigterm_lets_go_of_those_who_wait_for_news);

/// Answers that are held back until there is news are given at once, and nobody is kept waiting.
async fn sigterm_lets_go_of_those_who_wait_for_news(backend: Backend) {
    let database = backend.fresh().await;
    let server = Claviger::over(&database).serve();
    let name = settled(&server.client()).await;
    let request = format!(
        "GET /oauth/revocations HTTP/1.1\r\nHost: test\r\nPrefer: wait=10\r\nIf-None-Match: {name}\r\n\r\n"
    );
    let mut waiting = Vec::new();
    for _ in 0..20 {
        let mut connection = Connection::to(server.address).await;
        connection.send(&request).await;
        waiting.push(connection);
    }
    let begun = std::time::Instant::now();
    server.signal("TERM");
    for connection in &mut waiting {
        let answer = in_time("an answer that was held", connection.answer()).await;
        assert_eq!((answer.status, answer.is_last), (200, true));
    }
    let (status, _) = server.end();
    assert!(status.success(), "{status}");
    // Sooner than any of them would have come by itself.
    assert!(begun.elapsed() < std::time::Duration::from_secs(8), "{:?}", begun.elapsed());
}

async fn sigterm_under_load_answers_everything(backend: Backend) {
    let database = backend.fresh().await;
    let server = Claviger::over(&database).serve();
    let (admin_key, (_, key)) = (server.admin_key(), server.admin().create_key(&["read:*"]).await);
    let token = post("/oauth/token", "", &format!("grant_type=client_credentials&client_secret={key}"));
    let new_key = json!({ "name": "x", "project": "default", "environment": "prd", "preset": "query_only" });
    let bearer = format!("Authorization: Bearer {admin_key}\r\nContent-Type: application/json\r\n");
    let create = post("/v1/orgs/default/keys", &bearer, &new_key.to_string());
    let answered = Arc::new(AtomicUsize::new(0));
    let mut clients = JoinSet::new();
    for at in 0..12 {
        let (request, answered) = ([&token, &create][at % 2].clone(), Arc::clone(&answered));
        clients.spawn(ask_until_told_to_go(server.address, request, answered));
    }
    until("there is load", async || answered.load(Ordering::Relaxed) > 200).await;
    let mut halfway = Connection::to(server.address).await;
    halfway.send(&token[..20]).await;
    server.signal("TERM");
    halfway.send(&token[20..]).await;
    assert_eq!(in_time("what was half sent", halfway.answer()).await.status, 200);
    let created: i64 = in_time("every client", clients.join_all()).await.into_iter().sum();
    let (status, rest) = server.end();
    assert!(status.success() && rest.is_empty(), "{status}: {rest}");
    // The administrator's key and the first one were there before.
    assert_eq!(database.number("SELECT COUNT(*) FROM api_keys").await, created + 2);
}

/// The name of what the feed says, once the start is over and it says the same for a second.
async fn settled(client: &Client) -> String {
    let mut name = client.get("/oauth/revocations").await.header("etag").to_owned();
    loop {
        let waiting = client.with("if-none-match", &name).with("prefer", "wait=1");
        let next = waiting.get("/oauth/revocations").await.header("etag").to_owned();
        if next == name {
            return name;
        }
        name = next;
    }
}

/// Sends one request after the other on one connection, until an answer says that it is the last. Returns
/// how many answers were about something created.
async fn ask_until_told_to_go(address: SocketAddr, request: String, answered: Arc<AtomicUsize>) -> i64 {
    let mut connection = Connection::to(address).await;
    let mut created = 0;
    loop {
        connection.send(&request).await;
        let answer = connection.answer().await;
        assert!(matches!(answer.status, 200 | 201), "{}", answer.status);
        created += i64::from(answer.status == 201);
        answered.fetch_add(1, Ordering::Relaxed);
        if answer.is_last {
            return created;
        }
    }
}

fn post(path: &str, headers: &str, body: &str) -> String {
    let length = body.len();
    let form = "Content-Type: application/x-www-form-urlencoded\r\n";
    let headers = if headers.is_empty() { form } else { headers };
    format!("POST {path} HTTP/1.1\r\nHost: test\r\n{headers}Content-Length: {length}\r\n\r\n{body}")
}

/// A connection on which nothing is sent twice, as other clients do behind one's back.
struct Connection(BufReader<TcpStream>);

struct Answer {
    status: u16,
    is_last: bool,
}

impl Connection {
    async fn to(address: SocketAddr) -> Self {
        Self(BufReader::new(TcpStream::connect(address).await.expect("a connection")))
    }

    async fn send(&mut self, text: &str) {
        self.0.get_mut().write_all(text.as_bytes()).await.expect("a connection that is open");
    }

    async fn answer(&mut self) -> Answer {
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            assert_ne!(self.0.read_line(&mut head).await.expect("text"), 0, "no answer after {head:?}");
        }
        let head = head.to_ascii_lowercase();
        let value = |name: &str| head.lines().find_map(|line| line.strip_prefix(name));
        let length = value("content-length: ").expect("a length").parse().expect("a number");
        self.0.read_exact(&mut vec![0; length]).await.expect("a whole body");
        let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("a status");
        Answer { status, is_last: value("connection: close").is_some() }
    }
}

#[tokio::test]
async fn sigterm_ends_in_its_nine_seconds_over_a_silent_store() {
    if Backend::postgres().is_none() {
        return;
    }
    let mut postgres = Postgres::own().expect("asked for before");
    let database = Database::on(&postgres).await;
    let server = Claviger::over(&database).serve();
    let (_, key) = server.admin().create_key(&["read:*"]).await;
    postgres.freeze();
    let mut waiting = Connection::to(server.address).await;
    waiting
        .send(&post("/oauth/token", "", &format!("grant_type=client_credentials&client_secret={key}")))
        .await;
    let begun = std::time::Instant::now();
    server.signal("TERM");
    assert_eq!(in_time("the answer", waiting.answer()).await.status, 503);
    let ended = tokio::task::spawn_blocking(|| server.end());
    let (status, _) = in_time("the end", ended).await.expect("an end");
    assert!(status.success(), "{status}");
    // Nine, and what it takes to notice it: ten is when `docker stop` kills.
    assert!(begun.elapsed() < std::time::Duration::from_secs(10), "{:?}", begun.elapsed());
}
