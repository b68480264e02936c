//! The vocabulary from outside: the vectors of `tests/vectors`, what holds for every value, and oracles.

#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]
#![allow(
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "tests measure real time, read the environment that they run in, and say what they found"
)]

mod addresses;
mod api_keys;
mod cidr_oracle;
mod cidrs;
mod feed;
mod scope_oracle;
mod scope_properties;
mod scopes;
mod vectors;
