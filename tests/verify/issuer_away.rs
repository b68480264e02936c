//! Issuers that are away, that are slow, and that are others than they should be.

use std::collections::HashSet;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use claviger::jose::claims::TokenFault;
use claviger::verify::{Refusal, Unavailable, Verifier};
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use crate::relay::Relay;
use crate::support::{Backend, Server, forged, in_time, on_both, until};
use crate::world::{World, heard_now, verdict};

on_both!(
    an_issuer_that_comes_later_is_waited_for,
    unknown_keys_cause_one_fetch,
    keys_are_kept_while_the_issuer_is_away,
    signing_keys_rotate_without_anybody_noticing,
    signing_keys_rotate_under_load,
);

async fn an_issuer_that_comes_later_is_waited_for(backend: Backend) {
    let world = World::new(backend).await;
    let (_, token) = world.key_and_token(&["read:*"]).await;
    world.relay.cut();
    let verifier = world.builder().build().unwrap();
    let before = verdict(&verifier, &token).await.unwrap_err();
    assert_eq!(before, Refusal::Unavailable(Unavailable::NotReady));
    assert!(!verifier.is_ready());
    world.relay.lead_to(world.server.address());
    in_time("the verifier hears of its issuer", verifier.ready()).await;
    verdict(&verifier, &token).await.unwrap();
}

async fn unknown_keys_cause_one_fetch(backend: Backend) {
    let world = World::new(backend).await;
    let verifier = world.verifier().await;
    let elsewhere = Server::start(backend).await;
    let (_, key) = elsewhere.key(&["read:*"]).await;
    let foreign = elsewhere.client().access_token(&key, "").await;
    let before = world.relay.connections();
    for _ in 0..100 {
        let refused = verdict(&verifier, &foreign).await.unwrap_err();
        assert_eq!(refused, Refusal::Token(TokenFault::UnknownKey));
    }
    // Metadata and keys, once.
    assert_eq!(world.relay.connections() - before, 2);
}

async fn keys_are_kept_while_the_issuer_is_away(backend: Backend) {
    let world = World::new(backend).await;
    let verifier = world.verifier().await;
    let (_, token) = world.key_and_token(&["read:*"]).await;
    world.relay.cut();
    let unknown = verdict(&verifier, &forged(&token)).await.unwrap_err();
    assert!(matches!(unknown, Refusal::Token(_)));
    verdict(&verifier, &token).await.unwrap();
}

async fn signing_keys_rotate_without_anybody_noticing(backend: Backend) {
    let world = World::new(backend).await;
    let warm = world.verifier().await;
    let (_, key) = world.server.key(&["read:*"]).await;
    let old = world.server.client().access_token(&key, "").await;
    verdict(&warm, &old).await.unwrap();
    let rotated = world.server.admin().post_json("/v1/signing-keys/rotate", &json!({})).await;
    assert_eq!(rotated.status, 201, "{}", rotated.text);
    let mut fresh = old.clone();
    // The new key is published first, and signs after longer than any cache lives.
    while kid(&fresh) == kid(&old) {
        world.server.advance(60).await;
        fresh = world.server.client().access_token(&key, "").await;
    }
    let cold = world.verifier().await;
    verdict(&cold, &fresh).await.unwrap();
    // The warm one read the key set long before that, in its own time, and once more now.
    heard_now(&world, &warm).await;
    verdict(&warm, &fresh).await.unwrap();
}

/// Tokens are issued and verified all the time, by verifiers old and new, while a rotation runs its whole course.
async fn signing_keys_rotate_under_load(backend: Backend) {
    let world = Arc::new(World::new(backend).await);
    let warm = world.verifier().await;
    let (_, key) = world.server.key(&["read:*"]).await;
    let rotated = world.server.admin().post_json("/v1/signing-keys/rotate", &json!({})).await;
    assert_eq!(rotated.status, 201, "{}", rotated.text);
    let (is_over, verified) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
    let mut load = JoinSet::new();
    for at in 0..4 {
        let (world, is_over, key) = (Arc::clone(&world), Arc::clone(&is_over), key.clone());
        let verified = Arc::clone(&verified);
        let warm = (at % 2 == 0).then(|| warm.clone());
        load.spawn(async move {
            let mut kids = HashSet::new();
            while !is_over.load(Ordering::SeqCst) {
                let verifier = match &warm {
                    Some(warm) => warm.clone(),
                    None => world.verifier().await,
                };
                let token = world.server.client().access_token(&key, "").await;
                // The clock moves on meanwhile, and a feed that is held back is old at once.
                match verdict(&verifier, &token).await {
                    Ok(_) | Err(Refusal::Unavailable(Unavailable::Stale)) => {}
                    Err(refusal) => panic!("a good token is refused: {refusal}"),
                }
                kids.insert(kid(&token));
                verified.fetch_add(1, Ordering::SeqCst);
            }
            kids
        });
    }
    // Two hours, the lead of the next key, and a while after it.
    for _ in 0..300 {
        let before = verified.load(Ordering::SeqCst);
        world.server.advance(25).await;
        until("the load goes on", async || verified.load(Ordering::SeqCst) >= before + 4).await;
    }
    let (_, token) = world.key_and_token(&["read:*"]).await;
    heard_now(&world, &warm).await;
    verdict(&warm, &token).await.unwrap();
    is_over.store(true, Ordering::SeqCst);
    let mut kids = HashSet::new();
    for seen in in_time("the load ends", load.join_all()).await {
        kids.extend(seen);
    }
    assert_eq!(kids.len(), 2, "tokens of both keys were verified");
}

fn kid(token: &str) -> String {
    claviger::jose::jws::UnverifiedJws::parse(token).unwrap().header().kid().to_owned()
}

/// An issuer that answers everything in the same way.
async fn odd_issuer(answer: &'static [u8]) -> (SocketAddr, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let asked = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&asked);
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            count.fetch_add(1, Ordering::SeqCst);
            tokio::spawn(async move {
                let _ = stream.read(&mut [0; 4096]).await;
                let _ = stream.write_all(answer).await;
            });
        }
    });
    (address, asked)
}

#[tokio::test]
async fn what_is_no_metadata_is_not_believed() {
    let elsewhere = Relay::new().await;
    let redirect: &'static [u8] = format!(
        "HTTP/1.1 302 Found\r\nLocation: {}/\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
        elsewhere.url()
    )
    .leak()
    .as_bytes();
    let long: &'static [u8] =
        format!("HTTP/1.1 200 OK\r\nContent-Length: 300000\r\n\r\n{}", " ".repeat(300_000)).leak().as_bytes();
    let answers: [&'static [u8]; 5] = [
        redirect,
        long,
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}",
        b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\nConnection: close\r\n\r\nnot JSON!",
        b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
    ];
    for answer in answers {
        let (address, asked) = odd_issuer(answer).await;
        let of = Verifier::builder(format!("http://{address}"), "urn:api");
        let verifier = of.any_organization().any_environment().build().unwrap();
        until("the issuer is asked twice", async || asked.load(Ordering::SeqCst) >= 2).await;
        assert!(!verifier.is_ready());
    }
    assert_eq!(elsewhere.connections(), 0, "a redirect was followed");
}

#[tokio::test]
async fn nothing_goes_on_when_the_last_verifier_is_gone() {
    let (address, asked) =
        odd_issuer(b"HTTP/1.1 500 Oh\r\nContent-Length: 0\r\nConnection: close\r\n\r\n").await;
    let of = Verifier::builder(format!("http://{address}"), "urn:api");
    let verifier = of.any_organization().any_environment().build().unwrap();
    until("the issuer is asked", async || asked.load(Ordering::SeqCst) >= 1).await;
    let tasks = tokio::runtime::Handle::current().metrics().num_alive_tasks();
    drop(verifier);
    until("the tasks end", async || {
        tokio::runtime::Handle::current().metrics().num_alive_tasks() <= tasks - 3
    })
    .await;
}
