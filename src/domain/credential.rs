//! The credential in a request's headers.

use http::HeaderMap;
use http::header::{AUTHORIZATION, HeaderName};

use crate::domain::api_key::looks_like_key;

const X_API_KEY: HeaderName = HeaderName::from_static("x-api-key");

/// The credential of a request. It may be invalid.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Credential<'r> {
    /// A text that was sent as an API key, or has its form.
    ApiKey(&'r str),
    /// Any other bearer credential, which may be an access token.
    Token(&'r str),
}

/// Why a request has no credential. The text is safe to send to the client.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CredentialFault {
    /// The request has none.
    #[error("a credential is required")]
    Missing,
    /// The header can't be read.
    #[error("the credential is malformed")]
    Unreadable,
    /// Both headers have one.
    #[error("both Authorization and X-Api-Key")]
    Both,
    /// A header occurs twice. Another reader might use the other one.
    #[error("two {0} headers")]
    Twice(&'static str),
}

impl<'r> Credential<'r> {
    /// The only credential in `Authorization: Bearer` (RFC 6750 §2.1) or `X-Api-Key`. URLs and bodies are not
    /// searched (RFC 9700 §4.3.2).
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

    /// The credential in an `Authorization` header with the scheme `Bearer`, in any case (RFC 9110 §11.1). A text
    /// with the form of a key is an API key, and any other a token.
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
    // A value that is not text can't be a valid credential, so it fails like any malformed one.
    value.to_str().map(Some).map_err(|_| CredentialFault::Unreadable)
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[test]
    fn headers_have_one_credential_or_are_refused() {
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
