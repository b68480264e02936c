//! What can be wrong with an access token.

use super::{MAX_ACTORS, MAX_LIFETIME};
use crate::jose::json::JsonFault;
use crate::jose::jws::JwsFault;

/// Why an access token is refused: one variant for each rule. Displayed, it completes "the token is refused:
/// …". It never repeats what the token says.
///
/// Form, type and key come first, then the signature, then the claims in the order of the variants: so
/// [`TokenFault::Expired`] is said only of a token that is good in every other respect.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TokenFault {
    /// It is no acceptable JWS, or its signature is wrong.
    #[error(transparent)]
    Jws(#[from] JwsFault),
    /// RFC 9068 §4: `typ` is missing or another one.
    #[error("its `typ` is not `at+jwt`")]
    Type,
    /// No key with the id in `kid` is known.
    #[error("its `kid` names no known key")]
    UnknownKey,
    /// RFC 7519 §7.2: the payload is no strict JSON object.
    #[error("its payload is refused: {0}")]
    Payload(JsonFault),
    /// RFC 9068 §2.2, and what this issuer adds: a claim is missing.
    #[error("`{0}` is missing")]
    Missing(&'static str),
    /// The claim is not a string, is empty, has control characters, or does not read as what it is.
    #[error("`{0}` is not a string of the right form")]
    NotText(&'static str),
    /// The claim is not an array of strings, is empty, or one of the strings is, or does not read as what it is.
    #[error("`{0}` is not an array of strings of the right form")]
    NotTexts(&'static str),
    /// RFC 7519 §4.1.3: neither a string nor an array of at least one.
    #[error("`aud` is neither a string nor an array of strings")]
    NotAudience,
    /// RFC 7519 §2 would allow fractions; this issuer writes whole seconds.
    #[error("`{0}` is not a time in whole seconds since 1970")]
    NotTime(&'static str),
    /// A generation is a whole number from 0.
    #[error("`gen` is not a whole number from 0")]
    NotGeneration,
    /// RFC 8693 §4.1: `act` is not an object, or nests too deep.
    #[error("`act` is not an object nested at most {MAX_ACTORS} deep")]
    NotActor,
    /// RFC 7800 §3.1: it is bound to a key that its sender has to prove to hold, and Bearer proves nothing.
    #[error("`cnf` binds it to a key, and sent as Bearer it proves nothing of that")]
    Bound,
    /// RFC 9068 §4: `iss` is not exactly the expected issuer.
    #[error("`iss` is another issuer")]
    Issuer,
    /// RFC 9068 §4: `aud` contains none of the expected audiences.
    #[error("`aud` does not contain this resource server")]
    Audience,
    /// `exp` is not after `iat`.
    #[error("`exp` is not after `iat`")]
    NoLifetime,
    /// `exp` is more than [`MAX_LIFETIME`] after `iat`.
    #[error("`exp` is more than {MAX_LIFETIME} seconds after `iat`")]
    Lifetime,
    /// `iat` is in the future.
    #[error("`iat` is in the future")]
    IssuedInFuture,
    /// RFC 7519 §4.1.5.
    #[error("`nbf` is in the future")]
    NotYetValid,
    /// RFC 7519 §4.1.4.
    #[error("it has expired")]
    Expired,
}
