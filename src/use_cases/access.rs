//! Identifies callers and decides what they may do, for everything that is not an OAuth grant.

mod identify;
mod tenancy;

use std::sync::Arc;

pub use identify::{AccessFault, PresentedCredential, identify, identify_at, recall, recognize};
pub use tenancy::{
    Denied, keys_within, reachable_keys, visible_issuers, visible_organizations, visible_projects,
};

use crate::domain::address::{CallerAddress, Origin};
use crate::domain::audit::{Actor, Who};
use crate::domain::principal::Principal;
use crate::domain::scope::Scopes;
use crate::node::CachedKey;

/// An authenticated caller.
#[derive(Clone, Debug)]
pub struct Caller {
    /// The key that was presented, or that the presented token was issued for.
    pub key: Arc<CachedKey>,
    /// The scopes of the presented credential. They may be fewer than those of the key.
    pub scopes: Scopes,
    /// The address that the request came from.
    pub address: CallerAddress,
    /// The id of the request, for the log and the audit trail.
    pub request_id: String,
    /// Whether the caller asks for a dry run of a change.
    pub dry_run: bool,
}

impl Caller {
    fn new(scopes: Scopes, key: Arc<CachedKey>, origin: Origin<'_>) -> Self {
        Self {
            key,
            scopes,
            address: origin.address,
            request_id: origin.request_id.to_owned(),
            dry_run: false,
        }
    }

    /// The organization and key whose share of common resources the caller uses.
    pub fn principal(&self) -> Principal {
        Principal::of(&self.key.key)
    }

    /// The caller as the audit trail names it.
    pub fn actor(&self) -> Actor {
        Actor {
            who: Who::Key(self.key.key.id),
            organization: Some(self.key.key.organization.clone()),
            address: self.address.known(),
            request_id: Some(self.request_id.clone()),
            dry_run: self.dry_run,
        }
    }
}
