//! Decides whether an access token is valid, by RFC 9068 §4, RFC 8725 and this issuer's own rules.

use std::borrow::Borrow;

use super::{ACCESS_TOKEN_TYPE, Claims, MAX_LIFETIME, Presentation, TokenFault};
use crate::base::clock::Timestamp;
use crate::jose::jwk::VerifyingKey;
use crate::jose::jws::UnverifiedJws;

/// The expectations that a token is checked against.
#[derive(Clone, Copy, Debug)]
pub struct Rules<'a> {
    /// The issuer, compared byte for byte.
    pub issuer: &'a str,
    /// The expected audience.
    pub audience: Audience<'a>,
    /// How the token was presented.
    pub presentation: Presentation,
    /// The current time.
    pub now: Timestamp,
    /// How far the issuer's clock may be off.
    pub leeway: Leeway,
}

/// The audiences that a verifier accepts.
#[derive(Clone, Copy, Debug)]
pub enum Audience<'a> {
    /// The token must name at least one of these, compared byte for byte. An empty list accepts no token.
    OneOf(&'a [&'a str]),
    /// Any audience. This is for the issuer itself, which introspects and revokes tokens for other audiences.
    Any,
}

/// How many seconds two clocks may differ, at most 30.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Leeway(i64);

impl Leeway {
    /// No difference.
    pub const NONE: Self = Self(0);

    /// The maximum of 30 seconds.
    pub const MAX: Self = Self(30);

    /// A leeway of `seconds`; `None` if that exceeds [`Leeway::MAX`].
    pub const fn from_seconds(seconds: u8) -> Option<Self> {
        let leeway = Self(seconds as i64);
        if leeway.0 <= Self::MAX.0 { Some(leeway) } else { None }
    }

    /// The leeway in seconds.
    pub const fn seconds(self) -> i64 {
        self.0
    }
}

/// Verifies an access token and returns its claims. `key_for` looks up a key by its id. No key is ever taken from the
/// token, or from a place that the token names.
///
/// The caller must still check whether the token is revoked, and whether the client's address is within `cidrs`.
///
/// # Errors
/// [`TokenFault`] names the first rule that the token breaks.
pub fn verify_access_token<K: Borrow<VerifyingKey>>(
    token: &str,
    key_for: impl FnOnce(&str) -> Option<K>,
    rules: &Rules<'_>,
) -> Result<Claims, TokenFault> {
    let claims = authentic_claims(token, key_for)?;
    rules.check(&claims)?;
    Ok(claims)
}

/// The claims of an access token with a valid signature. The caller must still check them against [`Rules`].
///
/// # Errors
/// The [`TokenFault`]s before [`TokenFault::Issuer`].
pub(crate) fn authentic_claims<K: Borrow<VerifyingKey>>(
    token: &str,
    key_for: impl FnOnce(&str) -> Option<K>,
) -> Result<Claims, TokenFault> {
    let unverified = UnverifiedJws::parse(token)?;
    let header = unverified.header();
    // RFC 8725 §3.11: a signature for another purpose doesn't count.
    if !header.is_type(ACCESS_TOKEN_TYPE) {
        return Err(TokenFault::Type);
    }
    let key = key_for(header.kid()).ok_or(TokenFault::UnknownKey)?;
    let verified = unverified.verify(key.borrow())?;
    Claims::parse(verified.payload())
}

impl Rules<'_> {
    /// Checks claims against these rules, as [`verify_access_token`] does. A caller that caches the claims of a
    /// verified token repeats this check at each use.
    ///
    /// # Errors
    /// The [`TokenFault`]s from [`TokenFault::Issuer`] on.
    pub fn check(&self, claims: &Claims) -> Result<(), TokenFault> {
        if claims.issuer != self.issuer {
            return Err(TokenFault::Issuer);
        }
        if !self.audience.admits(claims) {
            return Err(TokenFault::Audience);
        }
        self.presentation.check(claims.confirmation)?;
        self.check_times(claims)
    }

    fn check_times(&self, claims: &Claims) -> Result<(), TokenFault> {
        let lifetime = claims.expires_at.since(claims.issued_at);
        if lifetime <= 0 {
            return Err(TokenFault::NoLifetime);
        }
        if lifetime > MAX_LIFETIME {
            return Err(TokenFault::Lifetime);
        }
        let latest_now = self.now.plus(self.leeway.0);
        let earliest_now = self.now.plus(-self.leeway.0);
        if claims.issued_at > latest_now {
            return Err(TokenFault::IssuedInFuture);
        }
        if claims.not_before.is_some_and(|not_before| not_before > latest_now) {
            return Err(TokenFault::NotYetValid);
        }
        // RFC 7519 §4.1.4: the token is not accepted on or after `exp`.
        if claims.expires_at <= earliest_now {
            return Err(TokenFault::Expired);
        }
        Ok(())
    }
}

impl Audience<'_> {
    fn admits(&self, claims: &Claims) -> bool {
        match self {
            Self::OneOf(expected) => claims.audience.iter().any(|named| expected.contains(&named.as_str())),
            Self::Any => true,
        }
    }
}
