//! The reasons why an access token is refused.

use super::{MAX_ACTORS, MAX_LIFETIME};
use crate::jose::json::JsonFault;
use crate::jose::jws::JwsFault;

/// Why an access token is refused, with one variant for each rule. The text completes "the token is refused: …". It
/// never repeats content of the token.
///
/// Verification checks the form, the type and the key first, then the signature, then the claims in the order of the
/// variants. [`TokenFault::Expired`] therefore means that the token is valid in every other respect.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TokenFault {
    /// The token is not an acceptable JWS, or its signature is wrong.
    #[error(transparent)]
    Jws(#[from] JwsFault),
    /// RFC 9068 §4: `typ` is missing or is another type.
    #[error("its `typ` is not `at+jwt`")]
    Type,
    /// No known key has the id in `kid`.
    #[error("its `kid` names no known key")]
    UnknownKey,
    /// RFC 7519 §7.2: the payload is not a strict JSON object.
    #[error("its payload is refused: {0}")]
    Payload(JsonFault),
    /// A claim that RFC 9068 §2.2 or this issuer requires is missing.
    #[error("`{0}` is missing")]
    Missing(&'static str),
    /// The claim is not a string, is empty, has control characters, or is malformed for its kind.
    #[error("`{0}` is not a string of the right form")]
    NotText(&'static str),
    /// The claim is not an array of strings, or it or one of the strings is empty or malformed.
    #[error("`{0}` is not an array of strings of the right form")]
    NotTexts(&'static str),
    /// RFC 7519 §4.1.3: `aud` is neither a string nor a non-empty array of strings.
    #[error("`aud` is neither a string nor an array of strings")]
    NotAudience,
    /// The time is not in whole seconds. RFC 7519 §2 would allow fractions, but this issuer never writes them.
    #[error("`{0}` is not a time in whole seconds since 1970")]
    NotTime(&'static str),
    /// `gen` is not a whole number from 0.
    #[error("`gen` is not a whole number from 0")]
    NotGeneration,
    /// RFC 8693 §4.1: `act` is not an object, or is nested too deeply.
    #[error("`act` is not an object nested at most {MAX_ACTORS} deep")]
    NotActor,
    /// RFC 7800 §3.1: `cnf` has another method than `jkt` (RFC 9449 §6.1), or more than one, or a malformed thumbprint.
    #[error("`cnf` has something else than the thumbprint of a key, `jkt`")]
    Confirmation,
    /// RFC 9068 §4: `iss` differs from the expected issuer.
    #[error("`iss` is another issuer")]
    Issuer,
    /// RFC 9068 §4: `aud` contains none of the expected audiences.
    #[error("`aud` does not contain this resource server")]
    Audience,
    /// RFC 9449 §7.1: the token is bound to a key, and was presented as Bearer, which proves no key.
    #[error("it is bound to a key: it needs the scheme DPoP, and a proof of that key")]
    Bound,
    /// RFC 9449 §7.1: the token is bound to no key, and was presented with the scheme DPoP.
    #[error("it is bound to no key: its scheme is Bearer, and not DPoP")]
    NotBound,
    /// RFC 9449 §7.1: the token is bound to another key than the one that the sender proved to have.
    #[error("it is bound to another key than that of the proof")]
    BoundToOther,
    /// `exp` is not after `iat`.
    #[error("`exp` is not after `iat`")]
    NoLifetime,
    /// `exp` is more than [`MAX_LIFETIME`] after `iat`.
    #[error("`exp` is more than {MAX_LIFETIME} seconds after `iat`")]
    Lifetime,
    /// `iat` is in the future.
    #[error("`iat` is in the future")]
    IssuedInFuture,
    /// RFC 7519 §4.1.5: `nbf` is in the future.
    #[error("`nbf` is in the future")]
    NotYetValid,
    /// RFC 7519 §4.1.4: the time is `exp` or later.
    #[error("it has expired")]
    Expired,
}
