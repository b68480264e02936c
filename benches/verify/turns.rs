//! Measures in turns, and provides the floor.

use std::fmt;
use std::hint::black_box;
use std::time::Instant;

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD as BASE64URL;
use claviger::jose::jwk::{Algorithm, Jwks, PublicJwk};
use ring::signature::{ECDSA_P256_SHA256_FIXED, ED25519, UnparsedPublicKey, VerificationAlgorithm};
use serde_json::Value;

/// µs per token, one value per turn.
#[derive(Default)]
pub(crate) struct Turns(Vec<f64>);

impl Turns {
    pub(crate) fn time(&mut self, tokens: usize, work: impl FnOnce()) {
        let begun = Instant::now();
        work();
        self.add(begun, tokens);
    }

    pub(crate) async fn time_async(&mut self, tokens: usize, work: impl Future<Output = ()>) {
        let begun = Instant::now();
        work.await;
        self.add(begun, tokens);
    }

    /// The median over turns of the ratio to the floor's turn beside it.
    pub(crate) fn ratio(&self, floor: &Self) -> f64 {
        median(self.0.iter().zip(&floor.0).map(|(own, floor)| own / floor).collect())
    }

    fn add(&mut self, begun: Instant, tokens: usize) {
        self.0.push(begun.elapsed().as_secs_f64() * 1e6 / tokens as f64);
    }
}

impl fmt::Display for Turns {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:8.2} µs", median(self.0.clone()))
    }
}

fn median(mut numbers: Vec<f64>) -> f64 {
    numbers.sort_unstable_by(f64::total_cmp);
    numbers[numbers.len() / 2]
}

/// A parsed token, of which only the signature remains to be verified.
pub(crate) struct Signed<'t> {
    key: UnparsedPublicKey<Vec<u8>>,
    input: &'t [u8],
    signature: Vec<u8>,
}

impl<'t> Signed<'t> {
    pub(crate) fn all(tokens: &'t [String], keys: &Jwks) -> Vec<Self> {
        let (algorithm, bytes) = public_key(&keys.keys[0]);
        let taken_apart = tokens.iter().map(|token| {
            let (input, signature) = token.rsplit_once('.').expect("a token");
            let signature = BASE64URL.decode(signature).expect("a signature");
            Self { key: UnparsedPublicKey::new(algorithm, bytes.clone()), input: input.as_bytes(), signature }
        });
        taken_apart.collect()
    }

    pub(crate) fn verify(&self) {
        self.key.verify(black_box(self.input), black_box(&self.signature)).expect("a good signature");
    }
}

fn public_key(jwk: &PublicJwk) -> (&'static dyn VerificationAlgorithm, Vec<u8>) {
    let json: Value = serde_json::to_value(jwk).expect("a key");
    let member = |name: &str| BASE64URL.decode(json[name].as_str().expect("text")).expect("base64url");
    match jwk.algorithm() {
        Algorithm::Es256 => (&ECDSA_P256_SHA256_FIXED, [vec![4], member("x"), member("y")].concat()),
        Algorithm::EdDsa => (&ED25519, member("x")),
        Algorithm::Rs256 => unreachable!("not measured"),
    }
}
