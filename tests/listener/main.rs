//! The listener, seen from raw sockets: what it answers, when it closes, and how it ends.
//!
//! Time limits are short here and nothing sleeps to wait for them: a test waits for the bytes, or for the end
//! of the connection, that have to come.
#![cfg(feature = "server")]
#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

mod capacity;
mod client;
mod drain;
mod http2;
mod request;
mod server;
mod shapes;
mod slow;
mod tls;
