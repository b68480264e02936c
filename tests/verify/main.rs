//! The verifier as a resource server uses it: against real servers, on both databases.
#![cfg(all(feature = "server", feature = "verify"))]
#![allow(clippy::unwrap_used, reason = "what a test takes for granted fails it")]
#![allow(
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "tests measure real time, read the environment that they run in, and say what they found"
)]

#[path = "../support/mod.rs"]
mod support;

mod acceptance;
mod api_keys;
mod examples;
mod issuer_away;
mod revocations;
mod routes;

use support::{relay, world};
