//! The binary as its operators meet it: started, stopped and killed in folders of its own.
#![cfg(feature = "server")]
#![allow(clippy::unwrap_used, reason = "what a test takes for granted fails it")]
#![allow(
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "tests measure real time, read the environment that they run in, and say what they found"
)]

#[path = "../support/mod.rs"]
mod support;

mod admin_key;
mod backup;
mod clock;
mod first_start;
mod full_disk;
mod identity;
mod init;
mod killing;
mod logs;
mod master_key;
mod metrics;
mod open_files;
mod refusals;
mod rehash;
mod reload;
mod search;
mod secrets;
mod set_up;
mod signing;
mod stopping;
mod tls;
mod together;
