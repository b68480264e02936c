//! The limit on connections.

use std::num::NonZeroU32;

use claviger::listener::Limits;

use crate::client::GET;
use crate::server::{Server, patient};

#[tokio::test]
async fn one_connection_too_many_waits_until_another_leaves() {
    let server = Server::start(Limits { connections: NonZeroU32::new(2).unwrap(), ..patient() });
    let (mut first, mut second) = (server.connect().await, server.connect().await);
    first.ask(GET).await;
    second.ask(GET).await;

    let mut third = server.connect().await;
    third.send(GET).await;
    tokio::select! {
        biased;
        _ = third.answer() => panic!("a third connection was served"),
        () = async { for _ in 0..200 { first.ask(GET).await; } } => {}
    }
    drop(first);
    assert_eq!(third.answer().await.status, 200);
    assert_eq!(second.ask(GET).await.status, 200);
}

#[tokio::test]
async fn connections_are_counted() {
    let server = Server::start(patient());
    for _ in 0..5 {
        server.connect().await.ask(GET).await;
    }
    let report = server.shut_down().report().await;
    assert_eq!((report.connections, report.aborted), (5, 0));
}
