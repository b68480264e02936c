//! Measures warm keys: the rate, the cost and the latency of a token, compared with the floor.

use std::sync::Arc;

use crate::Plan;
use crate::contender::{Contender, Requests, median};
use crate::load::{Pace, token_request};
use crate::process::Server;
use crate::seed::{Database, Shape, Store};

const FEW_KEYS: u32 = 1_000;
/// The keys that the load uses in turn.
const KEYS: u32 = 200;
const COST: (u32, u32) = (19_456, 2);

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
