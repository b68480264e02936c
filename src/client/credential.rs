//! The credential of a client.

use std::fmt;
use std::str::FromStr;

use hyper::header::HeaderValue;
use serde::{Deserialize, Deserializer};
use zeroize::Zeroizing;

/// An API key or an access token for `Authorization: Bearer`. It is wiped from memory when it is dropped.
#[derive(Clone)]
pub struct BearerCredential(Zeroizing<String>);

/// The text can't be a credential. The error does not repeat it, because it may be a credential with a typing error.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("is empty, or has characters that no API key and no token has")]
pub struct CredentialError;

impl BearerCredential {
    /// The credential as text.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// The header value (RFC 6750 §2.1), marked as sensitive.
    pub(super) fn header(&self) -> Option<HeaderValue> {
        let text = Zeroizing::new(format!("Bearer {}", self.expose()));
        let mut value = HeaderValue::from_str(&text).ok()?;
        value.set_sensitive(true);
        Some(value)
    }
}

impl FromStr for BearerCredential {
    type Err = CredentialError;

    /// Accepts the `b64token` of RFC 6750 §2.1, a form that every API key and every JWT has. White space around it,
    /// such as the last line break of a file, is ignored.
    fn from_str(text: &str) -> Result<Self, CredentialError> {
        let text = text.trim_ascii();
        let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~+/=".contains(&byte);
        if text.is_empty() || !text.bytes().all(is_allowed) {
            return Err(CredentialError);
        }
        Ok(Self(Zeroizing::new(text.to_owned())))
    }
}

impl<'de> Deserialize<'de> for BearerCredential {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Zeroizing::new(String::deserialize(deserializer)?);
        text.parse().map_err(serde::de::Error::custom)
    }
}

impl fmt::Debug for BearerCredential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("BearerCredential([redacted])")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_credential_is_one_word_that_nothing_shows() {
        let credential: BearerCredential = " clv_prd_abc\n".parse().unwrap();
        assert_eq!(credential.expose(), "clv_prd_abc");
        assert_eq!(
            format!("{credential:?} {:?}", credential.header()),
            "BearerCredential([redacted]) Some(Sensitive)"
        );
        for bad in ["", " \n", "a b", "a\nb", "a\"b", "é"] {
            assert!(bad.parse::<BearerCredential>().is_err(), "{bad}");
        }
    }
}
