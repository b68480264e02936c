//! Signatures, from the outside: published vectors, keys in PEM, and tokens made to deceive.

#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]
#![allow(
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "tests measure real time, read the environment that they run in, and say what they found"
)]

mod claims;
#[cfg(feature = "server")]
mod foreign;
mod forge;
mod headers;
mod interoperability;
mod key_sets;
mod pem_import;
mod proofs;
mod properties;
mod serialization;
mod times;
mod vectors;
