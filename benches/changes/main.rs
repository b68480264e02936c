//! Measures what a change to an organization or a project costs with very many keys in memory.
//!
//! `cargo bench --bench changes` renames projects and organizations over HTTP, one after another, on two servers over
//! equal stores. One server is otherwise idle; the other holds 200,000 keys of those organizations and projects in
//! memory. The two take turns in one run. `-- quick` does less, and `-- sqlite` or `-- postgres` selects one database.

#![allow(
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "a benchmark measures real time, and prints what it measured"
)]

#[path = "../support/arguments.rs"]
mod arguments;
#[path = "../token/load.rs"]
#[allow(dead_code)]
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

use serde_json::json;

use self::arguments::Arguments;
use self::load::{Pace, run, token_request};
use self::process::Server;
use self::seed::{Database, Shape, Store};

#[derive(Clone, Copy, Debug)]
struct Plan {
    keys: u32,
    organizations: u32,
    /// The number of turns of each server, and of changes in each turn.
    turns: u32,
    changes: u32,
}

const FULL: Plan = Plan { keys: 200_000, organizations: 1_000, turns: 20, changes: 40 };
const QUICK: Plan = Plan { keys: 20_000, organizations: 200, turns: 5, changes: 20 };

fn main() -> ExitCode {
    let arguments = Arguments::read();
    if arguments.is_test() {
        return ExitCode::SUCCESS;
    }
    let plan = if arguments.has("quick") { QUICK } else { FULL };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    process::pin_load();
    for database in seed::databases(&arguments) {
        println!("\n# {}", database.name());
        runtime.block_on(measure(&database, plan));
    }
    ExitCode::SUCCESS
}

async fn measure(database: &Database, plan: Plan) {
    let (empty, full) = (Node::over(database, plan).await, Node::over(database, plan).await);
    full.take_all_keys_into_memory(plan).await;
    println!("{} keys in memory: {} MiB, without: {} MiB", plan.keys, full.memory(), empty.memory());
    for what in [What::Projects, What::Organizations] {
        let (mut without, mut with) = (Vec::new(), Vec::new());
        for turn in 0..plan.turns {
            without.push(empty.rename(what, turn, plan).await);
            with.push(full.rename(what, turn, plan).await);
        }
        let ratio = median(with.iter().zip(&without).map(|(with, without)| with / without).collect());
        println!(
            "renaming {what:?}: {:.2} ms with {} keys in memory, {:.2} ms with none: {ratio:.2} ×",
            median(with),
            plan.keys,
            median(without)
        );
    }
}

/// The kind of thing that is renamed.
#[derive(Clone, Copy, Debug)]
enum What {
    Projects,
    Organizations,
}

struct Node {
    store: Store,
    server: Server,
    http: reqwest::Client,
}

impl Node {
    async fn over(database: &Database, plan: Plan) -> Self {
        let cost = (8, 1);
        let shape = Shape::Spread { organizations: plan.organizations };
        let store = Store::of(database, plan.keys, cost, shape).await;
        let mut settings = store.settings();
        // Usage is not written during the run, because it has a cost of its own and competes for writes.
        let cheap = [("CLAVIGER_ARGON2_MEMORY", "8"), ("CLAVIGER_ARGON2_PASSES", "1")];
        settings.extend(cheap.into_iter().chain([("CLAVIGER_USAGE_FLUSH", "300")]));
        let server = Server::claviger(store.folder.path(), &settings);
        let http = reqwest::Client::builder().no_proxy().build().expect("a client");
        Self { store, server, http }
    }

    fn memory(&self) -> u64 {
        self.server.resident_mib()
    }

    /// Presents each key once. Revoked and expired keys are refused, but cached all the same.
    async fn take_all_keys_into_memory(&self, plan: Plan) {
        let requests = (0..plan.keys).map(|number| self.store.key(number));
        let requests: Arc<Vec<_>> = Arc::new(requests.map(|(id, key)| token_request(&id, &key)).collect());
        let mut answered = 0;
        while answered < u64::from(plan.keys) {
            // Each attempt starts from the first key, since cached keys cost little.
            let duration = Duration::from_secs(60);
            let outcome = run(self.server.address, Arc::clone(&requests), 32, duration, Pace::Closed).await;
            answered = outcome.good + outcome.other;
        }
    }

    /// Milliseconds per change in one turn. Nothing is renamed twice, so that the keys of each are still in memory on
    /// the server that has keys in memory.
    async fn rename(&self, what: What, turn: u32, plan: Plan) -> f64 {
        let begun = Instant::now();
        for change in 0..plan.changes {
            let number = turn * plan.changes + change;
            let organization = number % plan.organizations;
            let path = match what {
                What::Projects => {
                    format!("orgs/org-{organization}/projects/p-{}", number / plan.organizations % 5)
                }
                What::Organizations => format!("orgs/org-{organization}"),
            };
            let url = format!("http://{}/v1/{path}", self.server.address);
            let body = json!({ "name": format!("name {number}") });
            let asked = self.http.patch(url).bearer_auth(&self.store.admin).json(&body);
            let answer = asked.send().await.expect("an answer");
            assert_eq!(answer.status(), 200, "{path}");
        }
        begun.elapsed().as_secs_f64() * 1e3 / f64::from(plan.changes)
    }
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or_default()
}
