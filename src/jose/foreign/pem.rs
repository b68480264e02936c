//! Imports public keys in PEM (RFC 7468 §13).

use rustls_pki_types::SubjectPublicKeyInfoDer;
use rustls_pki_types::pem::PemObject;
use x509_parser::oid_registry::{OID_EC_P256, OID_KEY_TYPE_EC_PUBLIC_KEY, OID_NIST_EC_P384, OID_SIG_ED25519};
use x509_parser::prelude::FromDer;
use x509_parser::public_key::{PublicKey as Parsed, RSAPublicKey};
use x509_parser::x509::SubjectPublicKeyInfo;

use super::{Algorithm, ForeignJwkFault, Jwk};
use crate::base::text::without_byte_order_mark;
use crate::jose::jwk::public_key::PublicKey;

/// Why a PEM contains no usable public key. The text completes "the key is refused: …".
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PublicPemFault {
    /// No known block is present.
    #[error("there is no public key in PEM, which begins with a line `-----BEGIN PUBLIC KEY-----`")]
    NoKey,
    /// There is a private key, which its owner has to keep.
    #[error(
        "this is a private key, which must stay with its owner; make a new one, and register the output of \
         `openssl pkey -in KEY -pubout`"
    )]
    PrivateKey,
    /// There is a certificate.
    #[error("this is a certificate; take its key with `openssl x509 -in CERTIFICATE -pubkey -noout`")]
    Certificate,
    /// The label is `RSA PUBLIC KEY` (RFC 8017 §A.1.1).
    #[error(
        "this is an RSA key in PKCS #1 form; convert it with `openssl rsa -RSAPublicKey_in -in KEY -pubout`"
    )]
    Pkcs1,
    /// There is more than one public key.
    #[error("there are several public keys; exactly one is needed")]
    SeveralKeys,
    /// The end of the block is missing, or its content is not a public key.
    #[error("the PEM block is damaged")]
    Malformed,
    /// The kind of key is not supported, such as DSA, X25519, Ed448, P-521 or a key restricted to RSASSA-PSS.
    #[error("this public key is not a P-256, P-384, Ed25519 or RSA key")]
    Unsupported,
    /// The key breaks a rule for all keys.
    #[error(transparent)]
    Jwk(#[from] ForeignJwkFault),
}

/// Reads the only public key in `pem`. `algorithm` is the one that it is for, which only an RSA key needs. `kid` is its
/// id; the thumbprint if there is none.
///
/// # Errors
/// [`PublicPemFault`] says what the PEM contains instead.
pub fn import_public(
    pem: &str,
    algorithm: Option<Algorithm>,
    kid: Option<String>,
) -> Result<Jwk, PublicPemFault> {
    let pem = without_byte_order_mark(pem);
    require_one_public_key(pem)?;
    let der =
        SubjectPublicKeyInfoDer::from_pem_slice(pem.as_bytes()).map_err(|_| PublicPemFault::Malformed)?;
    let (rest, info) = SubjectPublicKeyInfo::from_der(&der).map_err(|_| PublicPemFault::Malformed)?;
    if !rest.is_empty() {
        return Err(PublicPemFault::Malformed);
    }
    Ok(Jwk::new(numbers(&info)?, algorithm, kid)?)
}

fn require_one_public_key(pem: &str) -> Result<(), PublicPemFault> {
    let labels: Vec<&str> = pem
        .lines()
        .filter_map(|line| line.trim_end().strip_prefix("-----BEGIN ")?.strip_suffix("-----"))
        .collect();
    if labels.iter().any(|label| label.ends_with("PRIVATE KEY")) {
        return Err(PublicPemFault::PrivateKey);
    }
    match labels[..] {
        ["PUBLIC KEY"] => Ok(()),
        ["RSA PUBLIC KEY"] => Err(PublicPemFault::Pkcs1),
        ["CERTIFICATE", ..] => Err(PublicPemFault::Certificate),
        [] => Err(PublicPemFault::NoKey),
        [_] => Err(PublicPemFault::Unsupported),
        [..] => Err(PublicPemFault::SeveralKeys),
    }
}

/// RFC 5480 §2.1.1, RFC 8410 §3, RFC 8017 §A.1.
fn numbers(info: &SubjectPublicKeyInfo<'_>) -> Result<PublicKey, PublicPemFault> {
    let bytes = &*info.subject_public_key.data;
    let algorithm = &info.algorithm.algorithm;
    if *algorithm == OID_KEY_TYPE_EC_PUBLIC_KEY {
        let curve = info.algorithm.parameters.as_ref().and_then(|parameters| parameters.as_oid().ok());
        return match curve {
            Some(curve) if curve == OID_EC_P256 => uncompressed(bytes).map(PublicKey::P256),
            Some(curve) if curve == OID_NIST_EC_P384 => uncompressed(bytes).map(PublicKey::P384),
            _ => Err(PublicPemFault::Unsupported),
        };
    }
    if *algorithm == OID_SIG_ED25519 {
        return bytes.try_into().map(PublicKey::Ed25519).map_err(|_| PublicPemFault::Malformed);
    }
    match info.parsed() {
        Ok(Parsed::RSA(RSAPublicKey { modulus, exponent })) => {
            let number = |bytes: &[u8]| bytes.iter().copied().skip_while(|byte| *byte == 0).collect();
            PublicKey::rsa(number(modulus), number(exponent))
                .map_err(|fault| PublicPemFault::Jwk(ForeignJwkFault::from(fault)))
        }
        Ok(_) => Err(PublicPemFault::Unsupported),
        Err(_) => Err(PublicPemFault::Malformed),
    }
}

/// SEC 1 §2.3.3: 4, x, y. Compressed points are not supported.
fn uncompressed<const LENGTH: usize>(bytes: &[u8]) -> Result<[u8; LENGTH], PublicPemFault> {
    let point = <[u8; LENGTH]>::try_from(bytes).map_err(|_| PublicPemFault::Unsupported)?;
    if point.first() == Some(&4) { Ok(point) } else { Err(PublicPemFault::Unsupported) }
}
