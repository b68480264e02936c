//! The reasons why a proof is refused.

use super::{MAX_TOKEN_ID, WINDOW};
use crate::jose::foreign::ForeignJwsFault;
use crate::jose::json::JsonFault;
use crate::jose::jws::JwsFault;

/// Why a proof is refused, with one variant for each rule of RFC 9449 §4.3. The text completes "the proof is refused: …".
/// It never repeats content of the proof.
///
/// The form, the type, the algorithm and the key are checked first, then the signature, then the claims in the order of
/// the variants.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ProofFault {
    /// The proof is not an acceptable JWS with a public key in its header, or its signature is wrong.
    #[error(transparent)]
    Jws(#[from] ForeignJwsFault),
    /// `typ` is missing or is another type.
    #[error("its `typ` is not `dpop+jwt`")]
    Type,
    /// The algorithm is known, but not accepted here.
    #[error("its `alg` is not accepted here")]
    Algorithm,
    /// RFC 7519 §7.2: the payload is not a strict JSON object.
    #[error("its payload is refused: {0}")]
    Payload(JsonFault),
    /// A required claim is missing.
    #[error("`{0}` is missing")]
    Missing(&'static str),
    /// The claim is not a string.
    #[error("`{0}` is not a string")]
    NotText(&'static str),
    /// The time is not in whole seconds.
    #[error("`{0}` is not a time in whole seconds since 1970")]
    NotTime(&'static str),
    /// `jti` is empty or too long.
    #[error("`jti` is not a string of 1 to {MAX_TOKEN_ID} characters")]
    TokenId,
    /// `htm` is another method. Methods are case-sensitive (RFC 9110 §9.1).
    #[error("`htm` is not the method of the request")]
    Method,
    /// `htu` is not an http or https URL.
    #[error("`htu` is not an absolute http or https URL")]
    NotAUrl,
    /// `htu` is another URL than the one that the request was sent to.
    #[error("`htu` is not the URL of the request")]
    Target,
    /// `iat` is too far in the future.
    #[error("`iat` is more than {WINDOW} seconds in the future")]
    IssuedInFuture,
    /// `iat` is too long ago.
    #[error("`iat` is more than {WINDOW} seconds ago")]
    Stale,
    /// RFC 7519 §4.1.4: the time is `exp` or later. A proof needs no `exp`.
    #[error("it has expired")]
    Expired,
    /// RFC 7519 §4.1.5: `nbf` is too far in the future. A proof needs no `nbf`.
    #[error("`nbf` is more than {WINDOW} seconds in the future")]
    NotYetValid,
    /// `ath` is not the hash of the token that the proof came with.
    #[error("`ath` is not the SHA-256 of the access token in base64url")]
    TokenHash,
    /// The proof has no nonce, and one is required (RFC 9449 §8, §9).
    #[error("it needs the nonce in `DPoP-Nonce`")]
    NoNonce,
    /// The nonce is not a current one of this server.
    #[error("its nonce is not current; use the one in `DPoP-Nonce`")]
    Nonce,
}

impl ProofFault {
    /// Whether the client should try again with the server's nonce (`use_dpop_nonce`).
    pub fn wants_nonce(self) -> bool {
        matches!(self, Self::NoNonce | Self::Nonce)
    }
}

impl From<JwsFault> for ProofFault {
    fn from(fault: JwsFault) -> Self {
        Self::Jws(fault.into())
    }
}
