//! A key as it is cached in memory.

use crate::domain::key::ApiKey;
use crate::domain::scope::Scopes;
use crate::node::secrets::CachedSecret;
use crate::node::usage::UseCell;

/// A key as it is cached in memory: all that it takes to answer for it without the store.
#[derive(Debug)]
pub struct CachedKey {
    /// The key; its secrets are in `secrets`.
    pub key: ApiKey,
    /// The audiences that a token for it may have, first its default. None is left when those that its
    /// organization or its project name are gone from the deployment.
    pub audiences: Vec<String>,
    /// Its secrets, and what this process knows of them.
    pub secrets: Vec<CachedSecret>,
    /// Its id as text.
    pub client_id: String,
    /// Its ranges as text.
    pub cidrs: Vec<String>,
    /// Its scopes under `claviger/`, for the management API.
    pub reserved: Granted,
    /// Its other scopes, for the resource servers.
    pub unreserved: Granted,
    /// Counts its use until the next flush.
    pub used: UseCell,
}

/// Scopes, and their canonical text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Granted {
    /// The scopes.
    pub scopes: Scopes,
    /// As the answer and the token say them.
    pub text: Box<str>,
}

impl From<Scopes> for Granted {
    fn from(scopes: Scopes) -> Self {
        Self { text: scopes.to_string().into(), scopes }
    }
}
