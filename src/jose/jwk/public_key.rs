//! The numbers of a public key.

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD as BASE64URL;
use ring::digest::{SHA256, digest};

use super::{Algorithm, JwkFault, Thumbprint};
use crate::jose::json::{Object, Value};

/// A public key whose parts have the sizes that its kind requires.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::jose) enum PublicKey {
    /// An uncompressed point (SEC 1 §2.3.3): 4, x, y. ring checks at every use that it is on the curve.
    P256([u8; 65]),
    /// The same on the curve P-384. This issuer has no such keys, but others have.
    P384([u8; 97]),
    /// An encoded point (RFC 8032 §5.1.5).
    Ed25519([u8; 32]),
    /// Modulus and exponent, big-endian, without leading zeros.
    Rsa { n: Vec<u8>, e: Vec<u8> },
}

impl PublicKey {
    pub(in crate::jose) fn from_object(object: &Object<'_>) -> Result<Self, JwkFault> {
        match text(object, "kty")? {
            "EC" => match text(object, "crv")? {
                "P-256" => Ok(Self::P256(point::<32, 65>(object)?)),
                "P-384" => Ok(Self::P384(point::<48, 97>(object)?)),
                _ => Err(JwkFault::Curve),
            },
            "OKP" => match text(object, "crv")? {
                "Ed25519" => Ok(Self::Ed25519(coordinate(object, "x")?)),
                _ => Err(JwkFault::Curve),
            },
            "RSA" => Self::rsa(base64url(object, "n")?, base64url(object, "e")?),
            _ => Err(JwkFault::KeyType),
        }
    }

    /// Checks modulus and exponent (RFC 7518 §6.3.1). The bounds of the exponent are those of ring for signing keys
    /// (SP 800-89 §5.3.3).
    pub(in crate::jose) fn rsa(n: Vec<u8>, e: Vec<u8>) -> Result<Self, JwkFault> {
        if !is_odd_without_leading_zero(&n) || !(2048..=8192).contains(&bit_length(&n)) {
            return Err(JwkFault::Modulus);
        }
        if !is_odd_without_leading_zero(&e) || !(17..=33).contains(&bit_length(&e)) {
            return Err(JwkFault::Exponent);
        }
        Ok(Self::Rsa { n, e })
    }

    /// The algorithm of a key that this issuer may have. `None` for the kinds that only others have.
    pub(super) fn issuer_algorithm(&self) -> Option<Algorithm> {
        match self {
            Self::P256(_) => Some(Algorithm::Es256),
            Self::P384(_) => None,
            Self::Ed25519(_) => Some(Algorithm::EdDsa),
            Self::Rsa { .. } => Some(Algorithm::Rs256),
        }
    }

    /// The required members of such a JWK, sorted by name. No value needs escaping.
    pub(in crate::jose) fn members(&self) -> Vec<(&'static str, String)> {
        match self {
            Self::P256(point) => elliptic("P-256", point),
            Self::P384(point) => elliptic("P-384", point),
            Self::Ed25519(x) => {
                vec![("crv", "Ed25519".to_owned()), ("kty", "OKP".to_owned()), ("x", BASE64URL.encode(x))]
            }
            Self::Rsa { n, e } => {
                vec![("e", BASE64URL.encode(e)), ("kty", "RSA".to_owned()), ("n", BASE64URL.encode(n))]
            }
        }
    }

    /// RFC 7638 §3: SHA-256 of the required members only, sorted by name, without white space.
    pub(in crate::jose) fn thumbprint(&self) -> Thumbprint {
        let members: Vec<String> =
            self.members().iter().map(|(name, value)| format!(r#""{name}":"{value}""#)).collect();
        let mut bytes = [0; 32];
        bytes.copy_from_slice(digest(&SHA256, format!("{{{}}}", members.join(",")).as_bytes()).as_ref());
        Thumbprint::from_digest(bytes)
    }
}

pub(in crate::jose) fn text<'o>(object: &'o Object<'_>, name: &'static str) -> Result<&'o str, JwkFault> {
    match object.get(name) {
        Some(Value::String(text)) => Ok(text),
        Some(_) => Err(JwkFault::NotAString(name)),
        None => Err(JwkFault::Missing(name)),
    }
}

/// The members of a key on an elliptic curve, from its uncompressed point.
fn elliptic(curve: &str, point: &[u8]) -> Vec<(&'static str, String)> {
    let (x, y) = point[1..].split_at(point.len() / 2);
    vec![
        ("crv", curve.to_owned()),
        ("kty", "EC".to_owned()),
        ("x", BASE64URL.encode(x)),
        ("y", BASE64URL.encode(y)),
    ]
}

/// The uncompressed point of a key whose coordinates have `SIZE` bytes. `LENGTH` is twice that and one more.
fn point<const SIZE: usize, const LENGTH: usize>(object: &Object<'_>) -> Result<[u8; LENGTH], JwkFault> {
    let (x, y) = (coordinate::<SIZE>(object, "x")?, coordinate::<SIZE>(object, "y")?);
    let mut point = [4; LENGTH];
    point[1..=SIZE].copy_from_slice(&x);
    point[SIZE + 1..].copy_from_slice(&y);
    Ok(point)
}

/// RFC 7518 §6.2.1.2 and RFC 8037 §2: a coordinate has its full length, leading zeros included.
fn coordinate<const SIZE: usize>(object: &Object<'_>, name: &'static str) -> Result<[u8; SIZE], JwkFault> {
    base64url(object, name)?.try_into().map_err(|_| JwkFault::Coordinate(name, SIZE))
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
