//! The numbers of a public key.

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD as BASE64URL;
use ring::digest::{SHA256, digest};

use super::{Algorithm, JwkFault};
use crate::jose::json::{Object, Value};

/// A public key whose parts have the sizes that its algorithm requires.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum PublicKey {
    /// An uncompressed point (SEC 1 §2.3.3): 4, x, y. ring checks at every use that it is on the curve.
    P256([u8; 65]),
    /// An encoded point (RFC 8032 §5.1.5).
    Ed25519([u8; 32]),
    /// Modulus and exponent, big-endian, without leading zeros.
    Rsa { n: Vec<u8>, e: Vec<u8> },
}

impl PublicKey {
    pub(super) fn from_object(object: &Object<'_>) -> Result<Self, JwkFault> {
        match text(object, "kty")? {
            "EC" => {
                require_curve(object, "P-256")?;
                Ok(Self::p256(coordinate(object, "x")?, coordinate(object, "y")?))
            }
            "OKP" => {
                require_curve(object, "Ed25519")?;
                Ok(Self::Ed25519(coordinate(object, "x")?))
            }
            "RSA" => Self::rsa(base64url(object, "n")?, base64url(object, "e")?),
            _ => Err(JwkFault::KeyType),
        }
    }

    /// Checks modulus and exponent (RFC 7518 §6.3.1). The bounds of the exponent are those of ring for signing keys
    /// (SP 800-89 §5.3.3).
    pub(super) fn rsa(n: Vec<u8>, e: Vec<u8>) -> Result<Self, JwkFault> {
        if !is_odd_without_leading_zero(&n) || !(2048..=8192).contains(&bit_length(&n)) {
            return Err(JwkFault::Modulus);
        }
        if !is_odd_without_leading_zero(&e) || !(17..=33).contains(&bit_length(&e)) {
            return Err(JwkFault::Exponent);
        }
        Ok(Self::Rsa { n, e })
    }

    fn p256(x: [u8; 32], y: [u8; 32]) -> Self {
        let mut point = [4; 65];
        point[1..33].copy_from_slice(&x);
        point[33..].copy_from_slice(&y);
        Self::P256(point)
    }

    pub(super) fn algorithm(&self) -> Algorithm {
        match self {
            Self::P256(_) => Algorithm::Es256,
            Self::Ed25519(_) => Algorithm::EdDsa,
            Self::Rsa { .. } => Algorithm::Rs256,
        }
    }

    /// The required members of such a JWK, sorted by name. No value needs escaping.
    pub(super) fn members(&self) -> Vec<(&'static str, String)> {
        match self {
            Self::P256(point) => vec![
                ("crv", "P-256".to_owned()),
                ("kty", "EC".to_owned()),
                ("x", BASE64URL.encode(&point[1..33])),
                ("y", BASE64URL.encode(&point[33..])),
            ],
            Self::Ed25519(x) => {
                vec![("crv", "Ed25519".to_owned()), ("kty", "OKP".to_owned()), ("x", BASE64URL.encode(x))]
            }
            Self::Rsa { n, e } => {
                vec![("e", BASE64URL.encode(e)), ("kty", "RSA".to_owned()), ("n", BASE64URL.encode(n))]
            }
        }
    }

    /// RFC 7638 §3: SHA-256 of the required members only, sorted by name, without white space.
    pub(super) fn thumbprint(&self) -> String {
        let members: Vec<String> =
            self.members().iter().map(|(name, value)| format!(r#""{name}":"{value}""#)).collect();
        BASE64URL.encode(digest(&SHA256, format!("{{{}}}", members.join(",")).as_bytes()))
    }
}

pub(super) fn text<'o>(object: &'o Object<'_>, name: &'static str) -> Result<&'o str, JwkFault> {
    match object.get(name) {
        Some(Value::String(text)) => Ok(text),
        Some(_) => Err(JwkFault::NotAString(name)),
        None => Err(JwkFault::Missing(name)),
    }
}

fn require_curve(object: &Object<'_>, curve: &str) -> Result<(), JwkFault> {
    if text(object, "crv")? == curve { Ok(()) } else { Err(JwkFault::Curve) }
}

/// RFC 7518 §6.2.1.2 and RFC 8037 §2: a coordinate has its full length, leading zeros included.
fn coordinate(object: &Object<'_>, name: &'static str) -> Result<[u8; 32], JwkFault> {
    base64url(object, name)?.try_into().map_err(|_| JwkFault::Coordinate(name))
}

fn base64url(object: &Object<'_>, name: &'static str) -> Result<Vec<u8>, JwkFault> {
    BASE64URL.decode(text(object, name)?).map_err(|_| JwkFault::Base64(name))
}

/// Moduli and exponents are odd. RFC 7518 §2 forbids superfluous octets.
fn is_odd_without_leading_zero(number: &[u8]) -> bool {
    number.first().is_some_and(|first| *first != 0) && number.last().is_some_and(|last| last % 2 == 1)
}

/// The length in bits of a number without a leading zero byte.
fn bit_length(number: &[u8]) -> usize {
    let unused = number.first().map_or(0, |first| first.leading_zeros() as usize);
    (number.len() * 8).saturating_sub(unused)
}
