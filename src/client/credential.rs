//! What a client shows.

use std::fmt;
use std::str::FromStr;

use hyper::header::HeaderValue;
use serde::{Deserialize, Deserializer};
use zeroize::Zeroizing;

/// An API key or an access token, as it goes into `Authorization: Bearer`. Wiped from memory when it is dropped.
#[derive(Clone)]
pub struct BearerCredential(Zeroizing<String>);

/// A text that can be no credential. It is not repeated: it may be one with a slip of the pen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("is empty, or has other characters than an API key or a token")]
pub struct CredentialError;

impl BearerCredential {
    /// The text itself.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// RFC 6750 §2.1, marked as nothing to be shown.
    pub(super) fn header(&self) -> Option<HeaderValue> {
        let text = Zeroizing::new(format!("Bearer {}", self.expose()));
        let mut value = HeaderValue::from_str(&text).ok()?;
        value.set_sensitive(true);
        Some(value)
    }
}

impl FromStr for BearerCredential {
    type Err = CredentialError;

    /// Takes what RFC 6750 §2.1 calls `b64token`, which every API key and every JWT is; white space around it, such
    /// as a file's last line break, is not part of it.
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
