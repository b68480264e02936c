//! The credential in a request's headers.

use http::HeaderMap;
use http::header::{AUTHORIZATION, HeaderName};

use crate::domain::api_key::looks_like_key;

const X_API_KEY: HeaderName = HeaderName::from_static("x-api-key");

/// What a request shows. Nothing is said yet of whether it is good.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Credential<'r> {
    /// What was sent as an API key, or looks like one.
    ApiKey(&'r str),
    /// What may be an access token.
    Token(&'r str),
}

/// Why there is no credential. Displayed, it is what the sender of the request may be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CredentialFault {
    /// None was sent.
    #[error("a credential is required")]
    Missing,
    /// None can be read out of what was sent.
    #[error("the credential is malformed")]
    Unreadable,
    /// There is one in each of the two headers.
    #[error("both Authorization and X-Api-Key")]
    Both,
    /// A header is there twice: of two, another reader might take the other.
    #[error("two {0} headers")]
    Twice(&'static str),
}

impl<'r> Credential<'r> {
    /// The one credential in `Authorization: Bearer` (RFC 6750 §2.1) or `X-Api-Key`. In a URL or a body there is none
    /// (RFC 9700 §4.3.2).
    ///
    /// # Errors
    /// [`CredentialFault`].
    pub fn of(headers: &'r HeaderMap) -> Result<Self, CredentialFault> {
        let authorization = single(headers, &AUTHORIZATION, "authorization")?;
        let api_key = single(headers, &X_API_KEY, "x-api-key")?;
        match (authorization, api_key) {
            (Some(_), Some(_)) => Err(CredentialFault::Both),
            (None, None) => Err(CredentialFault::Missing),
            (None, Some(key)) => Ok(Self::ApiKey(key)),
            (Some(value), None) => Self::bearer(value).ok_or(CredentialFault::Unreadable),
        }
    }

    /// The credential in the value of an `Authorization` header of the scheme `Bearer`, whose name is without case
    /// (RFC 9110 §11.1): an API key or a token, which no key is.
    pub fn bearer(authorization: &'r str) -> Option<Self> {
        let (scheme, credential) = authorization.split_once(' ')?;
        let credential = credential.trim_matches(' ');
        if !scheme.eq_ignore_ascii_case("bearer") || credential.is_empty() {
            return None;
        }
        let is_key = looks_like_key(credential) || !credential.contains('.');
        Some(if is_key { Self::ApiKey(credential) } else { Self::Token(credential) })
    }
}

fn single<'r>(
    headers: &'r HeaderMap,
    name: &HeaderName,
    written: &'static str,
) -> Result<Option<&'r str>, CredentialFault> {
    let mut values = headers.get_all(name).iter();
    let Some(value) = values.next() else { return Ok(None) };
    if values.next().is_some() {
        return Err(CredentialFault::Twice(written));
    }
    // What is not text is no credential of ours; said like any other wrong one.
    value.to_str().map(Some).map_err(|_| CredentialFault::Unreadable)
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[test]
    fn there_is_one_credential_or_none() {
        let key = format!("clv_prd_{}", "a".repeat(65));
        let of = |lines: &[(&'static str, &str)]| {
            let lines = lines
                .iter()
                .map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_str(value).unwrap()));
            let headers: HeaderMap = lines.collect();
            Credential::of(&headers).map(|credential| match credential {
                Credential::ApiKey(text) => format!("key {text}"),
                Credential::Token(text) => format!("token {text}"),
            })
        };
        assert_eq!(of(&[("authorization", "bEARER  a.b.c")]), Ok("token a.b.c".into()));
        assert_eq!(of(&[("authorization", &format!("Bearer {key}"))]), Ok(format!("key {key}")));
        assert_eq!(of(&[("x-api-key", "whatever")]), Ok("key whatever".into()));
        for (lines, fault) in [
            (&[][..], CredentialFault::Missing),
            (&[("authorization", "")], CredentialFault::Unreadable),
            (&[("authorization", "Bearer")], CredentialFault::Unreadable),
            (&[("authorization", "Bearer  ")], CredentialFault::Unreadable),
            (&[("authorization", "Basic YTpi")], CredentialFault::Unreadable),
            (&[("x-api-key", "\u{e9}")], CredentialFault::Unreadable),
            (&[("authorization", "Bearer a.b.c"), ("x-api-key", "b")], CredentialFault::Both),
            (
                &[("authorization", "Bearer a"), ("authorization", "Bearer a")],
                CredentialFault::Twice("authorization"),
            ),
            (&[("x-api-key", "a"), ("x-api-key", "b")], CredentialFault::Twice("x-api-key")),
        ] {
            assert_eq!(of(lines), Err(fault), "{lines:?}");
        }
    }
}
