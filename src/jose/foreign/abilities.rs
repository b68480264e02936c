//! What an OpenID provider says that it can do (OpenID Connect Discovery 1.0 §3), for whoever sets it up.

use super::{Algorithm, DiscoveryFault};
use crate::jose::json::{Object, Value};

/// What signing in needs, as the provider's description has it. `None` where the description says nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProviderAbilities {
    /// Whether it knows the response type `code`.
    pub gives_codes: Option<bool>,
    /// Whether it checks the code challenge method `S256` (RFC 7636).
    pub knows_s256: Option<bool>,
    /// Whether it signs ID tokens with an algorithm that is accepted from others.
    pub signs_acceptably: Option<bool>,
    /// Whether clients can authenticate with a secret.
    pub takes_secrets: Option<bool>,
    /// Whether clients can authenticate with `private_key_jwt`.
    pub takes_keys: Option<bool>,
}

impl ProviderAbilities {
    /// Reads a description.
    ///
    /// # Errors
    /// [`DiscoveryFault::Json`].
    pub fn parse(description: &[u8]) -> Result<Self, DiscoveryFault> {
        let description = Object::parse_with_tables(description)?;
        let lists = |member: &str, is_good: &dyn Fn(&str) -> bool| match description.get(member) {
            Some(Value::Array(all)) => {
                Some(all.iter().any(|one| matches!(one, Value::String(one) if is_good(one))))
            }
            _ => None,
        };
        let methods = "token_endpoint_auth_methods_supported";
        Ok(Self {
            gives_codes: lists("response_types_supported", &|one| one == "code"),
            knows_s256: lists("code_challenge_methods_supported", &|one| one == "S256"),
            signs_acceptably: lists("id_token_signing_alg_values_supported", &|one| {
                one.parse::<Algorithm>().is_ok()
            }),
            takes_secrets: lists(methods, &|one| {
                ["client_secret_basic", "client_secret_post"].contains(&one)
            }),
            takes_keys: lists(methods, &|one| one == "private_key_jwt"),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_description_does_not_say_is_not_known() {
        let silent = ProviderAbilities::parse(b"{}").unwrap();
        assert_eq!((silent.gives_codes, silent.knows_s256, silent.takes_keys), (None, None, None));
        let said = ProviderAbilities::parse(
            br#"{"response_types_supported":["id_token","code"],"code_challenge_methods_supported":["plain"],
                 "id_token_signing_alg_values_supported":["none","HS256","Ed25519"],
                 "token_endpoint_auth_methods_supported":["client_secret_post"]}"#,
        );
        let expected = ProviderAbilities {
            gives_codes: Some(true),
            knows_s256: Some(false),
            signs_acceptably: Some(true),
            takes_secrets: Some(true),
            takes_keys: Some(false),
        };
        assert_eq!(said, Ok(expected));
        let symmetric =
            ProviderAbilities::parse(br#"{"id_token_signing_alg_values_supported":["none","HS256"]}"#);
        assert_eq!(symmetric.unwrap().signs_acceptably, Some(false));
    }
}
