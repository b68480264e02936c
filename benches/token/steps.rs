//! Shows where a warm token's time goes: times each step of the use case in this process.

use std::net::Ipv4Addr;
use std::time::Instant;

use claviger::domain::address::{CallerAddress, Origin};
use claviger::node::{Presented, PresentedClient, PresentedFor};
use claviger::use_cases::token::{GrantRequest, client_credentials};

use crate::contender::median;
use crate::node::node;
use crate::seed::{Database, Shape, Store};

const ROUNDS: usize = 9;
const TIMES: usize = 4_000;
const CALLER: Origin<'static> = Origin {
    address: CallerAddress::Known(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST)),
    request_id: "000000000000000000000001",
};

/// Prints the microseconds of each step, and returns their sum.
pub(crate) async fn measure(database: &Database) -> f64 {
    let store = Store::of(database, 1_000, (8, 1), Shape::Together).await;
    let node = node(&store).await;
    let (id, key) = store.key(0);
    let presented = Presented { client_id: Some(&id), key: &key };
    let request = GrantRequest::default();
    let now = node.clock.now();
    let issuer = &node.deployment.issuer;
    let authenticator = &node.authenticator;
    let judged = authenticator.authenticate(presented, PresentedFor::Token, CALLER, now).await;
    let by = judged.expect("a good key");
    let ring = node.signer.keyring.ring();
    let signing_key = ring.signing(now).expect("a signing key").signer().key();
    let message = [b'x'; 500];

    let tag = microseconds(async || drop(node.master_keys.parse(&key))).await;
    let authenticate = microseconds(async || {
        drop(authenticator.authenticate(presented, PresentedFor::Token, CALLER, now).await);
    })
    .await;
    let grant = microseconds(async || drop(request.resolve(&by.cached, issuer))).await;
    let grant_and_issue = microseconds(async || {
        let grant = request.resolve(&by.cached, issuer).expect("a grant");
        drop(node.signer.issue(&by, grant, None, now));
    })
    .await;
    let signature = microseconds(async || drop(signing_key.sign(&message))).await;
    let whole = microseconds(async || {
        drop(
            client_credentials(
                &node.authenticator,
                &node.signer,
                PresentedClient::Secret(presented),
                CALLER,
                &request,
                now,
            )
            .await,
        )
    })
    .await;
    println!("where a token's time goes, in this process: {whole:.1} µs in all");
    println!("  {authenticate:.2} µs authenticating the key, of which {tag:.2} for its tag");
    println!("  {grant:.2} µs resolving the grant");
    println!("  {:.2} µs claims and encoding", grant_and_issue - grant - signature);
    println!("  {signature:.2} µs ring's signature");
    whole
}

/// The median over rounds of the mean over many calls.
async fn microseconds(step: impl AsyncFn()) -> f64 {
    let mut rounds = Vec::with_capacity(ROUNDS);
    for _ in 0..ROUNDS {
        let begun = Instant::now();
        for _ in 0..TIMES {
            step().await;
        }
        rounds.push(begun.elapsed().as_secs_f64() * 1e6 / TIMES as f64);
    }
    median(rounds.into_iter())
}
