//! The claims of an ID token, with which an OpenID provider says who signed in (OpenID Connect Core 1.0 §2).

mod groups;

pub use groups::GroupsFault;

use super::claims::LEEWAY;
use crate::base::clock::Timestamp;
use crate::jose::json::{JsonFault, Object, Value};

/// The longest `sub`, in bytes (OpenID Connect Core 1.0 §2).
const LONGEST_SUBJECT: usize = 255;

/// The oldest that a token may be when it arrives, in seconds. It comes fresh from the token endpoint.
const MOST_AGE: i64 = 600;

/// What an ID token has to be about.
#[derive(Clone, Copy, Debug)]
pub struct ExpectedIdToken<'e> {
    /// The provider: what `iss` must be, byte for byte.
    pub issuer: &'e str,
    /// The client that asked for it: `aud` and `azp`.
    pub client_id: &'e str,
    /// The nonce of the attempt that it answers.
    pub nonce: &'e str,
}

/// The claims of an ID token that is about what was expected.
#[derive(Clone, Debug, PartialEq)]
pub struct IdTokenClaims<'a> {
    /// `sub`: who signed in, as the provider knows them. It never means anybody else.
    pub subject: String,
    /// `auth_time`: when they last proved to the provider who they are.
    pub authenticated_at: Option<Timestamp>,
    all: Object<'a>,
}

/// Why an ID token is refused. The text completes "the ID token is refused: …". It has nothing of the token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum IdTokenFault {
    /// The payload is not a strict JSON object.
    #[error("its payload is refused: {0}")]
    Payload(JsonFault),
    /// `iss` is another one than the provider's.
    #[error("`iss` is not the provider")]
    Issuer,
    /// `aud` does not have the client, or has others without saying in `azp` for whom the token is.
    #[error("`aud` is not this client alone")]
    Audience,
    /// `azp` is another client.
    #[error("`azp` is not this client")]
    AuthorizedParty,
    /// The attempt had another nonce.
    #[error("`nonce` is not the one that was sent")]
    Nonce,
    /// `sub` is missing, empty or too long.
    #[error("`sub` is not a text of 1 to 255 characters of ASCII")]
    Subject,
    /// A time is missing or malformed.
    #[error("`{0}` is not a time in whole seconds since 1970")]
    Time(&'static str),
    /// `iat` or `nbf` is in the future.
    #[error("`{0}` is in the future")]
    InFuture(&'static str),
    /// `iat` is too long ago.
    #[error("`iat` is more than ten minutes ago")]
    Old,
    /// The time is `exp` or later.
    #[error("it has expired")]
    Expired,
}

impl<'a> IdTokenClaims<'a> {
    /// Reads a payload whose signature holds, and checks it (OpenID Connect Core 1.0 §3.1.3.7). The times of the beginning
    /// have a leeway of [`LEEWAY`] seconds, the end has none.
    ///
    /// # Errors
    /// [`IdTokenFault`].
    pub fn read(
        payload: &'a [u8],
        expected: ExpectedIdToken<'_>,
        now: Timestamp,
    ) -> Result<Self, IdTokenFault> {
        let all = Object::parse(payload).map_err(IdTokenFault::Payload)?;
        if text(&all, "iss") != Some(expected.issuer) {
            return Err(IdTokenFault::Issuer);
        }
        check_audience(&all, expected.client_id)?;
        if text(&all, "nonce") != Some(expected.nonce) {
            return Err(IdTokenFault::Nonce);
        }
        check_times(&all, now)?;
        let authenticated_at = all.has("auth_time").then(|| time(&all, "auth_time")).transpose()?;
        let subject = text(&all, "sub").filter(|subject| {
            (1..=LONGEST_SUBJECT).contains(&subject.len())
                && subject.bytes().all(|byte| (b' '..=b'~').contains(&byte))
        });
        let subject = subject.ok_or(IdTokenFault::Subject)?.to_owned();
        Ok(Self { subject, authenticated_at, all })
    }

    /// A claim that is a string with content.
    pub fn text(&self, claim: &str) -> Option<&str> {
        text(&self.all, claim).filter(|text| !text.is_empty())
    }

    /// Whether a claim is the boolean `true`. The string "true" is not.
    pub fn is_true(&self, claim: &str) -> bool {
        matches!(self.all.get(claim), Some(Value::Boolean(true)))
    }
}

/// `aud` may name further audiences only if `azp` says that the token is for this client. A token for somebody else, which
/// merely names this client too, signs nobody in.
fn check_audience(claims: &Object<'_>, client_id: &str) -> Result<(), IdTokenFault> {
    let party = match claims.get("azp") {
        None => None,
        Some(Value::String(party)) if party == client_id => Some(()),
        Some(_) => return Err(IdTokenFault::AuthorizedParty),
    };
    match claims.get("aud") {
        Some(Value::String(one)) if one == client_id => Ok(()),
        Some(Value::Array(several)) => {
            let is_named = several.iter().any(|one| string(one) == Some(client_id));
            let is_alone = several.len() == 1 || party.is_some();
            if is_named && is_alone { Ok(()) } else { Err(IdTokenFault::Audience) }
        }
        _ => Err(IdTokenFault::Audience),
    }
}

fn check_times(claims: &Object<'_>, now: Timestamp) -> Result<(), IdTokenFault> {
    let (issued, expires) = (time(claims, "iat")?, time(claims, "exp")?);
    let latest = now.plus(LEEWAY);
    if issued > latest {
        return Err(IdTokenFault::InFuture("iat"));
    }
    if claims.has("nbf") && time(claims, "nbf")? > latest {
        return Err(IdTokenFault::InFuture("nbf"));
    }
    if expires <= now {
        return Err(IdTokenFault::Expired);
    }
    if now.since(issued) > MOST_AGE { Err(IdTokenFault::Old) } else { Ok(()) }
}

fn time(claims: &Object<'_>, claim: &'static str) -> Result<Timestamp, IdTokenFault> {
    claims.get(claim).and_then(Value::numeric_date).ok_or(IdTokenFault::Time(claim))
}

fn text<'o>(claims: &'o Object<'_>, claim: &str) -> Option<&'o str> {
    claims.get(claim).and_then(string)
}

fn string<'v>(value: &'v Value<'_>) -> Option<&'v str> {
    match value {
        Value::String(text) => Some(text),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value as Json, json};

    use super::*;

    const NOW: i64 = 1_800_000_000;
    const EXPECTED: ExpectedIdToken<'static> =
        ExpectedIdToken { issuer: "https://idp.example", client_id: "console", nonce: "n-1" };

    fn judged(changes: &Json) -> Result<(String, Option<i64>), IdTokenFault> {
        let mut claims = json!({
            "iss": "https://idp.example", "aud": "console", "sub": "1234", "nonce": "n-1", "iat": NOW, "exp": NOW + 300,
        });
        for (name, value) in changes.as_object().unwrap() {
            match value {
                Json::Null => drop(claims.as_object_mut().unwrap().remove(name)),
                value => claims[name] = value.clone(),
            }
        }
        let payload = claims.to_string();
        let claims = IdTokenClaims::read(payload.as_bytes(), EXPECTED, Timestamp::from_unix(NOW))?;
        Ok((claims.subject.clone(), claims.authenticated_at.map(Timestamp::unix)))
    }

    #[test]
    fn only_a_token_of_the_provider_for_this_client_and_attempt_is_read() {
        use IdTokenFault as F;
        assert_eq!(judged(&json!({})), Ok(("1234".to_owned(), None)));
        assert_eq!(judged(&json!({"auth_time": NOW - 5})), Ok(("1234".to_owned(), Some(NOW - 5))));
        assert!(judged(&json!({"aud": ["console"]})).is_ok());
        assert!(judged(&json!({"aud": ["other", "console"], "azp": "console"})).is_ok());
        for (changes, fault) in [
            (json!({"iss": "https://idp.example/"}), F::Issuer),
            (json!({"iss": null}), F::Issuer),
            (json!({"aud": "other"}), F::Audience),
            (json!({"aud": ["console", "other"]}), F::Audience),
            (json!({"aud": null}), F::Audience),
            (json!({"azp": "other"}), F::AuthorizedParty),
            (json!({"azp": 1}), F::AuthorizedParty),
            (json!({"aud": ["console", "other"], "azp": "other"}), F::AuthorizedParty),
            (json!({"nonce": "n-2"}), F::Nonce),
            (json!({"nonce": null}), F::Nonce),
            (json!({"sub": ""}), F::Subject),
            (json!({"sub": 1}), F::Subject),
            (json!({"sub": "é"}), F::Subject),
            (json!({"sub": "a".repeat(256)}), F::Subject),
            (json!({"auth_time": "now"}), F::Time("auth_time")),
        ] {
            assert_eq!(judged(&changes), Err(fault), "{changes}");
        }
    }

    #[test]
    fn times_have_a_leeway_at_their_beginning_alone() {
        use IdTokenFault as F;
        for (changes, expected) in [
            (json!({"iat": NOW + LEEWAY}), Ok(())),
            (json!({"iat": NOW + LEEWAY + 1}), Err(F::InFuture("iat"))),
            (json!({"nbf": NOW + LEEWAY + 1}), Err(F::InFuture("nbf"))),
            (json!({"iat": NOW - MOST_AGE}), Ok(())),
            (json!({"iat": NOW - MOST_AGE - 1}), Err(F::Old)),
            (json!({"exp": NOW + 1}), Ok(())),
            (json!({"exp": NOW}), Err(F::Expired)),
            (json!({"exp": null}), Err(F::Time("exp"))),
            (json!({"iat": 1.5}), Err(F::Time("iat"))),
        ] {
            assert_eq!(judged(&changes).map(drop), expected, "{changes}");
        }
    }

    #[test]
    fn a_verified_address_is_a_boolean_and_an_empty_text_is_none() {
        let payload = json!({
            "iss": "https://idp.example", "aud": "console", "sub": "1", "nonce": "n-1", "iat": NOW, "exp": NOW + 9,
            "email_verified": "true", "other": true, "name": "N", "hd": "",
        });
        let payload = payload.to_string();
        let claims = IdTokenClaims::read(payload.as_bytes(), EXPECTED, Timestamp::from_unix(NOW)).unwrap();
        assert!(!claims.is_true("email_verified") && claims.is_true("other") && !claims.is_true("none"));
        assert_eq!((claims.text("name"), claims.text("hd")), (Some("N"), None));
    }
}
