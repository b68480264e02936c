//! Tenants that share a server. Whatever one of them does, the others are served.

mod bounds;
mod distant;
mod revocations;
mod street;
mod turns;

use tokio::task::JoinSet;

use self::street::{Noise, Street};
use crate::support::{Backend, on_both};

on_both!(
    a_client_that_gets_tokens_and_revokes_them_stops_nobody,
    a_management_token_stops_nobody,
    a_read_only_key_stops_nobody,
    a_resource_server_that_introspects_stops_nobody,
    a_gateway_stops_nobody,
    a_session_at_the_console_stops_nobody,
    workloads_that_forge_and_an_issuer_that_hangs_stop_nobody,
    anonymous_callers_stop_nobody,
);

/// Requests at once that a neighbour makes. Each is made so many times.
const AT_ONCE: usize = 24;
const TIMES: usize = 6;

async fn a_client_that_gets_tokens_and_revokes_them_stops_nobody(backend: Backend) {
    stops_nobody(&Street::new(backend).await, Noise::Client).await;
}

async fn a_management_token_stops_nobody(backend: Backend) {
    stops_nobody(&Street::new(backend).await, Noise::ManagementToken).await;
}

async fn a_read_only_key_stops_nobody(backend: Backend) {
    stops_nobody(&Street::new(backend).await, Noise::ReadOnlyKey).await;
}

async fn a_resource_server_that_introspects_stops_nobody(backend: Backend) {
    stops_nobody(&Street::new(backend).await, Noise::ResourceServer).await;
}

async fn a_gateway_stops_nobody(backend: Backend) {
    stops_nobody(&Street::new(backend).await, Noise::Gateway).await;
}

async fn a_session_at_the_console_stops_nobody(backend: Backend) {
    stops_nobody(&Street::new(backend).await, Noise::Console).await;
}

async fn workloads_that_forge_and_an_issuer_that_hangs_stop_nobody(backend: Backend) {
    stops_nobody(&Street::new(backend).await, Noise::Workload).await;
}

async fn anonymous_callers_stop_nobody(backend: Backend) {
    stops_nobody(&Street::new(backend).await, Noise::Anonymous).await;
}

/// Makes the noise, and asks for whatever a quiet neighbour needs until it is over: none of it is refused.
async fn stops_nobody(street: &Street, noise: Noise) {
    let requests = street.requests(noise).await;
    let mut noisy = JoinSet::new();
    for at in 0..AT_ONCE {
        let requests = requests.clone();
        noisy.spawn(async move {
            let mut answered = Vec::new();
            for time in 0..TIMES {
                answered.push(requests[(at + time) % requests.len()].ask().await.status);
            }
            answered
        });
    }
    let mut rounds = 0;
    loop {
        street.quiet_round(noise, rounds).await;
        rounds += 1;
        while let Some(answered) = noisy.try_join_next() {
            let answered = answered.expect("answers");
            assert!(!answered.contains(&500), "{noise:?}: {answered:?}");
        }
        if noisy.is_empty() {
            break;
        }
    }
    println!("{noise:?}: {rounds} rounds of a quiet neighbour");
}
