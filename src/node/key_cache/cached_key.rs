//! A key in the cache.

use std::sync::Arc;

use crate::domain::key::{ApiKey, CredentialId, PublicKeyId, TrustRuleId};
use crate::domain::scope::Scopes;
use crate::domain::trust_rule::TrustRule;
use crate::domain::trusted_issuer::TrustedIssuer;
use crate::jose::foreign::Jwk;
use crate::node::secrets::CachedSecret;
use crate::node::usage::{LastUse, UseCell};

/// A key in the cache, with everything that a request needs in order to judge it without the store.
#[derive(Debug)]
pub struct CachedKey {
    /// The key. Its credentials are in `secrets`, `public_keys` and `trust_rules`.
    pub key: ApiKey,
    /// The audiences that a token for the key may have, the default first. The list is empty when the deployment no
    /// longer has any of those that the key's organization or project names.
    pub audiences: Vec<String>,
    /// The key's secrets, and what this process knows about each.
    pub secrets: Vec<CachedSecret>,
    /// The key's registered public keys, ready to verify.
    pub public_keys: Vec<CachedPublicKey>,
    /// The key's trust rules for issuers that are not removed.
    pub trust_rules: Vec<CachedRule>,
    /// The key's id as text.
    pub client_id: String,
    /// The key's address ranges as text.
    pub cidrs: Vec<String>,
    /// The scopes under `claviger/`, for the management API.
    pub reserved: Granted,
    /// The other scopes, for the resource servers.
    pub unreserved: Granted,
    /// Counts the key's use until the next flush.
    pub used: UseCell,
}

/// A registered public key in the cache.
#[derive(Debug)]
pub struct CachedPublicKey {
    /// The id of the registration.
    pub id: PublicKeyId,
    /// The key itself.
    pub jwk: Jwk,
    /// When the key was last used, until the next flush.
    pub used: LastUse,
}

/// A trust rule in the cache.
#[derive(Debug)]
pub struct CachedRule {
    /// The id of the registration.
    pub id: TrustRuleId,
    /// What a token must say.
    pub rule: TrustRule,
    /// The issuer that the rule names.
    pub issuer: Arc<TrustedIssuer>,
    /// When the rule last let somebody in, until the next flush.
    pub used: LastUse,
}

impl CachedKey {
    /// The note of the last use of a credential, if the key has it.
    pub fn last_use_of(&self, id: CredentialId) -> Option<&LastUse> {
        match id {
            CredentialId::Secret(id) => self.secrets.iter().find(|held| held.id == id).map(|held| &held.used),
            CredentialId::PublicKey(id) => {
                self.public_keys.iter().find(|held| held.id == id).map(|held| &held.used)
            }
            CredentialId::TrustRule(id) => {
                self.trust_rules.iter().find(|held| held.id == id).map(|held| &held.used)
            }
        }
    }
}

/// Scopes and their canonical text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Granted {
    /// The scopes as values.
    pub scopes: Scopes,
    /// The text that tokens and responses carry.
    pub text: Box<str>,
}

impl From<Scopes> for Granted {
    fn from(scopes: Scopes) -> Self {
        Self { text: scopes.to_string().into(), scopes }
    }
}
