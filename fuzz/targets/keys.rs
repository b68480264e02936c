//! Any text as an issuer's key set.

#![no_main]

use claviger::jose::jwk::{Jwks, PublicJwk, VerifyingKey};
use libfuzzer_sys::fuzz_target;
use serde_json::Value;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(jwk) = PublicJwk::parse(bytes) {
        check(&jwk);
    }
    let Ok(parsed) = Jwks::parse(bytes) else { return };
    let said: Value = serde_json::from_slice(bytes).unwrap();
    let count = said["keys"].as_array().unwrap().len();
    assert!(parsed.usable.keys.len() + parsed.refused.len() <= count);
    parsed.usable.keys.iter().for_each(check);
    let written = serde_json::to_vec(&parsed.usable).unwrap();
    assert_eq!(Jwks::parse(&written).unwrap().usable, parsed.usable);
});

/// A key that can be used is written as it is read, has the id of its numbers, holds nothing secret, and does not take
/// any bytes for its signature.
fn check(jwk: &PublicJwk) {
    let written = serde_json::to_value(jwk).unwrap();
    assert_eq!(PublicJwk::parse(written.to_string().as_bytes()).as_ref(), Ok(jwk));
    assert_eq!((&written["kid"], jwk.kid().len()), (&Value::from(jwk.kid()), 43));
    assert_eq!(written["use"], "sig");
    assert!(["d", "p", "q", "dp", "dq", "qi", "oth", "k"].iter().all(|secret| written.get(secret).is_none()));
    let key = VerifyingKey::from(jwk.clone());
    for length in [0, 64, 256] {
        assert!(!key.verify(b"message", &vec![0; length]));
    }
}
