//! Assertions with which clients authenticate instead of a secret (RFC 7521 §4.2, RFC 7523 §2.2).
//!
//! An assertion is a JWT that the client signs for this issuer. It is read by the rules of RFC 7523 §3, with the audience
//! of its successor (draft-ietf-oauth-rfc7523bis): the issuer alone, so that an assertion for one server is of no use at
//! another.

mod fault;
mod sign;

pub use fault::AssertionFault;
pub use sign::NewAssertion;

use super::foreign::{Header, Jwk, Jws};
use super::json::{Object, Value};
use crate::base::clock::Timestamp;

/// The value of `client_assertion_type` (RFC 7523 §2.2).
pub const JWT_BEARER: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// How far in the future an assertion may end, in seconds.
pub const MAX_LIFETIME: i64 = 300;

/// How many seconds the clock of a client may be off.
pub const LEEWAY: i64 = 30;

/// The longest `jti`, in bytes.
const MAX_ID: usize = 256;

/// The types of an assertion, if it has one.
const TYPES: [&str; 2] = ["JWT", "client-authentication+jwt"];

/// A well-formed assertion. Nothing in it is trustworthy before [`Assertion::verify`].
#[derive(Debug)]
pub struct Assertion<'a> {
    jws: Jws<'a>,
    issuer: String,
    subject: String,
    claims: AssertionClaims,
}

/// The claims of an assertion whose signature is right.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AssertionClaims {
    /// `aud`, at least one.
    audience: Vec<String>,
    /// Whether `aud` is an array, which may have a single element.
    has_audience_list: bool,
    expires_at: Timestamp,
    not_before: Option<Timestamp>,
    issued_at: Option<Timestamp>,
    /// `jti`: the id of the assertion.
    pub id: String,
}

impl<'a> Assertion<'a> {
    /// Reads an assertion, without trusting it.
    ///
    /// # Errors
    /// [`AssertionFault`] names the rule that the text breaks. It depends on the text alone.
    pub fn parse(text: &'a str) -> Result<Self, AssertionFault> {
        Self::of(Jws::parse(text)?)
    }

    /// The same for a JWS that is read already.
    ///
    /// # Errors
    /// [`AssertionFault`].
    pub fn of(jws: Jws<'a>) -> Result<Self, AssertionFault> {
        if jws.header().has_type() && !jws.header().is_one_of(&TYPES) {
            return Err(AssertionFault::Type);
        }
        let claims = Object::parse(jws.unverified_payload()).map_err(AssertionFault::Payload)?;
        let issuer = string(&claims, "iss")?.to_owned();
        let subject = string(&claims, "sub")?.to_owned();
        let claims = AssertionClaims::from_object(&claims)?;
        Ok(Self { jws, issuer, subject, claims })
    }

    /// The header, by which the caller chooses the key.
    pub fn header(&self) -> &Header {
        self.jws.header()
    }

    /// `iss`: who claims to have signed the assertion.
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// `sub`: the client that the assertion is to authenticate.
    pub fn subject(&self) -> &str {
        &self.subject
    }

    /// The claims, if `key` has signed them.
    pub fn verify(&self, key: &Jwk) -> Option<&AssertionClaims> {
        self.jws.verify(key).is_ok().then_some(&self.claims)
    }
}

impl AssertionClaims {
    fn from_object(claims: &Object<'_>) -> Result<Self, AssertionFault> {
        let optional = |name| claims.has(name).then(|| time(claims, name)).transpose();
        let id = string(claims, "jti")?;
        if id.len() > MAX_ID {
            return Err(AssertionFault::NotAString("jti"));
        }
        Ok(Self {
            audience: audience(claims)?,
            has_audience_list: matches!(claims.get("aud"), Some(Value::Array(_))),
            expires_at: time(claims, "exp")?,
            not_before: optional("nbf")?,
            issued_at: optional("iat")?,
            id: id.to_owned(),
        })
    }

    /// Checks that every audience is one of `accepted`, and that the assertion is valid at `now`.
    ///
    /// # Errors
    /// [`AssertionFault`], from [`AssertionFault::Audience`] on.
    pub fn check(&self, accepted: &[impl AsRef<str>], now: Timestamp) -> Result<(), AssertionFault> {
        let is_accepted = |audience: &String| accepted.iter().any(|known| known.as_ref() == audience);
        if !self.audience.iter().all(is_accepted) {
            return Err(AssertionFault::Audience);
        }
        let latest = now.plus(LEEWAY);
        if self.not_before.or(self.issued_at).is_some_and(|start| start > latest)
            || self.issued_at.is_some_and(|issued| issued > latest)
        {
            return Err(AssertionFault::NotYetValid);
        }
        if self.remembered_until() <= now {
            return Err(AssertionFault::Expired);
        }
        if self.expires_at > latest.plus(MAX_LIFETIME) {
            return Err(AssertionFault::TooLong);
        }
        Ok(())
    }

    /// Checks that `aud` is a string, and not an array of one.
    ///
    /// # Errors
    /// [`AssertionFault::AudienceList`].
    pub fn check_audience_form(&self) -> Result<(), AssertionFault> {
        if self.has_audience_list { Err(AssertionFault::AudienceList) } else { Ok(()) }
    }

    /// From when on the assertion is no longer accepted, the leeway included.
    pub fn remembered_until(&self) -> Timestamp {
        self.expires_at.plus(LEEWAY)
    }
}

fn string<'o>(claims: &'o Object<'_>, name: &'static str) -> Result<&'o str, AssertionFault> {
    match claims.get(name) {
        Some(Value::String(text)) if !text.is_empty() && !text.contains(char::is_control) => Ok(text),
        Some(_) => Err(AssertionFault::NotAString(name)),
        None => Err(AssertionFault::Missing(name)),
    }
}

/// RFC 7519 §2 allows fractions, which no client needs here.
fn time(claims: &Object<'_>, name: &'static str) -> Result<Timestamp, AssertionFault> {
    let value = claims.get(name).ok_or(AssertionFault::Missing(name))?;
    value.numeric_date().ok_or(AssertionFault::NotATime(name))
}

/// RFC 7519 §4.1.3: a string is short for an array of one.
fn audience(claims: &Object<'_>) -> Result<Vec<String>, AssertionFault> {
    match claims.get("aud") {
        Some(Value::String(one)) => Ok(vec![one.clone().into_owned()]),
        Some(Value::Array(several)) if !several.is_empty() => several
            .iter()
            .map(|value| match value {
                Value::String(one) => Ok(one.clone().into_owned()),
                _ => Err(AssertionFault::NotAnAudience),
            })
            .collect(),
        Some(_) => Err(AssertionFault::NotAnAudience),
        None => Err(AssertionFault::Missing("aud")),
    }
}
