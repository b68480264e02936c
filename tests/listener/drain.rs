//! The end: no request is lost.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use claviger::listener::Limits;
use tokio::net::TcpStream;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use crate::client::{Client, GET, GET_WAIT, in_time};
use crate::server::{NEVER, SOON, Server, patient};

const POST: &str = "POST /echo HTTP/1.1\r\nHost: test\r\nContent-Length: 4\r\n\r\nabcd";

/// Sends requests until an answer says that it is the last, and returns how many were answered.
async fn hammer(mut client: Client, answers: Arc<AtomicUsize>, many: Arc<Semaphore>, enough: usize) -> usize {
    let mut count = 0;
    loop {
        let answer = client.ask(if count % 2 == 0 { GET } else { POST }).await;
        assert_eq!(answer.status, 200);
        count += 1;
        if answers.fetch_add(1, Ordering::Relaxed) == enough {
            many.add_permits(1);
        }
        if answer.closes() {
            client.end().await;
            return count;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_request_of_busy_connections_is_lost() {
    const CONNECTIONS: usize = 300;
    for round in 0..8 {
        let server = Server::start(patient());
        let (answers, many) = (Arc::new(AtomicUsize::new(0)), Arc::new(Semaphore::new(0)));
        let mut clients = JoinSet::new();
        for _ in 0..CONNECTIONS {
            let client = server.connect().await;
            clients.spawn(hammer(client, Arc::clone(&answers), Arc::clone(&many), CONNECTIONS * (round + 1)));
        }
        in_time(many.acquire()).await.unwrap().forget();
        let ended = server.shut_down();
        let answered: usize = clients.join_all().await.into_iter().sum();
        assert_eq!(answered, answers.load(Ordering::Relaxed));
        let report = ended.report().await;
        assert_eq!((report.connections, report.aborted), (CONNECTIONS as u64, 0));
    }
}

/// What is connected by the time of the signal is answered, read by the listener or not: here most of it still
/// waits for a slot.
#[tokio::test]
async fn connections_in_the_accept_queue_are_answered() {
    let server = Server::start(Limits { connections: NonZeroU32::MIN, ..patient() });
    let mut first = server.connect().await;
    first.ask(GET).await;
    let mut queue = Vec::new();
    for _ in 0..50 {
        let mut client = server.connect().await;
        client.send(GET).await;
        queue.push(client);
    }
    let ended = server.shut_down();
    assert!(first.ask(GET).await.closes());
    drop(first);
    for mut client in queue {
        assert!(client.answer().await.closes());
        client.end().await;
    }
    assert_eq!(ended.report().await.connections, 51);
}

/// Another connection, at rest, is closed when the linger is over: what comes after that comes late.
#[tokio::test]
async fn a_request_half_received_at_the_end_of_the_linger_is_answered() {
    for (first_half, second_half) in [GET.split_at(1), GET.split_at(20), POST.split_at(POST.len() - 2)] {
        let server = Server::start(Limits { drain_linger: SOON, ..patient() });
        let (mut halfway, mut at_rest) = (server.connect().await, server.connect().await);
        halfway.ask(GET).await;
        at_rest.ask(GET).await;
        halfway.send(first_half).await;
        let ended = server.shut_down();
        at_rest.end().await;
        let answer = halfway.ask(second_half).await;
        assert_eq!((answer.status, answer.closes()), (200, true));
        halfway.end().await;
        assert_eq!(ended.report().await.aborted, 0);
    }
}

#[tokio::test]
async fn a_request_half_received_on_a_fresh_connection_is_answered() {
    let server = Server::start(Limits { drain_linger: SOON, ..patient() });
    let (mut halfway, mut silent) = (server.connect().await, server.connect().await);
    halfway.send(&GET[..10]).await;
    let ended = server.shut_down();
    silent.end().await;
    assert!(halfway.ask(&GET[10..]).await.closes());
    assert_eq!(ended.report().await.aborted, 0);
}

/// Its task has no chance to hear of the end before it answers.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_is_the_last_as_soon_as_the_listener_says_that_it_ends() {
    let server = Server::start(patient());
    let mut client = server.connect().await;
    client.send(GET_WAIT.replace("/wait", "/wait-at-work")).await;
    server.one_waits().await;
    let gate = Arc::clone(&server.gate);
    let mut ended = server.shut_down();
    ended.begun().await;
    gate.add_permits(1);
    assert!(client.answer().await.closes());
    assert_eq!(ended.report().await.aborted, 0);
}

#[tokio::test]
async fn a_request_with_the_service_is_answered() {
    let server = Server::start(Limits { drain_linger: SOON, ..patient() });
    let (mut waits, mut at_rest) = (server.connect().await, server.connect().await);
    waits.send(GET_WAIT).await;
    server.one_waits().await;
    at_rest.ask(GET).await;
    let gate = Arc::clone(&server.gate);
    let ended = server.shut_down();
    at_rest.end().await;
    gate.add_permits(1);
    let answer = waits.answer().await;
    assert_eq!((answer.body.as_slice(), answer.closes()), (&b"waited"[..], true));
    assert_eq!(ended.report().await.aborted, 0);
}

#[tokio::test]
async fn a_request_within_the_linger_is_answered_and_the_last() {
    let server = Server::start(patient());
    let mut client = server.connect().await;
    client.ask(GET).await;
    let address = server.address;
    let ended = server.shut_down();
    while TcpStream::connect(address).await.is_ok() {}
    assert!(client.ask(GET).await.closes());
    client.end().await;
    assert_eq!(ended.report().await.aborted, 0);
}

#[tokio::test]
async fn what_never_ends_is_cut_off_at_the_deadline() {
    for drain_linger in [Duration::ZERO, NEVER] {
        let server = Server::start(Limits { drain_linger, drain_deadline: SOON, ..patient() });
        let mut waits = server.connect().await;
        waits.send(GET_WAIT).await;
        server.one_waits().await;
        let mut halfway = server.connect().await;
        halfway.send(&GET[..10]).await;
        let report = server.shut_down().report().await;
        assert_eq!((report.connections, report.aborted), (2, 2));
        waits.end().await;
        halfway.end().await;
    }
}
