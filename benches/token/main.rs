//! Measures what a token costs, compared with the minimum for any server on this stack.
//!
//! `cargo bench --bench token` prints for each available database: the rate of `POST /oauth/token` with warm keys as a
//! ratio of the floor's, measured in turns in one run; the same with metrics, as a ratio of the rate without; the server's CPU per token; the p99 at half load; the same with
//! a million keys in the store; the cold path; memory and start time; and the rate of clients without a secret
//! (`private_key_jwt`, tokens of a trusted issuer, DPoP), as a ratio of the rate of a floor that verifies as many
//! signatures. `-- quick` does less; `-- assertion`, `-- federation` and `-- dpop` measure these clients alone; and
//! `-- sqlite` or `-- postgres` selects one database.
//!
//! The server and the load each have their own processor (`taskset`), so that the ratio reflects only the servers.

#![allow(
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "a benchmark measures real time, and prints what it measured"
)]

#[path = "../support/arguments.rs"]
mod arguments;
mod cold;
mod contender;
mod floor;
mod load;
#[path = "../support/node.rs"]
#[allow(dead_code)]
mod node;
#[path = "../../tests/support/postgres.rs"]
#[allow(dead_code, unreachable_pub)]
mod postgres;
#[path = "../support/process.rs"]
#[allow(dead_code)]
mod process;
#[path = "../support/seed.rs"]
#[allow(dead_code)]
mod seed;
mod signing_clients;
mod steps;
mod warm;

use std::process::ExitCode;

use self::arguments::Arguments;
use self::signing_clients::Kind;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// The extent of the measurements.
#[derive(Clone, Copy, Debug)]
struct Plan {
    /// Turns of each of two servers.
    turns: u32,
    /// Milliseconds of each turn.
    turn_ms: u64,
    /// Keys in the large store.
    many_keys: u32,
    /// Keys in use in the large store, for its memory.
    keys_in_use: u32,
}

const FULL: Plan = Plan { turns: 15, turn_ms: 2_000, many_keys: 1_000_000, keys_in_use: 100_000 };
const QUICK: Plan = Plan { turns: 3, turn_ms: 1_000, many_keys: 20_000, keys_in_use: 2_000 };

fn main() -> ExitCode {
    let arguments = Arguments::read();
    if arguments.has("serve-floor") {
        return floor::serve();
    }
    if arguments.is_test() {
        return ExitCode::SUCCESS;
    }
    let plan = if arguments.has("quick") { QUICK } else { FULL };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    process::pin_load();
    for database in seed::databases(&arguments) {
        println!("\n# {}", database.name());
        let alone: Vec<Kind> = Kind::ALL.into_iter().filter(|kind| arguments.has(kind.name())).collect();
        if alone.is_empty() {
            let in_process = runtime.block_on(steps::measure(&database));
            runtime.block_on(warm::measure(&database, plan, in_process));
            runtime.block_on(cold::measure(&database, plan));
        }
        for kind in if alone.is_empty() { Kind::ALL.to_vec() } else { alone } {
            runtime.block_on(signing_clients::measure(&database, plan, kind));
        }
    }
    ExitCode::SUCCESS
}
