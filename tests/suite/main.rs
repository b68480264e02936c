//! The server as its users meet it: over HTTP, on both databases.
#![allow(clippy::unwrap_used, reason = "what a test takes for granted fails it")]

#[path = "../support/mod.rs"]
mod support;

mod audit;
mod bad_input;
mod configuration;
mod discovery;
mod epoch;
mod exchange;
mod feed;
mod gate;
mod introspection;
mod keys;
mod nodes;
mod openapi;
mod race;
mod revocation;
mod store;
mod token;
mod usage;
