//! The reasons why a key is refused.

use super::{Algorithm, Jwks};
use crate::jose::json::JsonFault;

/// Why a JWK is refused. The text completes "the key is refused: …".
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum JwkFault {
    /// The text is not a strict JSON object.
    #[error(transparent)]
    Json(#[from] JsonFault),
    /// A required member is missing.
    #[error("`{0}` is missing")]
    Missing(&'static str),
    /// A member is not a string, but must be.
    #[error("`{0}` is not a string")]
    NotAString(&'static str),
    /// RFC 7517 §4.1: the key type is unknown.
    #[error("`kty` is none of EC, OKP and RSA")]
    KeyType,
    /// The curve is unknown, or doesn't fit the key type (RFC 7518 §6.2.1.1, RFC 8037 §2).
    #[error("`crv` is neither P-256 (in an EC key) nor Ed25519 (in an OKP key)")]
    Curve,
    /// The key is private or symmetric, in place of a public one.
    #[error("`{0}` is secret and has no place in a public key")]
    Secret(&'static str),
    /// RFC 7517 §4.2: the key is not for signatures.
    #[error("`use` is not `sig`")]
    Use,
    /// RFC 7517 §4.3: the key is not for verification.
    #[error("`key_ops` is not an array that contains `verify`")]
    KeyOps,
    /// RFC 7517 §4.4: `alg` differs from the given algorithm, the only one that fits the key.
    #[error("`alg` is not {0}, the one algorithm that fits the key")]
    Algorithm(Algorithm),
    /// The id is not the key's RFC 7638 thumbprint.
    #[error("`kid` is not the key's SHA-256 thumbprint")]
    Kid,
    /// RFC 7517 §4.5: another key of the set has the same id, so the id is ambiguous.
    #[error("another key of the set has the same `kid`")]
    SameKid,
    /// The member has padding, stray bits or other characters.
    #[error("`{0}` is not canonical base64url without padding")]
    Base64(&'static str),
    /// The coordinate doesn't have its full length in bytes (RFC 7518 §6.2.1.2, RFC 8037 §2).
    #[error("`{0}` is not {1} bytes long")]
    Coordinate(&'static str, usize),
    /// The modulus is even, has an unsupported size, or has a leading zero byte (RFC 7518 §2).
    #[error("`n` is not an RSA modulus of 2048 to 8192 bits")]
    Modulus,
    /// The exponent is even, out of range, or has a leading zero byte.
    #[error("`e` is not an odd number of 17 to 33 bits")]
    Exponent,
}

/// Why a text is not a JWK Set. The text of the error completes "the key set is refused: …".
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum JwksFault {
    /// The text is longer than [`Jwks::MAX_LENGTH`].
    #[error("it is longer than {} bytes", Jwks::MAX_LENGTH)]
    TooLong,
    /// The text is not a strict JSON object.
    #[error(transparent)]
    Json(#[from] JsonFault),
    /// The array `keys` is missing, which RFC 7517 §5.1 requires.
    #[error("it has no array `keys`")]
    NoKeys,
}

/// Why a signing key can't be generated or read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeyFault {
    /// RSA keys can only be imported.
    #[error("RS256 keys can't be generated here: make one with openssl and import its PEM")]
    CannotGenerateRsa,
    /// The system's random number generator failed.
    #[error("the system's random number generator failed")]
    NoRandomness,
    /// The bytes are not a private key for the algorithm, or the key's halves don't match.
    #[error("this is not a usable {algorithm} key in PKCS#8 ({reason})")]
    Rejected {
        /// The expected algorithm.
        algorithm: Algorithm,
        /// The reason that the library gives.
        reason: String,
    },
}

/// ring refused to sign: its randomness failed, or the parts of an RSA key contradict each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the signature could not be made")]
pub struct SigningFailed;
