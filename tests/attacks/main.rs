//! Forgeries by name, each brought to everything that reads tokens: the verifier, introspection, the
//! management API and the gate.
//!
//! The forger is stronger than any real one: what is not about keys and signatures is signed with the issuer's own
//! key, so that a forgery is a good token but for the one rule that it breaks.
#![cfg(all(feature = "server", feature = "verify"))]
#![allow(clippy::unwrap_used, reason = "what a test takes for granted fails it")]
#![allow(
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "tests measure real time, read the environment that they run in, and say what they found"
)]

#[path = "../support/mod.rs"]
mod support;

mod algorithms;
mod claims;
mod forge;
mod giants;
mod headers;
mod injected_keys;
mod key_info;
mod mirrored;
mod proofs;
mod remembered;
mod serialization;
mod signatures;
mod times;
mod token_readers;

use support::world;
