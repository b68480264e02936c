//! Measures what the check of a credential costs at the gate, at introspection and at the management API.
//!
//! `cargo bench --bench endpoints` prints the server's CPU per request for each available database and each endpoint: with
//! an API key, with a token that was presented before, and with a token at first sight. Two floors stand beside them:
//! an axum handler that reads the same request and returns a response of the same length without checking the
//! credential, and the token endpoint's floor, which signs. Everything runs in turns in one run. `-- quick` does less,
//! and `-- sqlite` or `-- postgres` selects one database.

#![allow(
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "a benchmark measures real time, and prints what it measured"
)]

#[path = "../support/arguments.rs"]
mod arguments;
mod contender;
#[path = "../token/floor.rs"]
mod floor;
#[path = "../token/load.rs"]
#[allow(dead_code)]
mod load;
#[path = "../support/node.rs"]
mod node;
#[path = "../../tests/support/postgres.rs"]
#[allow(dead_code, unreachable_pub)]
mod postgres;
#[path = "../support/process.rs"]
#[allow(dead_code)]
mod process;
mod requests;
#[path = "../support/seed.rs"]
#[allow(dead_code)]
mod seed;
#[path = "../verify/turns.rs"]
#[allow(dead_code)]
mod turns;

use std::process::ExitCode;
use std::sync::Arc;

use self::arguments::Arguments;
use self::contender::Contender;
use self::load::token_request;
use self::process::Server;
use self::requests::{Endpoint, Minted};
use self::seed::{Database, Shape, Store};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// The number of turns, and the milliseconds of each.
#[derive(Clone, Copy, Debug)]
struct Plan {
    turns: usize,
    turn_ms: u64,
}

const FULL: Plan = Plan { turns: 9, turn_ms: 1_500 };
const QUICK: Plan = Plan { turns: 3, turn_ms: 800 };

/// In milliseconds. A turn of tokens at first sight can last only while unseen tokens remain.
const FIRST_SIGHT_MS: u64 = 500;
/// More tokens than can be verified in that time.
const FIRST_SIGHT_TOKENS: usize = 20_000;

const COST: (u32, u32) = (8, 1);
const KEYS: u32 = 200;

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
        runtime.block_on(measure(&database, plan));
    }
    ExitCode::SUCCESS
}

async fn measure(database: &Database, plan: Plan) {
    let store = Store::of(database, 1_000, COST, Shape::Together).await;
    // The tokens are minted before a server opens the store.
    let node = node::node(&store).await;
    let mut minted = Vec::new();
    for endpoint in Endpoint::ALL {
        minted.push((endpoint, Minted::for_endpoint(&node, &store, endpoint, plan.turns).await));
    }
    let bare = requests::bare_verification(&node, &minted[0].1.unseen);
    // Only one process at a time can open an SQLite store.
    node.records.store.close().await;
    drop(node);

    let mut settings = store.settings();
    settings.push(("CLAVIGER_ISSUER", node::ISSUER));
    // At another cost, the server would rehash each secret that it sees, while the warm-up waits.
    let (memory, passes) = (COST.0.to_string(), COST.1.to_string());
    settings.extend([("CLAVIGER_ARGON2_MEMORY", &*memory), ("CLAVIGER_ARGON2_PASSES", &*passes)]);
    let server = Arc::new(Server::claviger(store.folder.path(), &settings));
    let floor = Arc::new(Server::floor());
    let tokens =
        (0..KEYS).map(|number| store.key(number)).map(|(id, key)| token_request(&id, &key)).collect();
    let mut signing = Contender::new(&floor, tokens);
    let mut endpoints = Vec::new();
    for (endpoint, minted) in minted {
        endpoints.push(At::new(endpoint, minted, &server, &floor).await);
    }
    for turn in 0..plan.turns {
        signing.turn(plan.turn_ms).await;
        for at in &mut endpoints {
            at.turn(plan, turn).await;
        }
    }
    println!("ring, bare verification          {bare:6.1} µs");
    println!("floor of the token endpoint      {:6.1} µs CPU a request", signing.cpu());
    for at in &endpoints {
        at.report(&signing, bare);
    }
}

/// All measurements at one endpoint.
struct At {
    endpoint: Endpoint,
    floor: Contender,
    key: Contender,
    seen: Contender,
    /// One contender per turn, so that no token is seen twice.
    unseen: Vec<Contender>,
}

impl At {
    async fn new(endpoint: Endpoint, minted: Minted, server: &Arc<Server>, floor: &Arc<Server>) -> Self {
        let at = Self {
            endpoint,
            floor: Contender::new(floor, minted.keys.clone()),
            key: Contender::new(server, minted.keys),
            seen: Contender::new(server, minted.seen),
            unseen: minted.unseen_requests.into_iter().map(|all| Contender::new(server, all)).collect(),
        };
        at.key.warm_up().await;
        at.seen.warm_up().await;
        at
    }

    async fn turn(&mut self, plan: Plan, turn: usize) {
        self.floor.turn(plan.turn_ms).await;
        self.key.turn(plan.turn_ms).await;
        self.seen.turn(plan.turn_ms).await;
        self.unseen[turn].turn_once(FIRST_SIGHT_MS).await;
    }

    fn report(&self, signing: &Contender, bare: f64) {
        let (key, seen) = (self.key.cpu(), self.seen.cpu());
        let first = contender::median(self.unseen.iter().map(Contender::cpu).collect());
        println!("{}", self.endpoint.name());
        println!("  its own floor, nothing verified{:6.1} µs CPU a request", self.floor.cpu());
        println!(
            "  an API key                     {key:6.1} µs   {:.2} × the token endpoint's floor",
            self.key.ratio(signing)
        );
        println!(
            "  a token seen before            {seen:6.1} µs   {:.2} × a key",
            self.seen.ratio(&self.key)
        );
        println!(
            "  a token at first sight         {first:6.1} µs   {:.2} × a bare verification more than a key",
            (first - key) / bare
        );
    }
}
