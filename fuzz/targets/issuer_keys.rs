//! Any text as the key set of another issuer.

#![no_main]

use claviger::jose::foreign::{Algorithm, JwkSet, Jws};
use claviger_fuzz::issuer::{KEYS, header, sign};
use libfuzzer_sys::fuzz_target;
use serde_json::Value;

fuzz_target!(|bytes: &[u8]| {
    let Ok(set) = JwkSet::parse(bytes, &Algorithm::ALL) else { return };
    let said: Value = serde_json::from_slice(bytes).unwrap();
    let listed = said["keys"].as_array().unwrap();
    assert!(set.keys().len() <= listed.len() && listed.len() <= JwkSet::MAX_KEYS);
    for secret in ["d", "p", "q", "dp", "dq", "qi", "oth", "k"] {
        assert!(listed.iter().all(|key| key.get(secret).is_none()), "a secret key was accepted");
    }
    let written = serde_json::to_vec(&set).unwrap();
    assert_eq!(JwkSet::parse(&written, &Algorithm::ALL).as_ref(), Ok(&set), "it is kept as it was read");
    // Without RSA, nothing of RSA is left; and nothing else is lost.
    let elliptic = [Algorithm::Es256, Algorithm::Es384, Algorithm::EdDsa];
    let narrowed = JwkSet::parse(bytes, &elliptic).unwrap();
    let expected: Vec<_> = set.keys().iter().filter(|key| elliptic.contains(&key.algorithm())).collect();
    assert_eq!(narrowed.keys().iter().collect::<Vec<_>>(), expected);
    for signer in KEYS.iter() {
        let token = sign(signer, header(signer, "JWT").as_bytes(), b"{}");
        let token = Jws::parse(&token).unwrap();
        let own = signer.public_jwk().kid();
        for key in set.keys().iter().filter(|key| key.answers_to(token.header())) {
            // Ids are what their owner says. The thumbprint is what the key is.
            assert_eq!(token.verify(key).is_ok(), key.thumbprint().to_string() == own);
        }
    }
});
