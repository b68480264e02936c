//! What others have made, against a live server: clients and resource servers in other languages, with the libraries
//! that their developers know, clients that are generated from openapi.yaml, a fuzzer that reads it, a browser that
//! shows it, a Prometheus that scrapes it, and gateways in front of what it guards; and the resource servers that are offered as recipes. What each of
//! them checks is in README.md beside this file.

#![cfg(feature = "server")]
#![allow(
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "tests measure real time, read the environment that they run in, and say what they found"
)]

#[path = "../support/mod.rs"]
mod support;

mod assertions;
mod browser;
mod console;
mod dpop;
mod fapi;
mod federation;
mod gateways;
mod generated;
mod libraries;
mod mcp;
mod metrics;
mod portal;
mod program;
mod prometheus;
mod recipes;
mod schemathesis;
mod sign_in;
mod snippets;
mod world;
