//! Measures memory over time: runs a server under mixed load and checks whether its memory levels off.
//!
//! `cargo bench --bench soak -- 30` runs for thirty minutes and prints the resident memory once a minute. It fails if
//! the last quarter of the time needs clearly more memory than the quarter before. Revocations are kept for 15 minutes,
//! so a run of less than 30 minutes can't level off and only prints. Words such as `tokens` or `feed` run only these
//! kinds of load, and `postgres` uses PostgreSQL.

#![allow(
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "a benchmark measures real time, and prints what it measured"
)]

#[path = "../support/arguments.rs"]
mod arguments;
mod load;
#[path = "../../tests/support/postgres.rs"]
#[allow(dead_code, unreachable_pub)]
mod postgres;
#[path = "../support/process.rs"]
#[allow(dead_code)]
mod process;
#[path = "../support/seed.rs"]
#[allow(dead_code)]
mod seed;

use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

use self::arguments::Arguments;
use self::load::{Kind, Load};
use self::process::Server;
use self::seed::{Database, Shape, Store};

const KEYS: u32 = 20_000;
const COST: (u32, u32) = (8, 1);
const MINUTES: u64 = 30;

/// The shortest run in minutes that can level off: revoked tokens and keys are kept for 15 minutes.
const LEVEL_AFTER_MINUTES: u64 = 30;

/// The allowed growth from the third quarter to the last.
const GROWTH: f64 = 1.05;

fn main() -> ExitCode {
    let arguments = Arguments::read();
    if arguments.is_test() {
        return ExitCode::SUCCESS;
    }
    let minutes = arguments.number().unwrap_or(MINUTES);
    let kinds: Vec<Kind> = match Kind::ALL.into_iter().filter(|kind| arguments.has(kind.name())).collect() {
        none if Vec::is_empty(&none) => Kind::ALL.to_vec(),
        some => some,
    };
    let name = if arguments.has("postgres") { "postgres" } else { "sqlite" };
    let Some(database) = seed::databases(&arguments).find(|database| database.name() == name) else {
        println!("{name} is missing");
        return ExitCode::FAILURE;
    };
    process::pin_load();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(soak(&database, &kinds, minutes))
}

async fn soak(database: &Database, kinds: &[Kind], minutes: u64) -> ExitCode {
    let store = Store::of(database, KEYS, COST, Shape::Together).await;
    let mut settings = store.settings();
    settings.extend([("CLAVIGER_ARGON2_MEMORY", "8"), ("CLAVIGER_ARGON2_PASSES", "1")]);
    let server = Server::claviger(store.folder.path(), &settings);
    println!("{}: {KEYS} keys, {minutes} minutes of {kinds:?}", database.name());
    println!("{:>6} {:>8} {:>10} {:>8}", "minute", "MiB", "answers", "refused");
    println!("{:>6} {:>8}", 0, server.resident_mib());
    let load = Arc::new(Load::new(server.address, &store));
    let work = load.start(kinds);
    let (begun, samples_a_minute) = (Instant::now(), 6);
    let mut samples = Vec::new();
    for minute in 1..=minutes {
        for sample in 1..=samples_a_minute {
            let next = Duration::from_secs((minute - 1) * 60 + sample * 60 / samples_a_minute);
            tokio::time::sleep_until((begun + next).into()).await;
            samples.push(server.resident_mib());
        }
        let (answers, refused) = load.counts();
        println!("{minute:>6} {:>8} {answers:>10} {refused:>8}", server.resident_mib());
    }
    drop(work);
    let quarter = samples.len() / 4;
    let mean = |samples: &[u64]| samples.iter().sum::<u64>() as f64 / samples.len().max(1) as f64;
    let before = mean(&samples[samples.len() - 2 * quarter..samples.len() - quarter]);
    let last = mean(&samples[samples.len() - quarter..]);
    println!("the last quarter needs {last:.0} MiB, the one before {before:.0} MiB: {:.2} ×", last / before);
    if minutes >= LEVEL_AFTER_MINUTES && last > before * GROWTH {
        println!("memory does not level off: more than {GROWTH} ×");
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}
