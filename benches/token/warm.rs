//! Measures warm keys: the rate, the cost and the latency of a token, compared with the floor.

use std::sync::Arc;
use std::time::Duration;

use crate::Plan;
use crate::load::{Outcome, Pace, run, token_request};
use crate::process::Server;
use crate::seed::{Database, Shape, Store};

const CONNECTIONS: usize = 32;
const FEW_KEYS: u32 = 1_000;
/// The keys that the load uses in turn.
const KEYS: u32 = 200;
const COST: (u32, u32) = (19_456, 2);

type Requests = Arc<Vec<Vec<u8>>>;

/// A server under load, and its measurements.
struct Contender {
    server: Server,
    requests: Requests,
    rates: Vec<f64>,
    /// Microseconds of CPU per token, in user mode and in the kernel, one pair per turn.
    cpu: Vec<(f64, f64)>,
}

/// `in_process` is the time of a token without HTTP, in microseconds.
pub(crate) async fn measure(database: &Database, plan: Plan, in_process: f64) {
    let few = Store::of(database, FEW_KEYS, COST, Shape::Together).await;
    let scraped = Store::of(database, FEW_KEYS, COST, Shape::Together).await;
    let many = Store::of(database, plan.many_keys, COST, Shape::Together).await;
    let mut floor = Contender::new(Server::floor(), requests(&few));
    let mut small = Contender::new(Server::claviger(few.folder.path(), &few.settings()), requests(&few));
    let with_metrics = [scraped.settings(), vec![("CLAVIGER_METRICS_LISTEN", "127.0.0.1:0")]].concat();
    let mut measured =
        Contender::new(Server::claviger(scraped.folder.path(), &with_metrics), requests(&scraped));
    let mut large = Contender::new(Server::claviger(many.folder.path(), &many.settings()), requests(&many));
    for contender in [&floor, &small, &measured, &large] {
        contender.warm_up().await;
    }
    for _ in 0..plan.turns {
        for contender in [&mut floor, &mut small, &mut measured, &mut large] {
            contender.turn(plan).await;
        }
    }
    floor.report("floor: axum, the same form, ring ES256", None);
    small.report(&format!("claviger, {FEW_KEYS} keys in the store"), Some(("the floor", &floor)));
    measured.report(
        &format!("claviger with metrics, {FEW_KEYS} keys in the store"),
        Some(("the same without metrics", &small)),
    );
    large.report(
        &format!("claviger, {} keys in the store", plan.many_keys),
        Some(("the smaller store", &small)),
    );
    let cpu = median(small.cpu.iter().map(|(user, kernel)| user + kernel));
    println!("of {cpu:.1} µs, {in_process:.1} are the token and {:.1} HTTP and sockets", cpu - in_process);
    half_load(&floor, &small, plan).await;
}

fn requests(store: &Store) -> Requests {
    Arc::new((0..KEYS).map(|number| store.key(number)).map(|(id, key)| token_request(&id, &key)).collect())
}

impl Contender {
    fn new(server: Server, requests: Requests) -> Self {
        Self { server, requests, rates: Vec::new(), cpu: Vec::new() }
    }

    async fn load(&self, milliseconds: u64, pace: Pace) -> Outcome {
        let duration = Duration::from_millis(milliseconds);
        let outcome = run(self.server.address, Arc::clone(&self.requests), CONNECTIONS, duration, pace).await;
        assert_eq!(outcome.other, 0, "every request is answered with a token");
        outcome
    }

    /// Runs until every key's secret is verified.
    async fn warm_up(&self) {
        self.load(8_000, Pace::Closed).await;
    }

    async fn turn(&mut self, plan: Plan) {
        let before = self.server.cpu();
        let outcome = self.load(plan.turn_ms, Pace::Closed).await;
        let after = self.server.cpu();
        let each = |seconds: f64| seconds * 1e6 / outcome.good as f64;
        self.rates.push(outcome.rate());
        self.cpu.push((each(after.0 - before.0), each(after.1 - before.1)));
    }

    fn report(&self, name: &str, against: Option<(&str, &Self)>) {
        let user = median(self.cpu.iter().map(|cpu| cpu.0));
        let kernel = median(self.cpu.iter().map(|cpu| cpu.1));
        println!("{name}");
        println!(
            "  {:.0} tokens/s; CPU {:.1} µs a token ({user:.1} user, {kernel:.1} kernel)",
            median(self.rates.iter().copied()),
            user + kernel
        );
        if let Some((other, against)) = against {
            let ratios = || self.rates.iter().zip(&against.rates).map(|(mine, theirs)| mine / theirs);
            let (least, most) = ratios()
                .fold((f64::MAX, f64::MIN), |(least, most), ratio| (least.min(ratio), most.max(ratio)));
            println!("  {:.3} × {other} (turn by turn, from {least:.3} to {most:.3})", median(ratios()));
        }
    }
}

/// Runs both servers at half of the floor's rate.
async fn half_load(floor: &Contender, claviger: &Contender, plan: Plan) {
    let rate = median(floor.rates.iter().copied()) / 2.0;
    let mut p99 = [Vec::new(), Vec::new()];
    for _ in 0..plan.turns.min(5) {
        for (contender, p99) in [floor, claviger].into_iter().zip(&mut p99) {
            p99.push(f64::from(contender.load(plan.turn_ms * 2, Pace::Open(rate)).await.quantile(0.99)));
        }
    }
    let [floor, claviger] = p99.map(|p99| median(p99.into_iter()));
    println!(
        "p99 at {rate:.0} requests/s: {claviger:.0} µs, the floor's {floor:.0} µs: {:.2} ×",
        claviger / floor
    );
}

pub(crate) fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or_default()
}
