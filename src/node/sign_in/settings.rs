//! What the settings say about an OpenID provider.

use std::fmt;
use std::sync::Arc;

use zeroize::Zeroizing;

use crate::domain::member::GroupMapping;
use crate::domain::web_url::IssuerUrl;
use crate::jose::jwk::SigningKey;
use crate::store::Places;

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
    /// What the groups of its people mean here. `None` if they mean nothing.
    pub groups: Option<GroupSettings>,
}

/// What groups at a provider mean.
#[derive(Clone, Debug)]
pub struct GroupSettings {
    /// The claim of the ID token that lists them.
    pub claim: String,
    /// The roles that they give.
    pub mappings: Vec<GroupMapping>,
}

impl GroupSettings {
    /// The organizations and projects that the mappings name.
    pub fn places(&self) -> Places {
        let mut places = Places::default();
        self.add_to(&mut places);
        places
    }

    /// Adds the organizations and projects that the mappings name.
    pub fn add_to(&self, places: &mut Places) {
        for mapping in &self.mappings {
            if let Some(organization) = mapping.organization() {
                places.add(organization, mapping.projects());
            }
        }
    }

    /// What the mappings name and what does not exist, so that it has no effect, in words.
    pub fn without_effect(&self, existing: &Places) -> Vec<String> {
        let mut missing = Vec::new();
        for mapping in &self.mappings {
            let Some(organization) = mapping.organization() else { continue };
            let group = mapping.group();
            if !existing.has(organization) {
                missing.push(format!(
                    "the group {group:?} is for the organization {organization}, which does not exist"
                ));
                continue;
            }
            let gone = mapping.projects().iter().filter(|id| !existing.has_project(organization, id));
            missing.extend(gone.map(|id| {
                format!("the group {group:?} is for the project {organization}/{id}, which does not exist")
            }));
        }
        missing
    }
}

/// Which API keys open the console.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ConsoleKeys {
    /// Every key with a scope under `claviger/`.
    #[default]
    Allowed,
    /// Those of them alone that `claviger admin-key` made.
    RecoveryOnly,
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
