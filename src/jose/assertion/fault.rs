//! The reasons why an assertion is refused.

use super::MAX_LIFETIME;
use crate::jose::foreign::ForeignJwsFault;
use crate::jose::json::JsonFault;

/// Why an assertion is refused, with one variant for each rule of RFC 7523 §3. The text completes "the assertion is
/// refused: …". It never repeats content of the assertion.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AssertionFault {
    /// The assertion is no acceptable JWS.
    #[error(transparent)]
    Jws(ForeignJwsFault),
    /// RFC 8725 §3.11: the assertion has the type of another kind of token.
    #[error("its `typ` is neither absent nor `JWT` nor `client-authentication+jwt`")]
    Type,
    /// RFC 7519 §7.2: the payload is not a strict JSON object.
    #[error("its payload is refused: {0}")]
    Payload(JsonFault),
    /// A required claim is missing.
    #[error("`{0}` is missing")]
    Missing(&'static str),
    /// The claim is not a string, is empty or too long, or has control characters.
    #[error("`{0}` is not a string of the right form")]
    NotAString(&'static str),
    /// The claim is not a time in whole seconds.
    #[error("`{0}` is not a time in whole seconds since 1970")]
    NotATime(&'static str),
    /// RFC 7519 §4.1.3: `aud` is neither a string nor a non-empty array of strings.
    #[error("`aud` is neither a string nor an array of strings")]
    NotAnAudience,
    /// RFC 7523 §3: `iss` and `sub` are not the same client.
    #[error("`iss` and `sub` are not both the client's id, key_…")]
    Subject,
    /// RFC 7521 §4.2: `client_id` is another client.
    #[error("`client_id` of the request is not its `sub`")]
    OtherClient,
    /// The algorithm is not among those that this server accepts for assertions.
    #[error("its `alg` is not accepted here; the server's metadata lists those that are")]
    Algorithm,
    /// RFC 7523 §3: the assertion is not for this issuer alone.
    #[error("`aud` is not the issuer's URL alone, as it is in the server's metadata")]
    Audience,
    /// FAPI 2.0 Security Profile §5.3.2.1: `aud` is an array, where only a string is accepted.
    #[error("`aud` is an array; this server accepts the issuer's URL as a string only")]
    AudienceList,
    /// `nbf` or `iat` is in the future.
    #[error("`nbf` or `iat` is in the future")]
    NotYetValid,
    /// `exp` is over.
    #[error("it has expired")]
    Expired,
    /// `exp` is more than [`MAX_LIFETIME`] in the future.
    #[error("`exp` is more than {MAX_LIFETIME} seconds in the future")]
    TooLong,
    /// RFC 7523 §3: an assertion with this `jti` was used before.
    #[error("its `jti` was used before; sign a new assertion for each request")]
    Replayed,
}

impl From<ForeignJwsFault> for AssertionFault {
    fn from(fault: ForeignJwsFault) -> Self {
        Self::Jws(fault)
    }
}
