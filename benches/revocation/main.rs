//! Measures how long a revoked key still passes: from the response to the revocation until the last of ten verifiers
//! refuses the key's token.
//!
//! `cargo bench --bench revocation` prints this time for verifiers that follow the revoking node, and for verifiers
//! that follow another node; for a server that is killed and restarted in between; for a feed that is cut, with running
//! and with stopped clocks; and for 10,000 followers of one node. `-- quick` does less.

#![allow(
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "a benchmark measures real time, and prints what it measured"
)]

#[path = "../support/arguments.rs"]
mod arguments;
mod deployment;
mod followers;
#[path = "../../tests/support/postgres.rs"]
#[allow(dead_code, unreachable_pub)]
mod postgres;
#[path = "../support/process.rs"]
#[allow(dead_code)]
mod process;
#[path = "../../tests/support/relay.rs"]
#[allow(dead_code, unreachable_pub)]
mod relay;
mod verifiers;

use std::time::{Duration, Instant};

use self::arguments::Arguments;
use self::deployment::{Deployment, Node};
use self::postgres::Postgres;
use self::relay::Relay;
use self::verifiers::Verifiers;

/// The number of repetitions.
struct Plan {
    revocations: usize,
    restarts: usize,
    followers: usize,
}

const FULL: Plan = Plan { revocations: 200, restarts: 10, followers: 10_000 };
const QUICK: Plan = Plan { revocations: 10, restarts: 2, followers: 500 };

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() {
    let arguments = Arguments::read();
    if arguments.is_test() {
        return;
    }
    process::pin_load();
    let plan = if arguments.has("quick") { QUICK } else { FULL };
    // A store belongs to one issuer, which each part chooses for itself.
    same_node(&Deployment::on_sqlite(), &plan).await;
    restarted(&Deployment::on_sqlite(), &plan).await;
    match Postgres::own() {
        Some(server) => other_node(&Deployment::on_postgres(&server).await, &plan).await,
        None => println!("left out: PostgreSQL is missing"),
    }
    cut(&Deployment::on_sqlite()).await;
    followers::measure(&Deployment::on_sqlite(), plan.followers).await;
}

async fn same_node(deployment: &Deployment, plan: &Plan) {
    let node = deployment.start();
    let verifiers = Verifiers::of(&node.issuer).await;
    let mut times = Vec::new();
    for _ in 0..plan.revocations {
        times.push(revoke_and_wait(&node, &node, &verifiers).await);
    }
    say("the node that revokes is followed", times);
}

async fn other_node(deployment: &Deployment, plan: &Plan) {
    let followed = deployment.start();
    let revoking = deployment.start_beside(&followed);
    let verifiers = Verifiers::of(&followed.issuer).await;
    let mut times = Vec::new();
    for _ in 0..plan.revocations {
        times.push(revoke_and_wait(&followed, &revoking, &verifiers).await);
    }
    say("another node revokes, PostgreSQL", times);
}

/// The server is killed and restarted, and gets a revocation at once.
async fn restarted(deployment: &Deployment, plan: &Plan) {
    let mut node = deployment.start();
    let verifiers = Verifiers::of(&node.issuer).await;
    let mut times = Vec::new();
    for _ in 0..plan.restarts {
        let (id, token) = node.key_and_token().await;
        verifiers.accept(&token).await;
        node = deployment.restart(node);
        node.revoke(&id).await;
        times.push(verifiers.until_all_refuse(&token).await);
    }
    say("the server was killed and started again just before", times);
}

/// Measures the time from a cut of the feed until the last verifier refuses a token that it accepted before.
async fn cut(deployment: &Deployment) {
    let relay = Relay::new().await;
    let node = deployment.start_as(&relay.url());
    relay.lead_to(node.address);
    let verifiers = Verifiers::half_of_them_with_clocks_that_stand(&node.issuer).await;
    let (id, token) = node.key_and_token().await;
    verifiers.accept(&token).await;
    relay.cut();
    let begun = Instant::now();
    node.revoke(&id).await;
    verifiers.until_all_refuse(&token).await;
    println!(
        "the feed is cut, half of the clocks stand: the last refuses after {:.1} s",
        begun.elapsed().as_secs_f64()
    );
}

async fn revoke_and_wait(issuing: &Node, revoking: &Node, verifiers: &Verifiers) -> Duration {
    let (id, token) = issuing.key_and_token().await;
    verifiers.accept(&token).await;
    revoking.revoke(&id).await;
    verifiers.until_all_refuse(&token).await
}

fn say(what: &str, mut times: Vec<Duration>) {
    times.sort_unstable();
    let ms = |at: usize| times[at].as_secs_f64() * 1e3;
    let last = times.len() - 1;
    println!(
        "{what}: median {:.1} ms, p99 {:.1} ms, longest {:.1} ms of {}",
        ms(last / 2),
        ms(last * 99 / 100),
        ms(last),
        times.len()
    );
}
