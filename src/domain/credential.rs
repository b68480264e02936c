//! The credential in a request's headers.

use http::HeaderMap;
use http::header::{AUTHORIZATION, HeaderName};

use crate::domain::api_key::looks_like_key;

const DPOP: HeaderName = HeaderName::from_static("dpop");

const X_API_KEY: HeaderName = HeaderName::from_static("x-api-key");

/// The credential of a request. It may be invalid.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Credential<'r> {
    /// A text that was sent as an API key, or has its form.
    ApiKey(&'r str),
    /// Any other bearer credential, which may be an access token.
    Token(&'r str),
    /// A token that is bound to a key, and the proof of that key in the header `DPoP` (RFC 9449 §7.1).
    BoundToken {
        /// The access token.
        token: &'r str,
        /// The proof.
        proof: &'r str,
    },
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
    /// The scheme is DPoP, and there is no proof.
    #[error("the scheme DPoP needs a proof in the header DPoP")]
    NoProof,
    /// There are two proofs (RFC 9449 §4.3).
    #[error("two DPoP headers")]
    ProofTwice,
    /// The header with the proof can't be read.
    #[error("the header DPoP can't be read")]
    UnreadableProof,
}

impl CredentialFault {
    /// Whether the proof is at fault, and not the credential.
    pub const fn is_about_proof(self) -> bool {
        matches!(self, Self::NoProof | Self::ProofTwice | Self::UnreadableProof)
    }
}

impl<'r> Credential<'r> {
    /// The only credential in `Authorization` or `X-Api-Key`. The scheme is `Bearer` (RFC 6750 §2.1), or `DPoP` beside a
    /// proof (RFC 9449 §7.1). URLs and bodies are not searched (RFC 9700 §4.3.2).
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
            (Some(value), None) => Self::authorized(value, headers),
        }
    }

    /// The credential in this `Authorization` header, and its proof in the other `headers` if there must be one. Schemes
    /// are the same in any case (RFC 9110 §11.1). Under `Bearer`, a text with the form of a key is an API key, and any other
    /// a token.
    ///
    /// # Errors
    /// [`CredentialFault::Unreadable`] for another scheme, and the faults of the proof.
    pub fn authorized(authorization: &'r str, headers: &'r HeaderMap) -> Result<Self, CredentialFault> {
        let (scheme, credential) = authorization.split_once(' ').ok_or(CredentialFault::Unreadable)?;
        let credential = credential.trim_matches(' ');
        if credential.is_empty() {
            return Err(CredentialFault::Unreadable);
        }
        if scheme.eq_ignore_ascii_case("dpop") {
            let proof = proof(headers)?.ok_or(CredentialFault::NoProof)?;
            return Ok(Self::BoundToken { token: credential, proof });
        }
        if !scheme.eq_ignore_ascii_case("bearer") {
            return Err(CredentialFault::Unreadable);
        }
        let is_key = looks_like_key(credential) || !credential.contains('.');
        Ok(if is_key { Self::ApiKey(credential) } else { Self::Token(credential) })
    }
}

/// The only proof of possession (RFC 9449 §4.3), if there is one.
///
/// # Errors
/// [`CredentialFault::ProofTwice`] and [`CredentialFault::UnreadableProof`].
pub fn proof(headers: &HeaderMap) -> Result<Option<&str>, CredentialFault> {
    single(headers, &DPOP, "dpop").map_err(|fault| match fault {
        CredentialFault::Twice(_) => CredentialFault::ProofTwice,
        _ => CredentialFault::UnreadableProof,
    })
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
                Credential::BoundToken { token, proof } => format!("token {token} with {proof}"),
            })
        };
        assert_eq!(of(&[("authorization", "bEARER  a.b.c")]), Ok("token a.b.c".into()));
        assert_eq!(of(&[("authorization", &format!("Bearer {key}"))]), Ok(format!("key {key}")));
        assert_eq!(of(&[("x-api-key", "whatever")]), Ok("key whatever".into()));
        assert_eq!(
            of(&[("authorization", "dpop a.b.c"), ("dpop", "d.e.f")]),
            Ok("token a.b.c with d.e.f".into())
        );
        assert_eq!(of(&[("authorization", "Bearer a.b.c"), ("dpop", "d.e.f")]), Ok("token a.b.c".into()));
        for (lines, fault) in [
            (&[("authorization", "DPoP a.b.c")][..], CredentialFault::NoProof),
            (&[("authorization", "DPoP "), ("dpop", "d.e.f")], CredentialFault::Unreadable),
            (
                &[("authorization", "DPoP a.b.c"), ("dpop", "d.e.f"), ("dpop", "d.e.f")],
                CredentialFault::ProofTwice,
            ),
            (&[("authorization", "DPoP a.b.c"), ("dpop", "\u{e9}")], CredentialFault::UnreadableProof),
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
