//! Measures the cold path, which are keys whose secrets this process has not seen, and the memory of many keys.

use std::sync::Arc;
use std::time::Duration;

use crate::Plan;
use crate::load::{Pace, run, token_request};
use crate::process::Server;
use crate::seed::{Database, Shape, Store};

/// Good clients, and their requests per second.
const GOOD: u32 = 100;
const GOOD_RATE: f64 = 1_000.0;
const ATTACKERS: usize = 1_000;
/// The time that all cold connections need to connect and wait.
const HEAD_START: Duration = Duration::from_secs(3);

pub(crate) async fn measure(database: &Database, plan: Plan) {
    cold_rate(database).await;
    beside_cold_ones(database, plan).await;
    memory(database, plan).await;
}

/// Cold keys per second, at the cost that OWASP recommends for passwords and at the default one.
async fn cold_rate(database: &Database) {
    for (name, cost) in [("a password's cost", (19_456, 2)), ("the default cost", (8, 1))] {
        let store = Store::of(database, 100_000, cost, Shape::Together).await;
        let server = server(&store, cost);
        let outcome =
            run(server.address, cold_requests(&store, 0..100_000), 32, Duration::from_secs(3), Pace::Closed)
                .await;
        println!(
            "cold keys at {name} (m={}, t={}): {:.0}/s, p99 {:.1} ms",
            cost.0,
            cost.1,
            outcome.rate(),
            f64::from(outcome.quantile(0.99)) / 1e3
        );
    }
}

/// The p99 of good clients alone, and beside a thousand connections with cold keys.
async fn beside_cold_ones(database: &Database, plan: Plan) {
    let store = Store::of(database, 100_000, (19_456, 2), Shape::Together).await;
    let server = server(&store, (19_456, 2));
    let good = cold_requests(&store, 0..GOOD);
    let duration = Duration::from_millis(plan.turn_ms * 2);
    // Runs until every key's secret is verified.
    run(server.address, Arc::clone(&good), 8, Duration::from_secs(5), Pace::Closed).await;
    let idle = run(server.address, Arc::clone(&good), 16, duration, Pace::Open(GOOD_RATE)).await;
    let attack = tokio::spawn(run(
        server.address,
        cold_requests(&store, GOOD..100_000),
        ATTACKERS,
        HEAD_START + duration + Duration::from_secs(1),
        Pace::Closed,
    ));
    tokio::time::sleep(HEAD_START).await;
    let beside = run(server.address, good, 16, duration, Pace::Open(GOOD_RATE)).await;
    let attack = attack.await.expect("the attack");
    let (idle, beside) = (f64::from(idle.quantile(0.99)), f64::from(beside.quantile(0.99)));
    println!(
        "good clients' p99: {idle:.0} µs alone, {beside:.0} µs beside {ATTACKERS} connections of cold keys: {:.1} × ({} cold tokens, {} turned away)",
        beside / idle,
        attack.good,
        attack.other
    );
}

/// The memory of many keys in use, and the time of a start over many stored keys.
async fn memory(database: &Database, plan: Plan) {
    let cost = (8, 1);
    let store = Store::of(database, plan.many_keys, cost, Shape::Together).await;
    let server = server(&store, cost);
    let before = server.resident_mib();
    let requests = cold_requests(&store, 0..plan.keys_in_use);
    let mut used = 0;
    while used < u64::from(plan.keys_in_use) {
        // Each turn starts from the first key, since verified keys cost almost nothing.
        used =
            run(server.address, Arc::clone(&requests), 32, Duration::from_secs(30), Pace::Closed).await.good;
    }
    println!(
        "{} keys stored: ready {:.2} s after the start, {before} MiB; with {} in use {} MiB",
        plan.many_keys,
        server.started_in,
        plan.keys_in_use,
        server.resident_mib()
    );
}

fn server(store: &Store, (memory, passes): (u32, u32)) -> Server {
    let (memory, passes) = (memory.to_string(), passes.to_string());
    let mut settings = store.settings();
    settings
        .extend([("CLAVIGER_ARGON2_MEMORY", memory.as_str()), ("CLAVIGER_ARGON2_PASSES", passes.as_str())]);
    Server::claviger(store.folder.path(), &settings)
}

fn cold_requests(store: &Store, numbers: std::ops::Range<u32>) -> Arc<Vec<Vec<u8>>> {
    Arc::new(numbers.map(|number| store.key(number)).map(|(id, key)| token_request(&id, &key)).collect())
}
