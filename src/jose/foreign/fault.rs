//! The reasons why a key or a signature of somebody else is refused.

use super::{Algorithm, UnknownAlgorithm};
use crate::jose::jwk::{JsonFault, JwkFault};
use crate::jose::jws::JwsFault;

/// Why a public key is refused. The text completes "the key is refused: …".
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ForeignJwkFault {
    /// The key breaks a rule for all keys.
    #[error(transparent)]
    Jwk(JwkFault),
    /// The curve is unknown, or doesn't fit the key type (RFC 7518 §6.2.1.1, RFC 8037 §2).
    #[error("`crv` is none of P-256, P-384 (in an EC key) and Ed25519 (in an OKP key)")]
    Curve,
    /// RFC 7517 §4.4: `alg` is no accepted algorithm.
    #[error("`alg` is refused: {0}")]
    UnknownAlgorithm(UnknownAlgorithm),
    /// RFC 7517 §4.4: `alg` is for another kind of key.
    #[error("`alg` is {0}, which is for another kind of key")]
    OtherAlgorithm(Algorithm),
    /// RFC 8725 §3.1: a key is for one algorithm, and an RSA key doesn't tell for which.
    #[error("`alg` is missing: an RSA key is for one of PS256 and RS256, and has to say for which")]
    NoAlgorithm,
    /// RFC 7517 §4.5: `kid` is empty, too long or has control characters.
    #[error("`kid` is not a string of 1 to 128 characters without control characters")]
    Kid,
}

impl From<JwkFault> for ForeignJwkFault {
    fn from(fault: JwkFault) -> Self {
        match fault {
            JwkFault::Curve => Self::Curve,
            fault => Self::Jwk(fault),
        }
    }
}

impl From<JsonFault> for ForeignJwkFault {
    fn from(fault: JsonFault) -> Self {
        Self::Jwk(JwkFault::Json(fault))
    }
}

/// Why a compact JWS of somebody else is refused. The text completes "the token is refused: …". It never repeats
/// content of the token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ForeignJwsFault {
    /// The token breaks a rule for all tokens.
    #[error(transparent)]
    Jws(#[from] JwsFault),
    /// RFC 7515 §4.1.1, RFC 8725 §3.1: `alg` is missing, not a string, `none`, symmetric or unknown.
    #[error("its `alg` is none of ES256, ES384, EdDSA (Ed25519), PS256, RS256, RS384 and RS512")]
    Algorithm,
    /// RFC 9449 §4.2: a proof lacks the public key that it proves the possession of, or the key is refused.
    #[error("its `jwk` is refused: {0}")]
    Jwk(ForeignJwkFault),
}
