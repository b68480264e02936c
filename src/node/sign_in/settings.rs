//! What the settings say about an OpenID provider.

use std::fmt;
use std::sync::Arc;

use zeroize::Zeroizing;

use crate::domain::web_url::IssuerUrl;
use crate::jose::jwk::SigningKey;

/// An OpenID provider at which members sign in.
#[derive(Clone, Debug)]
pub struct ProviderSettings {
    /// The name by which members, invitations and paths refer to it: a slug.
    pub name: String,
    /// The name on the button.
    pub label: String,
    /// What `iss` must be.
    pub issuer: IssuerUrl,
    /// The id of this server at the provider.
    pub client_id: String,
    /// What this server authenticates with at the token endpoint.
    pub credential: ClientCredential,
    /// What is asked for. `openid` is among them.
    pub scopes: Vec<String>,
    /// The claim that is `true` if the provider has verified the address in `email`.
    pub email_verified_claim: String,
    /// The domains of addresses with which an invitation can be accepted, in lower case. Empty means any.
    pub allowed_domains: Vec<String>,
    /// The values of `tid` (Entra) whose people can accept an invitation. Empty means any.
    pub allowed_tenants: Vec<String>,
}

/// What a client authenticates with.
#[derive(Clone)]
pub enum ClientCredential {
    /// A secret, in the header of the request (`client_secret_basic`), or in its form if the provider takes no other.
    Secret(Zeroizing<String>),
    /// A private key (`private_key_jwt`).
    Key(Arc<SigningKey>),
}

impl fmt::Debug for ClientCredential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Secret(_) => "Secret([redacted])",
            Self::Key(_) => "Key([redacted])",
        })
    }
}
