//! Identifies callers and decides what they may do, for everything that is not an OAuth grant.

mod identify;
mod portal_user;
mod tenancy;

use std::sync::Arc;

pub use identify::{AccessFault, PresentedCredential, identify, identify_at, recall, recognize};
pub use portal_user::{PortalUser, maker_of, portal_user};
pub use tenancy::{
    Denied, keys_within, reachable_keys, visible_issuers, visible_members, visible_named_scopes,
    visible_organizations, visible_projects,
};

use crate::domain::address::{CallerAddress, Origin};
use crate::domain::api_key::KeyId;
use crate::domain::audit::{Actor, Who};
use crate::domain::key::{ApiKey, Creator};
use crate::domain::member::Member;
use crate::domain::names::OrganizationId;
use crate::domain::principal::{CallerId, Principal};
use crate::domain::scope::Scopes;
use crate::node::CachedKey;

/// An authenticated caller.
#[derive(Clone, Debug)]
pub struct Caller {
    /// Who calls.
    pub identity: Identity,
    /// The scopes of the presented credential. They may be fewer than those of the key.
    pub scopes: Scopes,
    /// The address that the request came from.
    pub address: CallerAddress,
    /// The id of the request, for the log and the audit trail.
    pub request_id: String,
    /// Whether the caller asks for a dry run of a change.
    pub dry_run: bool,
}

/// Who calls.
#[derive(Clone, Debug)]
pub enum Identity {
    /// Whoever presented this key, or a token of it.
    Key(Arc<CachedKey>),
    /// A member of an organization or of the deployment, in a session of the console.
    Member(Arc<Member>),
    /// A user of the customers' portal.
    PortalUser(Arc<PortalUser>),
}

impl Caller {
    fn new(scopes: Scopes, key: Arc<CachedKey>, origin: Origin<'_>) -> Self {
        Self {
            identity: Identity::Key(key),
            scopes,
            address: origin.address,
            request_id: origin.request_id.to_owned(),
            dry_run: false,
        }
    }

    /// A member in a session of the console, with the scopes of their role.
    pub fn member(member: Member, origin: Origin<'_>) -> Self {
        Self {
            scopes: member.scopes(),
            identity: Identity::Member(Arc::new(member)),
            address: origin.address,
            request_id: origin.request_id.to_owned(),
            dry_run: false,
        }
    }

    /// The caller's id.
    pub fn id(&self) -> CallerId {
        match &self.identity {
            Identity::Key(key) => CallerId::Key(key.key.id),
            Identity::Member(member) if member.organization.is_none() => {
                CallerId::DeploymentMember(member.id)
            }
            Identity::Member(member) => CallerId::Member(member.id),
            Identity::PortalUser(user) => CallerId::PortalUser(user.granted.subject.clone()),
        }
    }

    /// The caller's name.
    pub fn name(&self) -> &str {
        match &self.identity {
            Identity::Key(key) => &key.key.name,
            Identity::Member(member) => &member.name,
            Identity::PortalUser(user) => &user.granted.name,
        }
    }

    /// The organization that the caller belongs to. `None` for members of the deployment.
    pub fn organization(&self) -> Option<&OrganizationId> {
        match &self.identity {
            Identity::Key(key) => Some(&key.key.organization),
            Identity::Member(member) => member.organization.as_ref(),
            Identity::PortalUser(user) => Some(&user.organization),
        }
    }

    /// The caller's own key, whose ranges, end and requirements bound what the caller may hand out. People have none.
    pub fn own_key(&self) -> Option<&ApiKey> {
        match &self.identity {
            Identity::Key(key) => Some(&key.key),
            Identity::Member(_) => None,
            Identity::PortalUser(_) => None,
        }
    }

    /// The caller as the creator of a key of `organization`, which is told the name only of its own keys and people.
    pub fn as_creator(&self, organization: &OrganizationId) -> Creator {
        let is_own = self.organization() == Some(organization);
        Creator { id: self.id().to_string(), name: is_own.then(|| self.name().to_owned()) }
    }

    /// Whether the caller is this key.
    pub fn is_key(&self, key: &KeyId) -> bool {
        self.own_key().is_some_and(|own| own.id == *key)
    }

    /// The organization and caller whose share of common resources the caller uses.
    pub fn principal(&self) -> Principal {
        Principal { organization: self.organization().cloned(), caller: Some(self.id()) }
    }

    /// The caller as the audit trail names it.
    pub fn actor(&self) -> Actor {
        Actor {
            who: Who::Caller(self.id()),
            name: Some(self.name().to_owned()),
            organization: self.organization().cloned(),
            address: self.address.known(),
            request_id: Some(self.request_id.clone()),
            dry_run: self.dry_run,
        }
    }
}
