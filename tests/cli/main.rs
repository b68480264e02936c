//! The command line as people and scripts meet it: the real binary against a real server.
#![cfg(feature = "server")]
#![allow(clippy::unwrap_used, reason = "what a test takes for granted fails it")]

#[path = "../support/mod.rs"]
mod support;

mod apply;
mod audit;
mod bulk;
mod client;
mod failures;
mod help;
mod keys;
mod lists;
mod organizations;
mod profiles;
mod secrets;
mod shell;
mod signing_keys;
mod terminal;
mod token;
mod transport;
mod usage;
mod verify;
