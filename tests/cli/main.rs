//! The command line as people and scripts meet it: the real binary against a real server.
#![cfg(feature = "server")]
#![allow(clippy::unwrap_used, reason = "what a test takes for granted fails it")]
#![allow(
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "tests measure real time, read the environment that they run in, and say what they found"
)]

#[path = "../support/mod.rs"]
mod support;

mod apply;
mod arguments;
mod audit;
mod bulk;
mod client;
mod doctor;
mod dry_runs;
mod failures;
mod finding;
mod health;
mod help;
mod issuers;
mod keys;
mod lists;
mod lost_output;
mod members;
mod organizations;
mod portal_sessions;
mod profiles;
mod proxy;
mod scopes;
mod secrets;
mod settings;
mod shell;
mod signing_keys;
mod terminal;
mod token;
mod transport;
mod usage;
mod verify;
