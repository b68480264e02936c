//! The server as its users meet it: over HTTP, on both databases.

#[path = "../support/mod.rs"]
mod support;

mod discovery;
mod introspection;
mod keys;
mod revocation;
mod token;
