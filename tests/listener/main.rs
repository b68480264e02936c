//! The listener, seen from raw sockets: what it answers, when it closes, and how it ends.
//!
//! Time limits are short here and nothing sleeps to wait for them: a test waits for the bytes, or for the end
//! of the connection, that have to come.
#![cfg(feature = "server")]
#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]
#![allow(
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "tests measure real time, read the environment that they run in, and say what they found"
)]

mod capacity;
mod client;
mod drain;
mod http2;
mod request;
mod server;
mod shapes;
mod slow;
mod tls;
