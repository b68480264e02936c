//! Ten verifiers of one issuer.

use std::time::{Duration, Instant};

use claviger::base::clock::Clock;
use claviger::domain::address::CallerAddress;
use claviger::jose::claims::Leeway;
use claviger::verify::{Builder, Verifier};

const COUNT: usize = 10;

pub(crate) struct Verifiers(Vec<Verifier>);

impl Verifiers {
    pub(crate) async fn of(issuer: &str) -> Self {
        Self::built(issuer, |_, builder| builder).await
    }

    /// Every second verifier has a stopped clock.
    pub(crate) async fn half_of_them_with_clocks_that_stand(issuer: &str) -> Self {
        let stands = Clock::manual(Clock::system().now());
        let leeway = Leeway::from_seconds(5).expect("a leeway");
        Self::built(issuer, |at, builder| match at % 2 {
            0 => builder,
            _ => builder.clock(stands.clone()).leeway(leeway),
        })
        .await
    }

    async fn built(issuer: &str, make: impl Fn(usize, Builder) -> Builder) -> Self {
        let mut verifiers = Vec::new();
        for at in 0..COUNT {
            let of = Verifier::builder(issuer, format!("{issuer}/api"));
            let verifier = make(at, of.any_organization().any_environment()).build().expect("a verifier");
            verifier.ready().await;
            verifiers.push(verifier);
        }
        Self(verifiers)
    }

    /// Checks that every verifier accepts the token.
    pub(crate) async fn accept(&self, token: &str) {
        for verifier in &self.0 {
            verifier.verify(token, CallerAddress::Unknown).await.expect("a good token");
        }
    }

    /// The time until the last verifier refuses the token.
    pub(crate) async fn until_all_refuse(&self, token: &str) -> Duration {
        let begun = Instant::now();
        for verifier in &self.0 {
            while verifier.verify(token, CallerAddress::Unknown).await.is_ok() {
                tokio::task::yield_now().await;
            }
        }
        begun.elapsed()
    }
}
