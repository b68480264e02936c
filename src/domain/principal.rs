//! Callers by their ids, and principals, between whom shared capacity is divided.

use std::fmt;

use super::api_key::KeyId;
use super::key::ApiKey;
use super::names::OrganizationId;
use super::person::{MemberId, PortalSubject};

/// Who calls. Its text is what the audit trail and `created_by` have, and never more than the organization may know.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum CallerId {
    /// An API key, presented directly or through one of its tokens.
    Key(KeyId),
    /// A member of an organization.
    Member(MemberId),
    /// A member of the deployment. Organizations see `operator`, and not who it is.
    DeploymentMember(MemberId),
    /// A user of a customers' portal.
    PortalUser(PortalSubject),
}

impl fmt::Display for CallerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Key(id) => id.fmt(f),
            Self::Member(id) => id.fmt(f),
            Self::DeploymentMember(_) => f.write_str("operator"),
            Self::PortalUser(subject) => write!(f, "portal:{subject}"),
        }
    }
}

impl CallerId {
    /// The text by which the server tells this caller from all others. Organizations don't see it.
    pub fn internal(&self) -> String {
        match self {
            Self::DeploymentMember(id) => id.to_string(),
            other => other.to_string(),
        }
    }
}

/// On whose behalf the server works. Shared capacity is divided by this.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Principal {
    /// The organization of the caller. `None` for the server itself, for members of the deployment and for unidentified
    /// callers.
    pub organization: Option<OrganizationId>,
    /// The caller; `None` for the server itself and for unidentified callers.
    pub caller: Option<CallerId>,
}

impl Principal {
    /// The principal behind a key: its organization and the key itself.
    pub fn of(key: &ApiKey) -> Self {
        Self { organization: Some(key.organization.clone()), caller: Some(CallerId::Key(key.id)) }
    }
}
