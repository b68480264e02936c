//! Principals, between whom shared capacity is divided.

use super::api_key::KeyId;
use super::key::ApiKey;
use super::names::OrganizationId;

/// On whose behalf the server works. Shared capacity is divided by this.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Principal {
    /// The organization of the key. `None` for the server itself and for unidentified callers.
    pub organization: Option<OrganizationId>,
    /// The key; `None` in the same cases.
    pub key: Option<KeyId>,
}

impl Principal {
    /// The principal behind a key: its organization and the key itself.
    pub fn of(key: &ApiKey) -> Self {
        Self { organization: Some(key.organization.clone()), key: Some(key.id) }
    }
}
