//! What can be wrong with a key.

use super::{Algorithm, Jwks};
use crate::jose::json::JsonFault;

/// Why a JWK is not usable. Displayed, it completes "the key is refused: …".
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum JwkFault {
    /// It is not a strict JSON object.
    #[error(transparent)]
    Json(#[from] JsonFault),
    /// A required member is missing.
    #[error("`{0}` is missing")]
    Missing(&'static str),
    /// A member that must be a string is something else.
    #[error("`{0}` is not a string")]
    NotAString(&'static str),
    /// RFC 7517 §4.1.
    #[error("`kty` is none of EC, OKP and RSA")]
    KeyType,
    /// RFC 7518 §6.2.1.1, RFC 8037 §2.
    #[error("`crv` is neither P-256 (in an EC key) nor Ed25519 (in an OKP key)")]
    Curve,
    /// A private or symmetric key is where a public one should be.
    #[error("`{0}` is secret and has no place in a public key")]
    Secret(&'static str),
    /// RFC 7517 §4.2.
    #[error("`use` is not `sig`")]
    Use,
    /// RFC 7517 §4.3.
    #[error("`key_ops` is not an array that contains `verify`")]
    KeyOps,
    /// RFC 7517 §4.4: the key is for another algorithm than the given one, which is what fits it.
    #[error("`alg` is not {0}, the one algorithm that fits the key")]
    Algorithm(Algorithm),
    /// The id is not the key's RFC 7638 thumbprint.
    #[error("`kid` is not the key's SHA-256 thumbprint")]
    Kid,
    /// RFC 7517 §4.5: another key of the set has the same id, so that it names neither.
    #[error("another key of the set has the same `kid`")]
    SameKid,
    /// Padded, with stray bits, or with other characters.
    #[error("`{0}` is not canonical base64url without padding")]
    Base64(&'static str),
    /// RFC 7518 §6.2.1.2, RFC 8037 §2.
    #[error("`{0}` is not 32 bytes long")]
    Coordinate(&'static str),
    /// Even, of another size, or with a leading zero byte (RFC 7518 §2).
    #[error("`n` is not an RSA modulus of 2048 to 8192 bits")]
    Modulus,
    /// Even, out of range, or with a leading zero byte.
    #[error("`e` is not an odd number of 17 to 33 bits")]
    Exponent,
}

/// Why a text is not a JWK Set. Displayed, it completes "the key set is refused: …".
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum JwksFault {
    /// It is longer than [`Jwks::MAX_LENGTH`].
    #[error("it is longer than {} bytes", Jwks::MAX_LENGTH)]
    TooLong,
    /// It is not a strict JSON object.
    #[error(transparent)]
    Json(#[from] JsonFault),
    /// RFC 7517 §5.1 requires `keys`.
    #[error("it has no array `keys`")]
    NoKeys,
}

/// Why there is no signing key.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeyFault {
    /// RSA keys are made elsewhere.
    #[error("RS256 keys can't be generated here: make one with openssl and import its PEM")]
    CannotGenerateRsa,
    /// The system's random number generator failed.
    #[error("the system's random number generator failed")]
    NoRandomness,
    /// The bytes are no private key for the algorithm, or its halves don't belong together.
    #[error("this is not a usable {algorithm} key in PKCS#8 ({reason})")]
    Rejected {
        /// What it should have been a key for.
        algorithm: Algorithm,
        /// The word of the library that read it.
        reason: String,
    },
}

/// ring refused to sign: its randomness failed, or the parts of an RSA key contradict each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the signature could not be made")]
pub struct SigningFailed;
