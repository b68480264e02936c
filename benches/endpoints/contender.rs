//! A server under one kind of request, and its measurements.

use std::sync::Arc;
use std::time::Duration;

use crate::load::{Outcome, Pace, run};
use crate::process::Server;

const CONNECTIONS: usize = 32;

pub(crate) struct Contender {
    server: Arc<Server>,
    requests: Arc<Vec<Vec<u8>>>,
    /// Microseconds of CPU per request, one value per turn.
    cpu: Vec<f64>,
}

impl Contender {
    pub(crate) fn new(server: &Arc<Server>, requests: Vec<Vec<u8>>) -> Self {
        Self { server: Arc::clone(server), requests: Arc::new(requests), cpu: Vec::new() }
    }

    /// Runs until every credential has been presented once.
    pub(crate) async fn warm_up(&self) {
        let mut good = 0;
        while good < self.requests.len() as u64 * 2 {
            good += self.load(1_000).await.good;
        }
    }

    pub(crate) async fn turn(&mut self, milliseconds: u64) -> Outcome {
        let before = self.server.cpu();
        let outcome = self.load(milliseconds).await;
        let after = self.server.cpu();
        self.cpu.push((after.0 + after.1 - before.0 - before.1) * 1e6 / outcome.good as f64);
        outcome
    }

    /// A turn in which no request may be repeated.
    pub(crate) async fn turn_once(&mut self, milliseconds: u64) {
        let outcome = self.turn(milliseconds).await;
        assert!(outcome.good <= self.requests.len() as u64, "a token was presented twice");
    }

    /// The median over turns, in microseconds.
    pub(crate) fn cpu(&self) -> f64 {
        median(self.cpu.clone())
    }

    /// The median over turns of the ratio to the other server's turn beside it.
    pub(crate) fn ratio(&self, other: &Self) -> f64 {
        median(self.cpu.iter().zip(&other.cpu).map(|(own, other)| own / other).collect())
    }

    async fn load(&self, milliseconds: u64) -> Outcome {
        let duration = Duration::from_millis(milliseconds);
        let requests = Arc::clone(&self.requests);
        let outcome = run(self.server.address, requests, CONNECTIONS, duration, Pace::Closed).await;
        assert_eq!(outcome.other, 0, "every request is answered with 200: {:?}", outcome.refusal);
        outcome
    }
}

pub(crate) fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or_default()
}
