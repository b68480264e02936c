//! Measures what the verification of a token costs, compared with the minimum: ring's bare verification of the
//! signature.
//!
//! `cargo bench --bench verify` prints µs per token for: ring alone; this verifier, with unseen and with seen tokens;
//! jsonwebtoken over the same ring; and PyJWT and jose, if `tests/foreign/prepare` has installed them. The others check
//! less: no revocations, no ranges, and little of the strictness. Everything runs on one processor in one run, the Rust
//! libraries in turns. `-- quick` does less.

#![allow(
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "a benchmark measures real time, and prints what it measured"
)]

#[path = "../support/arguments.rs"]
mod arguments;
mod foreign;
mod issuer;
mod jsonwebtoken_on_ring;
#[path = "../support/process.rs"]
#[allow(dead_code)]
mod process;
mod turns;

use claviger::domain::address::CallerAddress;
use claviger::jose::jwk::{Algorithm, Jwks};
use claviger::verify::Verifier;

use self::arguments::Arguments;
use self::issuer::Issuer;
use self::turns::Turns;

const FULL: Plan = Plan { turns: 25, tokens: 1_000 };
const QUICK: Plan = Plan { turns: 5, tokens: 200 };

/// The number of turns, and of tokens in each.
#[derive(Clone, Copy)]
struct Plan {
    turns: usize,
    tokens: usize,
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let arguments = Arguments::read();
    if arguments.is_test() {
        return;
    }
    process::pin_load();
    let plan = if arguments.has("quick") { QUICK } else { FULL };
    for algorithm in [Algorithm::Es256, Algorithm::EdDsa] {
        println!("\n# {algorithm}");
        measure(&Issuer::signing_with(algorithm).await, plan).await;
    }
}

async fn measure(issuer: &Issuer, plan: Plan) {
    let tokens = issuer.tokens(plan.turns * plan.tokens).await;
    let jwks = issuer.jwks().await;
    let parsed = Jwks::parse(jwks.as_bytes()).expect("a key set").usable;
    let built =
        Verifier::builder(&issuer.url, issuer.audience()).any_organization().any_environment().build();
    let verifier = built.expect("a verifier");
    verifier.ready().await;
    let other = jsonwebtoken_on_ring::Decoder::new(&jwks, issuer);

    let (mut bare, mut first, mut second, mut theirs) =
        (Turns::default(), Turns::default(), Turns::default(), Turns::default());
    for tokens in tokens.chunks(plan.tokens) {
        let signed = turns::Signed::all(tokens, &parsed);
        bare.time(tokens.len(), || signed.iter().for_each(turns::Signed::verify));
        first.time_async(tokens.len(), verify_all(&verifier, tokens)).await;
        second.time_async(tokens.len(), verify_all(&verifier, tokens)).await;
        theirs.time(tokens.len(), || tokens.iter().for_each(|token| other.decode(token)));
    }
    assert_eq!(verifier.metrics().remembered, tokens.len() as u64, "what was seen before is remembered");
    println!("ring, bare                {bare}");
    println!("claviger, first sight     {first}   {:.2} x ring", first.ratio(&bare));
    println!("claviger, seen before     {second}");
    println!("jsonwebtoken on ring      {theirs}   {:.2} x ring", theirs.ratio(&bare));
    foreign::measure(issuer, &tokens[..plan.tokens], &jwks);
}

async fn verify_all(verifier: &Verifier, tokens: &[String]) {
    for token in tokens {
        verifier.verify(token, CallerAddress::Unknown).await.expect("a good token");
    }
}
