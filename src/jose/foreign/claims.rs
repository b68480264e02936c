//! The claims in a trusted issuer's tokens.

use std::borrow::Cow;

use crate::base::clock::Timestamp;
use crate::domain::trust_rule::{ClaimObject, ClaimValue, PresentedClaims};
use crate::jose::json::{JsonFault, Object, Value};

/// How far clocks may differ, in seconds.
pub const LEEWAY: i64 = 30;

/// The claims of a token of a trusted issuer. The required ones are there and have the right types.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IssuerClaims<'a> {
    /// `iss`.
    pub issuer: Cow<'a, str>,
    /// `aud` and everything else, for the rules of a key.
    pub presented: PresentedClaims<'a>,
    /// `iat`.
    pub issued_at: Timestamp,
    /// `exp`: the first second at which the token is no longer valid.
    pub expires_at: Timestamp,
    /// `nbf`: the first second at which the token is valid.
    pub not_before: Option<Timestamp>,
    /// `jti`.
    pub token_id: Option<Cow<'a, str>>,
}

/// Why the claims of a trusted issuer's token are refused. The text completes "the token is refused: …". It never
/// repeats content of the token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum IssuerClaimsFault {
    /// RFC 7519 §7.2: the payload is not a strict JSON object.
    #[error("its payload is refused: {0}")]
    Payload(JsonFault),
    /// A required claim is missing.
    #[error("`{0}` is missing")]
    Missing(&'static str),
    /// The claim is not a string, or is empty.
    #[error("`{0}` is not a string with content")]
    NotText(&'static str),
    /// RFC 7519 §4.1.3: `aud` is neither a string nor an array of strings.
    #[error("`aud` is neither a string nor an array of strings")]
    NotAudience,
    /// The time is not in whole seconds.
    #[error("`{0}` is not a time in whole seconds since 1970")]
    NotTime(&'static str),
    /// RFC 7800 §3.1: `cnf` binds the token to a key, and nobody proves to have it.
    #[error("`cnf` binds it to a key, whose possession nobody proves here")]
    Bound,
    /// `exp` is not after `iat`.
    #[error("`exp` is not after `iat`")]
    NoLifetime,
    /// `exp` is further after `iat` than the issuer's record allows.
    #[error("`exp` is further after `iat` than `max_lifetime` allows")]
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

impl<'a> IssuerClaims<'a> {
    /// Reads a payload whose signature holds.
    ///
    /// # Errors
    /// The [`IssuerClaimsFault`]s from [`IssuerClaimsFault::Payload`] to [`IssuerClaimsFault::Bound`].
    pub fn parse(payload: &'a [u8]) -> Result<Self, IssuerClaimsFault> {
        let claims = Object::parse(payload).map_err(IssuerClaimsFault::Payload)?;
        if claims.has("cnf") {
            return Err(IssuerClaimsFault::Bound);
        }
        Ok(Self {
            issuer: text(&claims, "iss")?,
            issued_at: time(&claims, "iat")?,
            expires_at: time(&claims, "exp")?,
            not_before: claims.has("nbf").then(|| time(&claims, "nbf")).transpose()?,
            token_id: claims.has("jti").then(|| text(&claims, "jti")).transpose()?,
            presented: PresentedClaims { audience: audience(&claims)?, all: object(claims) },
        })
    }

    /// Checks the times. The beginning has a [`LEEWAY`]. The end has none: what is issued for the token ends with it.
    ///
    /// # Errors
    /// The [`IssuerClaimsFault`]s from [`IssuerClaimsFault::NoLifetime`] to [`IssuerClaimsFault::Expired`].
    pub fn check_times(&self, now: Timestamp, max_lifetime: u32) -> Result<(), IssuerClaimsFault> {
        let lifetime = self.expires_at.since(self.issued_at);
        let latest = now.plus(LEEWAY);
        if lifetime <= 0 {
            Err(IssuerClaimsFault::NoLifetime)
        } else if lifetime > i64::from(max_lifetime) {
            Err(IssuerClaimsFault::Lifetime)
        } else if self.issued_at > latest {
            Err(IssuerClaimsFault::IssuedInFuture)
        } else if self.not_before.is_some_and(|begin| begin > latest) {
            Err(IssuerClaimsFault::NotYetValid)
        } else if self.expires_at <= now {
            Err(IssuerClaimsFault::Expired)
        } else {
            Ok(())
        }
    }
}

/// The issuer that an unverified payload names. It may only decide which keys to verify with.
///
/// # Errors
/// [`IssuerClaimsFault`].
pub fn claimed_issuer(payload: &[u8]) -> Result<String, IssuerClaimsFault> {
    let claims = Object::parse(payload).map_err(IssuerClaimsFault::Payload)?;
    text(&claims, "iss").map(Cow::into_owned)
}

fn text<'a>(claims: &Object<'a>, claim: &'static str) -> Result<Cow<'a, str>, IssuerClaimsFault> {
    match claims.get(claim) {
        Some(Value::String(text)) if !text.is_empty() => Ok(text.clone()),
        Some(_) => Err(IssuerClaimsFault::NotText(claim)),
        None => Err(IssuerClaimsFault::Missing(claim)),
    }
}

fn time(claims: &Object<'_>, claim: &'static str) -> Result<Timestamp, IssuerClaimsFault> {
    let value = claims.get(claim).ok_or(IssuerClaimsFault::Missing(claim))?;
    value.numeric_date().ok_or(IssuerClaimsFault::NotTime(claim))
}

/// RFC 7519 §4.1.3: a string is short for an array of one.
fn audience<'a>(claims: &Object<'a>) -> Result<Vec<Cow<'a, str>>, IssuerClaimsFault> {
    match claims.get("aud") {
        Some(Value::String(one)) => Ok(vec![one.clone()]),
        Some(Value::Array(several)) => {
            let texts = several.iter().map(|one| match one {
                Value::String(one) => Ok(one.clone()),
                _ => Err(IssuerClaimsFault::NotAudience),
            });
            texts.collect()
        }
        Some(_) => Err(IssuerClaimsFault::NotAudience),
        None => Err(IssuerClaimsFault::Missing("aud")),
    }
}

fn object(claims: Object<'_>) -> ClaimObject<'_> {
    ClaimObject(claims.into_members().map(|(name, value)| (name, claim(value))).collect())
}

fn claim(value: Value<'_>) -> ClaimValue<'_> {
    match value {
        Value::String(text) => ClaimValue::Text(text),
        Value::Integer(integer) => ClaimValue::Integer(integer),
        Value::Boolean(boolean) => ClaimValue::Boolean(boolean),
        Value::Object(inner) => ClaimValue::Object(object(inner)),
        Value::Array(_) | Value::Other => ClaimValue::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = 1_800_000_000;

    fn with_times(issued: i64, expires: i64, more: &str) -> String {
        format!(r#"{{"iss":"https://a.example","aud":"x","iat":{issued},"exp":{expires}{more}}}"#)
    }

    fn judged(payload: &str) -> Result<(), IssuerClaimsFault> {
        IssuerClaims::parse(payload.as_bytes())?.check_times(Timestamp::from_unix(NOW), 300)
    }

    #[test]
    fn times_are_exact_but_for_the_leeway_of_the_beginning() {
        use IssuerClaimsFault as F;
        for (issued, expires, more, expected) in [
            (NOW, NOW + 300, "", Ok(())),
            (NOW, NOW + 301, "", Err(F::Lifetime)),
            (NOW, NOW, "", Err(F::NoLifetime)),
            (NOW - 299, NOW + 1, "", Ok(())),
            (NOW - 300, NOW, "", Err(F::Expired)),
            (NOW - 301, NOW - 1, "", Err(F::Expired)),
            (NOW + LEEWAY, NOW + 200, "", Ok(())),
            (NOW + LEEWAY + 1, NOW + 200, "", Err(F::IssuedInFuture)),
            (NOW, NOW + 300, r#","nbf":1800000030"#, Ok(())),
            (NOW, NOW + 300, r#","nbf":1800000031"#, Err(F::NotYetValid)),
            (NOW, NOW + 300, r#","nbf":"1""#, Err(F::NotTime("nbf"))),
            (NOW, NOW + 300, r#","cnf":{"jkt":"x"}"#, Err(F::Bound)),
            (NOW, NOW + 300, r#","jti":7"#, Err(F::NotText("jti"))),
            (i64::MIN, i64::MAX, "", Err(F::NotTime("iat"))),
        ] {
            assert_eq!(judged(&with_times(issued, expires, more)), expected, "{issued} {expires} {more}");
        }
    }

    #[test]
    fn required_claims_have_their_types() {
        use IssuerClaimsFault as F;
        let good = with_times(NOW, NOW + 300, "");
        for (from, to, fault) in [
            (r#""iss":"https://a.example","#, "", F::Missing("iss")),
            (r#""https://a.example""#, r#""""#, F::NotText("iss")),
            (r#""aud":"x","#, "", F::Missing("aud")),
            (r#""aud":"x""#, r#""aud":["x",1]"#, F::NotAudience),
            (r#""aud":"x""#, r#""aud":{}"#, F::NotAudience),
            (r#""iat":1800000000"#, r#""iat":1.8e9"#, F::NotTime("iat")),
            (r#""iat":1800000000,"#, "", F::Missing("iat")),
            (r#""exp":1800000300"#, r#""exp":true"#, F::NotTime("exp")),
            (r#""aud":"x""#, r#""aud":"x","aud":"y""#, F::Payload(JsonFault::DuplicateMember)),
        ] {
            assert_eq!(judged(&good.replace(from, to)), Err(fault), "{to}");
        }
    }

    #[test]
    fn claims_keep_what_a_rule_compares() {
        let payload = with_times(NOW, NOW + 300, r#","a":{"b":true,"c":[1],"d":null,"e":1.5,"f":-7}"#);
        let claims = IssuerClaims::parse(payload.as_bytes()).unwrap();
        let ClaimObject(members) = claims.presented.all;
        let inner = ClaimObject(vec![
            ("b".into(), ClaimValue::Boolean(true)),
            ("c".into(), ClaimValue::Other),
            ("d".into(), ClaimValue::Other),
            ("e".into(), ClaimValue::Other),
            ("f".into(), ClaimValue::Integer(-7)),
        ]);
        assert_eq!(members.last(), Some(&("a".into(), ClaimValue::Object(inner))));
    }
}
