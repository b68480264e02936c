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
    /// An endpoint that signing in needs is missing, or is no URL to be fetched.
    #[error("has no usable `{0}`")]
    Endpoint(&'static str),
    /// The provider says that it does not check what PKCE needs (RFC 7636 §4.2).
    #[error("says that the provider does not know the code challenge method S256")]
    NoPkce,
}

/// What an OpenID provider says about itself, as far as signing in needs it (OpenID Connect Discovery 1.0 §3).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProviderMetadata {
    /// Where people are sent.
    pub authorization_endpoint: WebUrl,
    /// Where a code is exchanged.
    pub token_endpoint: WebUrl,
    /// Whether each answer of the provider says who it is from (RFC 9207 §3).
    pub names_itself: bool,
    /// Whether a client's secret is taken from the form alone. `client_secret_basic` is the default.
    pub takes_secret_in_form: bool,
}

impl ProviderMetadata {
    /// Reads the description of `issuer`.
    ///
    /// # Errors
    /// [`DiscoveryFault`].
    pub fn parse(description: &[u8], issuer: &IssuerUrl) -> Result<Self, DiscoveryFault> {
        // The key set is fetched separately, but a description without one is of no use.
        key_set_url(description, issuer)?;
        let description = Object::parse_with_tables(description)?;
        let endpoint = |name: &'static str| match description.get(name) {
            Some(Value::String(url)) => url.parse().map_err(|_| DiscoveryFault::Endpoint(name)),
            _ => Err(DiscoveryFault::Endpoint(name)),
        };
        let lists = |name: &str, wanted: &str| match description.get(name) {
            Some(Value::Array(all)) => {
                Some(all.iter().any(|one| matches!(one, Value::String(one) if one == wanted)))
            }
            _ => None,
        };
        // A provider that doesn't say which methods it knows may know it.
        if lists("code_challenge_methods_supported", "S256") == Some(false) {
            return Err(DiscoveryFault::NoPkce);
        }
        let methods = "token_endpoint_auth_methods_supported";
        Ok(Self {
            authorization_endpoint: endpoint("authorization_endpoint")?,
            token_endpoint: endpoint("token_endpoint")?,
            names_itself: matches!(
                description.get("authorization_response_iss_parameter_supported"),
                Some(Value::Boolean(true))
            ),
            takes_secret_in_form: lists(methods, "client_secret_basic") == Some(false)
                && lists(methods, "client_secret_post") == Some(true),
        })
    }
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

    #[test]
    fn a_providers_description_has_the_endpoints_and_says_what_it_can() {
        let issuer: IssuerUrl = "https://a.example".parse().unwrap();
        let read = |more: &str| {
            let text = format!(
                r#"{{"issuer":"https://a.example","jwks_uri":"https://a.example/k","authorization_endpoint":"https://a.example/auth?x=1"{more}}}"#
            );
            ProviderMetadata::parse(text.as_bytes(), &issuer)
        };
        let token = r#","token_endpoint":"https://a.example/token""#;
        let plain = read(token).unwrap();
        assert_eq!((plain.names_itself, plain.takes_secret_in_form), (false, false));
        let said = format!(
            r#"{token},"authorization_response_iss_parameter_supported":true,"code_challenge_methods_supported":["plain","S256"],"token_endpoint_auth_methods_supported":["client_secret_post","private_key_jwt"]"#
        );
        let said = read(&said).unwrap();
        assert_eq!((said.names_itself, said.takes_secret_in_form), (true, true));
        assert_eq!(read(""), Err(DiscoveryFault::Endpoint("token_endpoint")));
        let plain_only = format!(r#"{token},"code_challenge_methods_supported":["plain"]"#);
        assert_eq!(read(&plain_only), Err(DiscoveryFault::NoPkce));
    }
}
