//! The documentation, held against what it is about.

#![cfg(feature = "server")]
#![allow(
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "tests measure real time, read the environment that they run in, and say what they found"
)]

mod asvs;
mod known_attacks;
mod markdown;
mod metrics;
mod paths;
mod rooms;
mod runbooks;
mod scopes;
mod server;
mod settings;
mod steps;
#[path = "../support/mod.rs"]
mod support;
mod tour;

use std::path::Path;

/// The text of a file of the project.
fn text(path: impl AsRef<Path>) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}
