//! Any text as a proof of possession; and any header with any payload, signed.

#![no_main]

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD as BASE64URL;
use claviger::base::clock::Timestamp;
use claviger::jose::dpop::{ALGORITHMS, ExpectedProof, Proof, ProofFault, TargetUri, WINDOW, verify_proof};
use claviger_fuzz::issuer::{
    KEYS, NOW, PROOF_TOKEN, PROOF_TOKEN_HASH, PROOF_URL, eddsa, proof_claims, proof_header, sign,
};
use libfuzzer_sys::fuzz_target;
use serde_json::Value;

fuzz_target!(|bytes: &[u8]| {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    if let Some(target) = TargetUri::parse(text) {
        let written = target.to_string();
        assert_eq!(TargetUri::parse(&written), Some(target), "{written} is not in its own normal form");
        assert!(!written.contains(['?', '#', ' ']));
    }
    if verify(text).is_ok() {
        assert_eq!(signing_input(text), signing_input(&seed()), "nobody signed this");
    }
    if let Some((header, payload)) = text.split_once('\n') {
        for key in KEYS.iter() {
            let proof = sign(key, header.as_bytes(), payload.as_bytes());
            if let Ok(proven) = verify(&proof) {
                check(header, payload, &proven);
                assert!(
                    verify(&format!("{}.", signing_input(&proof))).is_err(),
                    "it was never about the signature"
                );
            }
        }
    }
});

fn verify(proof: &str) -> Result<Proof, ProofFault> {
    let target = TargetUri::parse(PROOF_URL).unwrap();
    let expected = ExpectedProof {
        method: "GET",
        target: &target,
        token: Some(PROOF_TOKEN),
        algorithms: &ALGORITHMS,
        nonces: None,
        now: Timestamp::from_unix(NOW),
    };
    verify_proof(proof, &expected)
}

fn seed() -> String {
    let (header, claims) = (proof_header(eddsa()), proof_claims());
    sign(eddsa(), header.to_string().as_bytes(), claims.to_string().as_bytes())
}

fn signing_input(token: &str) -> &str {
    token.rsplit_once('.').map_or("", |(signed, _)| signed)
}

/// Holds an accepted proof against what another reader of JSON sees in it.
fn check(header: &str, payload: &str, proven: &Proof) {
    let header: Value = serde_json::from_str(header).unwrap();
    let claims: Value = serde_json::from_str(payload).unwrap();
    let typ = header["typ"].as_str().unwrap().to_ascii_lowercase();
    assert_eq!(typ.strip_prefix("application/").unwrap_or(&typ), "dpop+jwt");
    for name in ["crit", "jku", "x5u", "x5c", "b64"] {
        assert!(header.get(name).is_none(), "{name}");
    }
    for name in ["d", "p", "q", "k"] {
        assert!(header["jwk"].get(name).is_none(), "{name}");
    }
    let signer = KEYS.iter().find(|key| key.kid() == proven.thumbprint().to_string());
    assert!(signer.is_some(), "the key in the header is one that signs");
    assert_eq!(claims["htm"], "GET");
    assert_eq!(TargetUri::parse(claims["htu"].as_str().unwrap()), TargetUri::parse(PROOF_URL));
    assert!((claims["iat"].as_i64().unwrap() - NOW).abs() <= WINDOW);
    assert_eq!(claims["ath"], PROOF_TOKEN_HASH);
    let id = claims["jti"].as_str().unwrap();
    assert_eq!(id, proven.token_id());
    assert!((1..=256).contains(&id.chars().count()));
    assert_eq!(BASE64URL.decode(PROOF_TOKEN_HASH).unwrap().len(), 32);
}
