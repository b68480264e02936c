//! Measures a cold start with all keys in use: each of them renews its token once, at a random moment.
//!
//! `cargo bench --bench herd` fills a store for each available database with 100,000 keys, hashed at the default cost,
//! and starts a server with the default settings. All keys then get a token at random moments within ten minutes, each
//! over a connection of its own. It prints how many were refused, and how long clients waited from the moment at which
//! they were due. `-- quick` has fewer keys at the same rate, and `-- sqlite` or `-- postgres` selects one database.
//!
//! The server has one processor and the load another (`taskset`).

#![allow(
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "a benchmark measures real time, and prints what it measured"
)]

#[path = "../support/arguments.rs"]
mod arguments;
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
use std::time::Duration;

use claviger::base::entropy::Entropy;
use claviger::node::DEFAULT_COST;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep_until};

use self::arguments::Arguments;
use self::process::Server;
use self::seed::{Database, Shape, Store};

/// So many keys renew within so many seconds.
#[derive(Clone, Copy, Debug)]
struct Herd {
    keys: u32,
    seconds: u32,
}

const FULL: Herd = Herd { keys: 100_000, seconds: 600 };
const QUICK: Herd = Herd { keys: 5_000, seconds: 30 };

/// How long a client waits before it counts as refused. The server answers before.
const PATIENCE: Duration = Duration::from_secs(20);

fn main() -> ExitCode {
    let arguments = Arguments::read();
    if arguments.is_test() {
        return ExitCode::SUCCESS;
    }
    let herd = if arguments.has("quick") { QUICK } else { FULL };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    process::pin_load();
    for database in seed::databases(&arguments) {
        println!("\n# {}", database.name());
        runtime.block_on(measure(&database, herd));
    }
    ExitCode::SUCCESS
}

async fn measure(database: &Database, herd: Herd) {
    let (memory, passes, _) = DEFAULT_COST;
    let store = Store::of(database, herd.keys, (memory, passes), Shape::Together).await;
    let server = Server::claviger(store.folder.path(), &store.settings());
    let begun = Instant::now();
    let clients = (0..herd.keys).map(|number| {
        let (id, key) = store.key(number);
        let due = begun + random_moment(Duration::from_secs(herd.seconds.into()));
        tokio::spawn(renew(server.address, id, key, due))
    });
    let clients: Vec<_> = clients.collect();
    let (mut waits, mut refused) = (Vec::new(), 0);
    for client in clients {
        let (wait, is_good) = client.await.expect("a client");
        waits.push(wait);
        refused += u32::from(!is_good);
    }
    waits.sort_unstable();
    let quantile = |share: f64| waits[(waits.len() as f64 * share) as usize].as_secs_f64() * 1e3;
    println!(
        "{} keys renew within {} s of a cold start: {refused} refused; wait p50 {:.1} ms, p99 {:.1} ms, longest {:.1} ms; {} MiB",
        herd.keys,
        herd.seconds,
        quantile(0.5),
        quantile(0.99),
        waits.last().expect("a wait").as_secs_f64() * 1e3,
        server.resident_mib()
    );
}

fn random_moment(within: Duration) -> Duration {
    let random = Entropy::system().bytes::<4>().expect("randomness");
    within.mul_f64(f64::from(u32::from_be_bytes(random)) / f64::from(u32::MAX))
}

/// Gets a token once it is due. Returns how long that took, and whether there was one.
async fn renew(address: SocketAddr, id: String, key: String, due: Instant) -> (Duration, bool) {
    sleep_until(due).await;
    let asked = tokio::time::timeout(PATIENCE, ask(address, &id, &key)).await;
    let is_good = matches!(asked, Ok(Ok(answer)) if answer.starts_with(b"HTTP/1.1 200 "));
    (due.elapsed(), is_good)
}

async fn ask(address: SocketAddr, id: &str, key: &str) -> std::io::Result<Vec<u8>> {
    let body = format!("grant_type=client_credentials&client_id={id}&client_secret={key}");
    let request = format!(
        "POST /oauth/token HTTP/1.1\r\nhost: 127.0.0.1\r\nconnection: close\r\n\
         content-type: application/x-www-form-urlencoded\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    let mut stream = TcpStream::connect(address).await?;
    stream.write_all(request.as_bytes()).await?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await?;
    Ok(answer)
}
