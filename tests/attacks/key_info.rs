//! A public key in the forms that libraries take it in: what a forger can read, and use as a secret.

use base64::Engine as _;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD as BASE64URL};
use claviger::jose::jwk::{Algorithm, PublicJwk};

const SEQUENCE: u8 = 0x30;
const INTEGER: u8 = 0x02;
const BIT_STRING: u8 = 0x03;

/// DER of the algorithms' identifiers (RFC 5480 §2.1.1, RFC 8410 §3, RFC 8017 appendix A.1).
const P256: &[u8] = b"\x30\x13\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07";
const ED25519: &[u8] = b"\x30\x05\x06\x03\x2b\x65\x70";
const RSA: &[u8] = b"\x30\x0d\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01\x05\x00";

/// The key itself: a point, or the two numbers of RSA in DER.
pub(crate) fn public_bytes(jwk: &PublicJwk) -> Vec<u8> {
    let jwk_json = serde_json::to_value(jwk).unwrap();
    let number = |name: &str| BASE64URL.decode(jwk_json[name].as_str().unwrap()).unwrap();
    match jwk.algorithm() {
        Algorithm::Es256 => [vec![4], number("x"), number("y")].concat(),
        Algorithm::EdDsa => number("x"),
        Algorithm::Rs256 => {
            // In DER a number with its first bit set would be negative.
            let n = der(INTEGER, &[vec![0], number("n")].concat());
            der(SEQUENCE, &[n, der(INTEGER, &number("e"))].concat())
        }
    }
}

/// A SubjectPublicKeyInfo (RFC 5280 §4.1.2.7) in DER.
pub(crate) fn spki(jwk: &PublicJwk) -> Vec<u8> {
    let algorithm = match jwk.algorithm() {
        Algorithm::Es256 => P256,
        Algorithm::EdDsa => ED25519,
        Algorithm::Rs256 => RSA,
    };
    let key = der(BIT_STRING, &[vec![0], public_bytes(jwk)].concat());
    der(SEQUENCE, &[algorithm.to_vec(), key].concat())
}

/// The same in PEM, as OpenSSL writes it.
pub(crate) fn spki_pem(jwk: &PublicJwk) -> String {
    let body = BASE64_STANDARD.encode(spki(jwk));
    let lines: Vec<&str> =
        body.as_bytes().chunks(64).map(|line| std::str::from_utf8(line).unwrap()).collect();
    format!("-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n", lines.join("\n"))
}

/// A tag, a length and the contents (X.690 §8.1).
pub(crate) fn der(tag: u8, contents: &[u8]) -> Vec<u8> {
    let length = contents.len();
    let [high, low] = u16::try_from(length).unwrap().to_be_bytes();
    let length = match length {
        0..128 => vec![low],
        128..256 => vec![0x81, low],
        _ => vec![0x82, high, low],
    };
    [&[tag], &length[..], contents].concat()
}

#[test]
fn a_key_is_written_as_openssl_does() {
    let private = include_str!("../vectors/pem/p256.pem");
    let (key, _) = claviger::jose::pem::import(private).unwrap();
    assert_eq!(spki_pem(key.public_jwk()), include_str!("../vectors/pem/p256-public.pem"));
}
