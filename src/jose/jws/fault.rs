//! What can be wrong with a compact JWS.

use std::fmt;

use super::UnverifiedJws;
use crate::jose::json::JsonFault;

/// Why a JWS is refused: one variant for each rule. Displayed, it completes "the token is refused: …". It
/// never repeats what the token says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum JwsFault {
    /// It is longer than [`UnverifiedJws::MAX_LENGTH`].
    #[error("it is longer than {} characters", UnverifiedJws::MAX_LENGTH)]
    TooLong,
    /// RFC 7515 §7.1: header, payload, signature. Five parts are an encrypted token.
    #[error("it is not three parts with a full stop between them")]
    Parts,
    /// RFC 7515 §2: padding, white space, other characters, or bits that belong to no byte.
    #[error("its {0} is not canonical base64url without padding")]
    Base64(Part),
    /// The header is longer than [`UnverifiedJws::MAX_HEADER`].
    #[error("its header is longer than {} characters", UnverifiedJws::MAX_HEADER)]
    HeaderTooLong,
    /// RFC 7515 §4: the header is no strict JSON object.
    #[error("its header is refused: {0}")]
    Header(JsonFault),
    /// RFC 7515 §4.1.1, RFC 8725 §3.1: missing, not a string, `none`, with a shared secret, or unknown.
    #[error("its `alg` is none of ES256, EdDSA and RS256")]
    Algorithm,
    /// RFC 7515 §4.1.4: missing, not a string, empty or overlong.
    #[error("its `kid` is not a string of 1 to 128 characters")]
    Kid,
    /// RFC 7515 §4.1.9: there, but not a string.
    #[error("its `typ` is not a string")]
    Typ,
    /// RFC 7515 §4.1.11: extensions that must be understood; none are.
    #[error("its header requires extensions (`crit`), and none are understood")]
    Critical,
    /// The header would bring or name a key of its own (RFC 8725 §3.10), or change how the payload is read.
    #[error("its header has `{0}`, which is not accepted")]
    Parameter(&'static str),
    /// The key that the verifier chose has another id.
    #[error("its `kid` names another key")]
    OtherKey,
    /// RFC 8725 §3.1: the key is not for the header's algorithm.
    #[error("its `alg` is not the algorithm of its key")]
    OtherAlgorithm,
    /// RFC 7515 §5.2: the signature is not this key's of these bytes.
    #[error("its signature is wrong")]
    Signature,
}

/// A part of a compact JWS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// The first.
    Header,
    /// The second.
    Payload,
    /// The third.
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
