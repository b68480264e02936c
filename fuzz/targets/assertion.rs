//! Any text as a client's assertion, and any header and payload that a registered key has signed.

#![no_main]

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD as BASE64URL;
use claviger::base::clock::Timestamp;
use claviger::jose::assertion::{Assertion, LEEWAY, MAX_LIFETIME};
use claviger::jose::foreign::{Algorithm, Jwk};
use claviger_fuzz::issuer::{ISSUER, NOW, eddsa};
use libfuzzer_sys::fuzz_target;
use serde_json::Value;

fuzz_target!(|text: &str| {
    let own = Jwk::parse(&serde_json::to_vec(eddsa().public_jwk()).unwrap()).unwrap();
    // Nobody but this target can sign.
    if let Ok(assertion) = Assertion::parse(text) {
        assert!(assertion.verify(&own).is_none());
    }
    // The header and the payload of a client that can sign, on two lines.
    let Some((header, payload)) = text.split_once('\n') else { return };
    let input = format!("{}.{}", BASE64URL.encode(header), BASE64URL.encode(payload));
    let signature = eddsa().sign(input.as_bytes()).unwrap();
    let signed = format!("{input}.{}", BASE64URL.encode(signature));
    let Ok(assertion) = Assertion::parse(&signed) else { return };
    let Some(claims) = assertion.verify(&own) else { return };
    let header: Value = serde_json::from_str(header).unwrap();
    let payload: Value = serde_json::from_str(payload).unwrap();
    assert_eq!(assertion.header().algorithm(), Algorithm::EdDsa);
    assert!(header.get("crit").is_none() && header.get("jwk").is_none() && header.get("jku").is_none());
    assert_eq!(payload["iss"], assertion.issuer());
    assert_eq!(payload["sub"], assertion.subject());
    assert_eq!(payload["jti"], claims.id.as_str());
    assert!((1..=256).contains(&claims.id.len()));
    let now = Timestamp::from_unix(NOW);
    if claims.check(&[ISSUER], now).is_ok() {
        let audience = match &payload["aud"] {
            Value::Array(several) => several.clone(),
            one => vec![one.clone()],
        };
        assert!(!audience.is_empty() && audience.iter().all(|audience| audience == ISSUER));
        let exp = Timestamp::from_unix(payload["exp"].as_i64().unwrap());
        assert!(exp > now.plus(-LEEWAY) && exp <= now.plus(LEEWAY + MAX_LIFETIME));
        assert_eq!(claims.remembered_until(), exp.plus(LEEWAY));
    }
});
