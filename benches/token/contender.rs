//! A server under load, and its measurements.

use std::sync::Arc;
use std::time::Duration;

use crate::Plan;
use crate::load::{Outcome, Pace, run};
use crate::process::Server;

const CONNECTIONS: usize = 32;

pub(crate) type Requests = Arc<Vec<Vec<u8>>>;

pub(crate) struct Contender {
    pub(crate) server: Server,
    requests: Requests,
    pub(crate) rates: Vec<f64>,
    /// Microseconds of CPU per token, in user mode and in the kernel, one pair per turn.
    pub(crate) cpu: Vec<(f64, f64)>,
}

impl Contender {
    /// A server, and the requests that it gets over and over.
    pub(crate) fn new(server: Server, requests: Requests) -> Self {
        Self { server, requests, rates: Vec::new(), cpu: Vec::new() }
    }

    pub(crate) async fn load(&self, milliseconds: u64, pace: Pace) -> Outcome {
        self.send(&self.requests, Duration::from_millis(milliseconds), pace).await
    }

    /// Runs until every key's secret is verified.
    pub(crate) async fn warm_up(&self) {
        self.load(8_000, Pace::Closed).await;
    }

    pub(crate) async fn turn(&mut self, plan: Plan) {
        let before = self.server.cpu();
        let outcome = self.load(plan.turn_ms, Pace::Closed).await;
        self.note(before, &outcome);
    }

    /// A turn with requests that can be sent once.
    pub(crate) async fn turn_once(&mut self, requests: &Requests) {
        let before = self.server.cpu();
        let outcome = self.send_once(requests).await;
        self.note(before, &outcome);
    }

    pub(crate) async fn send_once(&self, requests: &Requests) -> Outcome {
        self.send(requests, Duration::MAX, Pace::Once).await
    }

    async fn send(&self, requests: &Requests, duration: Duration, pace: Pace) -> Outcome {
        let outcome = run(self.server.address, Arc::clone(requests), CONNECTIONS, duration, pace).await;
        assert_eq!(outcome.other, 0, "every request is answered with a token: {:?}", outcome.refusal);
        outcome
    }

    /// Notes a turn, and the CPU seconds that the server had used before.
    fn note(&mut self, before: (f64, f64), outcome: &Outcome) {
        let after = self.server.cpu();
        let each = |seconds: f64| seconds * 1e6 / outcome.good as f64;
        self.rates.push(outcome.rate());
        self.cpu.push((each(after.0 - before.0), each(after.1 - before.1)));
    }

    pub(crate) fn report(&self, name: &str, against: Option<(&str, &Self)>) {
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

pub(crate) fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or_default()
}
