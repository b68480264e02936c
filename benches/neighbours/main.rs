//! Measures how much a tenant notices of a neighbour at its worst.
//!
//! `cargo bench --bench neighbours` prints the p99 of a quiet tenant's warm token requests for each kind of noise by
//! another tenant, as a ratio of the p99 without noise. It does so for each available database, and for PostgreSQL at a
//! distance of five milliseconds. `-- quick` takes shorter turns, and `-- sqlite` or `-- postgres` selects one
//! database.
//!
//! Cheap requests come at a rate that leaves the processor idle half of the time, since limiting a flood is a proxy's
//! task. Expensive requests come over many connections without a pause.

#![allow(
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "a benchmark measures real time, and prints what it measured"
)]

#[path = "../support/arguments.rs"]
mod arguments;
#[path = "../../tests/support/distance.rs"]
#[allow(dead_code, unreachable_pub)]
mod distance;
#[path = "../token/load.rs"]
#[allow(dead_code)]
mod load;
mod noise;
#[path = "../../tests/support/postgres.rs"]
#[allow(dead_code, unreachable_pub)]
mod postgres;
#[path = "../support/process.rs"]
#[allow(dead_code)]
mod process;
#[path = "../support/seed.rs"]
#[allow(dead_code)]
mod seed;

use std::net::SocketAddr;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use self::arguments::Arguments;
use self::load::{Outcome, Pace, run};
use self::noise::{Noise, Tenants};
use self::process::Server;
use self::seed::{Database, Shape, Store};

/// The number of the noisy tenant's keys.
const KEYS: u32 = 2_500;

/// The least cost of a hash, since hashing is not measured here.
const COST: (u32, u32) = (8, 1);

/// The quiet tenant's connections, and its requests per second.
const QUIET: (usize, f64) = (8, 400.0);

/// The time that the noise needs to start.
const HEAD_START: Duration = Duration::from_millis(500);

fn main() -> ExitCode {
    let arguments = Arguments::read();
    if arguments.is_test() {
        return ExitCode::SUCCESS;
    }
    let turn = Duration::from_secs(if arguments.has("quick") { 3 } else { 10 });
    // The load never sleeps. If it shared a processor with PostgreSQL, it would measure how long it waits itself.
    let databases: Vec<Database> = process::beside_the_server(|| seed::databases(&arguments).collect());
    process::pin_load();
    // A separate thread delays the database, because `measure` blocks the main thread until the server has started.
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .expect("a runtime");
    for database in databases {
        let distances: &[u64] = if matches!(database, Database::Sqlite) { &[0] } else { &[0, 5] };
        for &milliseconds in distances {
            println!("\n# {}, {milliseconds} ms away", database.name());
            runtime.block_on(measure(&database, Duration::from_millis(milliseconds), turn));
        }
    }
    ExitCode::SUCCESS
}

async fn measure(database: &Database, distance: Duration, turn: Duration) {
    let store = Store::of(database, KEYS, COST, Shape::Together).await;
    let url = if distance.is_zero() { store.url.clone() } else { far(&store.url, distance).await };
    let (memory, passes) = (COST.0.to_string(), COST.1.to_string());
    let settings = [
        ("CLAVIGER_DATABASE_URL", &*url),
        ("CLAVIGER_ARGON2_MEMORY", &*memory),
        ("CLAVIGER_ARGON2_PASSES", &*passes),
    ];
    let server = Server::claviger(store.folder.path(), &settings);
    let tenants = Tenants::of(&server, &store).await;
    for noise in Noise::ALL {
        let requests = tenants.requests(noise).await;
        // Both are measured in one stretch, so that other work on the machine affects both about equally.
        let idle = quiet(server.address, &tenants, turn - HEAD_START).await;
        let (connections, pace) = noise.pace();
        let duration = HEAD_START + turn;
        let noisy = tokio::spawn(run(server.address, requests, connections, duration, pace));
        tokio::time::sleep(HEAD_START).await;
        let beside = quiet(server.address, &tenants, turn - HEAD_START).await;
        let noisy = noisy.await.expect("the noise");
        println!(
            "{noise:?}: p99 {} µs, {:.1} × the idle {} µs; refused: {:?}; the noise: {} good, others {:?}",
            beside.quantile(0.99),
            f64::from(beside.quantile(0.99)) / f64::from(idle.quantile(0.99)),
            idle.quantile(0.99),
            beside.refused,
            noisy.good,
            noisy.refused,
        );
    }
}

async fn quiet(address: SocketAddr, tenants: &Tenants, duration: Duration) -> Outcome {
    let (connections, rate) = QUIET;
    run(address, Arc::clone(&tenants.quiet), connections, duration, Pace::Open(rate)).await
}

/// The URL of the same database at this distance.
async fn far(url: &str, distance: Duration) -> String {
    let (before, behind) = url.split_once("127.0.0.1:").expect("an address");
    let (port, name) = behind.split_once('/').expect("a name");
    let server = SocketAddr::from(([127, 0, 0, 1], port.parse().expect("a port")));
    format!("{before}{}/{name}", distance::far_from(server, distance / 2).await.address)
}
