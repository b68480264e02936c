//! On whose behalf something is done.

use super::api_key::KeyId;
use super::key::ApiKey;
use super::names::OrganizationId;

/// On whose behalf something is done: what shared things are divided among.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Principal {
    /// The organization of the key; `None` for the server itself, and for callers that nobody knows.
    pub organization: Option<OrganizationId>,
    /// The key.
    pub key: Option<KeyId>,
}

impl Principal {
    /// The holder of this key.
    pub fn of(key: &ApiKey) -> Self {
        Self { organization: Some(key.organization.clone()), key: Some(key.id) }
    }
}
