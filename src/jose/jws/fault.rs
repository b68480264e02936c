//! The reasons why a compact JWS is refused.

use std::fmt;

use super::UnverifiedJws;
use crate::jose::json::JsonFault;

/// Why a JWS is refused, with one variant for each rule. The text completes "the token is refused: …". It never
/// repeats content of the token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum JwsFault {
    /// The token is longer than [`UnverifiedJws::MAX_LENGTH`].
    #[error("it is longer than {} characters", UnverifiedJws::MAX_LENGTH)]
    TooLong,
    /// RFC 7515 §7.1: the three parts are header, payload and signature. Five parts are an encrypted token.
    #[error("it is not three parts with a full stop between them")]
    Parts,
    /// RFC 7515 §2: a part has padding, white space, other characters or stray bits.
    #[error("its {0} is not canonical base64url without padding")]
    Base64(Part),
    /// The header is longer than [`UnverifiedJws::MAX_HEADER`], or than a header with a public key needs to be.
    #[error("its header is too long")]
    HeaderTooLong,
    /// RFC 7515 §4: the header is not a strict JSON object.
    #[error("its header is refused: {0}")]
    Header(JsonFault),
    /// RFC 7515 §4.1.1, RFC 8725 §3.1: `alg` is missing, not a string, `none`, symmetric or unknown.
    #[error("its `alg` is none of ES256, EdDSA and RS256")]
    Algorithm,
    /// RFC 7515 §4.1.4: `kid` is missing, not a string, empty or too long.
    #[error("its `kid` is not a string of 1 to 128 characters")]
    Kid,
    /// RFC 7515 §4.1.9: `typ` is present but not a string.
    #[error("its `typ` is not a string")]
    Typ,
    /// RFC 7515 §4.1.11: the header requires extensions, and none are supported.
    #[error("its header requires extensions (`crit`), and none are understood")]
    Critical,
    /// The header supplies or names its own key (RFC 8725 §3.10), or changes how the payload is read.
    #[error("its header has `{0}`, which is not accepted")]
    Parameter(&'static str),
    /// The key that the verifier chose has another id.
    #[error("its `kid` names another key")]
    OtherKey,
    /// RFC 8725 §3.1: the key's algorithm is not the header's.
    #[error("its `alg` is not the algorithm of its key")]
    OtherAlgorithm,
    /// RFC 7515 §5.2: the signature doesn't match the bytes and the key.
    #[error("its signature is wrong")]
    Signature,
}

/// A part of a compact JWS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// The protected header, the first part.
    Header,
    /// The payload, the second part.
    Payload,
    /// The signature, the third part.
    Signature,
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Header => "header",
            Self::Payload => "payload",
            Self::Signature => "signature",
        })
    }
}
