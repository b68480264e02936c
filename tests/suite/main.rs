//! The server as its users meet it: over HTTP, on both databases.
#![allow(clippy::unwrap_used, reason = "what a test takes for granted fails it")]
#![allow(
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "tests measure real time, read the environment that they run in, and say what they found"
)]

#[path = "../support/mod.rs"]
mod support;

mod assertions;
mod audiences;
mod audit;
mod bad_input;
mod bulk;
mod configuration;
mod console;
mod disabling;
mod discovery;
mod dpop;
mod ending_keys;
mod epoch;
mod exchange;
mod exports;
mod federation;
mod feed;
mod finding;
mod form_token;
mod gate;
mod idempotency;
mod introspection;
mod inventory;
mod key_cache;
mod key_changes;
mod key_search;
mod keys;
mod known_attacks;
mod last_admin;
mod master_key;
mod matrix;
mod members;
mod metrics;
mod neighbours;
mod no_way_up;
mod nodes;
mod openapi;
mod organizations;
mod portal;
mod preconditions;
mod projects;
mod public_keys;
mod race;
mod revocation;
mod rotation;
mod scopes;
mod sign_in;
mod signing_keys;
mod store;
mod table;
mod tags;
mod token;
mod token_ends;
mod usage;
mod ways_in;
