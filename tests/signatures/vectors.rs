//! What the RFCs themselves publish, in `tests/vectors/jws`.

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD as BASE64URL;
use claviger::jose::jwk::{Algorithm, PublicJwk, SigningKey, VerifyingKey};
use claviger::jose::jws::{JwsFault, UnverifiedJws};
use serde_json::Value;

fn vectors() -> [Value; 6] {
    [
        include_str!("../vectors/jws/rfc7515-a2.json"),
        include_str!("../vectors/jws/rfc7515-a3.json"),
        include_str!("../vectors/jws/rfc7520-4.1.json"),
        include_str!("../vectors/jws/rfc7520-4.8.json"),
        include_str!("../vectors/jws/rfc7638-3.1.json"),
        include_str!("../vectors/jws/rfc8037-a.json"),
    ]
    .map(|text| serde_json::from_str(text).unwrap())
}

fn public(vector: &Value) -> PublicJwk {
    PublicJwk::parse(vector["jwk"].to_string().as_bytes()).unwrap()
}

fn algorithm(vector: &Value) -> Algorithm {
    vector["algorithm"].as_str().unwrap().parse().unwrap()
}

/// Signing input and signature of those that have any.
fn signed(vector: &Value) -> Option<(&str, Vec<u8>)> {
    let (input, signature) = vector["jws"].as_str()?.rsplit_once('.').unwrap();
    Some((input, BASE64URL.decode(signature).unwrap()))
}

#[test]
fn thumbprints_are_the_published_ones() {
    let mut seen = 0;
    for vector in vectors() {
        assert_eq!(public(&vector).algorithm(), algorithm(&vector));
        if let Some(thumbprint) = vector["thumbprint"].as_str() {
            assert_eq!(public(&vector).kid(), thumbprint, "{}", vector["source"]);
            seen += 1;
        }
    }
    assert_eq!(seen, 2);
}

#[test]
fn published_signatures_verify_and_no_others() {
    let mut seen = 0;
    for vector in vectors() {
        let Some((input, mut signature)) = signed(&vector) else { continue };
        let key = VerifyingKey::from(public(&vector));
        assert!(key.verify(input.as_bytes(), &signature), "{}", vector["source"]);
        assert!(!key.verify(&input.as_bytes()[1..], &signature));
        signature[20] ^= 1;
        assert!(!key.verify(input.as_bytes(), &signature));
        seen += 1;
    }
    assert_eq!(seen, 5);
}

#[test]
fn published_private_keys_sign_the_same() {
    for vector in vectors() {
        let Some((input, published)) = signed(&vector) else { continue };
        let pkcs8 = BASE64URL.decode(vector["pkcs8"].as_str().unwrap()).unwrap();
        let key = SigningKey::from_pkcs8(algorithm(&vector), &pkcs8).unwrap();
        assert_eq!(*key.public_jwk(), public(&vector));
        let signature = key.sign(input.as_bytes()).unwrap();
        assert!(VerifyingKey::from(public(&vector)).verify(input.as_bytes(), signature.as_ref()));
        assert_eq!(signature.as_ref() == published, vector["deterministic"].as_bool().unwrap());
    }
}

/// The RFCs' examples name no key, or one by an id of their own; here an id is a thumbprint.
#[test]
fn published_examples_are_no_tokens_here() {
    for vector in vectors() {
        let Some(jws) = vector["jws"].as_str() else { continue };
        let key = VerifyingKey::from(public(&vector));
        let fault = match UnverifiedJws::parse(jws) {
            Ok(unverified) => unverified.verify(&key).unwrap_err(),
            Err(fault) => fault,
        };
        assert!(matches!(fault, JwsFault::Kid | JwsFault::OtherKey), "{}: {fault}", vector["source"]);
    }
}

#[test]
fn published_examples_of_other_algorithms_are_refused() {
    let vectors: Value = serde_json::from_str(include_str!("../vectors/jws/refused.json")).unwrap();
    for vector in vectors["refused"].as_array().unwrap() {
        let fault = UnverifiedJws::parse(vector["jws"].as_str().unwrap()).unwrap_err();
        assert_eq!(fault, JwsFault::Algorithm, "{}", vector["source"]);
    }
}
