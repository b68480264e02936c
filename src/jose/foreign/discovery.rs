//! What an issuer says about itself (OpenID Connect Discovery 1.0 §4.2, RFC 8414 §3.2).

use crate::domain::web_url::{IssuerUrl, WebUrl, WebUrlError};
use crate::jose::json::{JsonFault, Object, Value};

/// Why a description is refused. The text completes "the issuer's description …". It has nothing of the description.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DiscoveryFault {
    /// The text is not a strict JSON object.
    #[error("is refused: {0}")]
    Json(#[from] JsonFault),
    /// `issuer` is missing or is not exactly the configured one (OpenID Connect Discovery 1.0 §4.3).
    #[error("is that of another `issuer`")]
    Issuer,
    /// `jwks_uri` is missing, or is no string.
    #[error("has no `jwks_uri`")]
    NoKeys,
    /// `jwks_uri` is no URL to be fetched.
    #[error("has a `jwks_uri` that {0}")]
    Url(WebUrlError),
}

/// The address of the key set in the description of `issuer`.
///
/// # Errors
/// [`DiscoveryFault`].
pub fn key_set_url(description: &[u8], issuer: &IssuerUrl) -> Result<WebUrl, DiscoveryFault> {
    // Some have more than 64 members. The length is bounded by what is fetched.
    let description = Object::parse_with_tables(description)?;
    match description.get("issuer") {
        Some(Value::String(named)) if named == issuer.as_str() => {}
        _ => return Err(DiscoveryFault::Issuer),
    }
    match description.get("jwks_uri") {
        Some(Value::String(url)) => url.parse().map_err(DiscoveryFault::Url),
        _ => Err(DiscoveryFault::NoKeys),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_issuers_own_description_counts() {
        let issuer: IssuerUrl = "https://a.example".parse().unwrap();
        let read = |text: &str| key_set_url(text.as_bytes(), &issuer).map(|url| url.to_string());
        let good = r#"{"issuer":"https://a.example","jwks_uri":"https://keys.example/k?v=1"}"#;
        assert_eq!(read(good), Ok("https://keys.example/k?v=1".to_owned()));
        for (from, to, fault) in [
            ("https://a.example", "https://a.example/", DiscoveryFault::Issuer),
            ("https://a.example", "https://b.example", DiscoveryFault::Issuer),
            (r#""issuer":"https://a.example","#, "", DiscoveryFault::Issuer),
            ("jwks_uri", "jwks", DiscoveryFault::NoKeys),
            ("https://keys", "http://keys", DiscoveryFault::Url(WebUrlError::Scheme)),
            ("https://keys", "file:///etc", DiscoveryFault::Url(WebUrlError::Scheme)),
            ("{", "<html>", DiscoveryFault::Json(JsonFault::Syntax)),
        ] {
            assert_eq!(read(&good.replacen(from, to, 1)), Err(fault), "{to}");
        }
    }
}
