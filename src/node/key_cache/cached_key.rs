//! A key in the cache.

use crate::domain::key::ApiKey;
use crate::domain::scope::Scopes;
use crate::node::secrets::CachedSecret;
use crate::node::usage::UseCell;

/// A key in the cache, with everything that a request needs in order to judge it without the store.
#[derive(Debug)]
pub struct CachedKey {
    /// The key. Its secrets are in `secrets`.
    pub key: ApiKey,
    /// The audiences that a token for the key may have, the default first. The list is empty when the deployment no
    /// longer has any of those that the key's organization or project names.
    pub audiences: Vec<String>,
    /// The key's secrets, and what this process knows about each.
    pub secrets: Vec<CachedSecret>,
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
