//! Who calls, and what they may do: the one guard in front of everything that is not an OAuth grant.

mod identify;
mod tenancy;

use std::sync::Arc;

pub use identify::{AccessFault, Credential, identify, identify_at};
pub use tenancy::{Denied, reachable_keys, visible_organizations, visible_projects};

use crate::address::CallerAddress;
use crate::audit::{Actor, Who};
use crate::node::HeldKey;
use crate::scope::Scopes;

/// An authenticated caller.
#[derive(Clone, Debug)]
pub struct Caller {
    /// The key that was presented, or that the presented token was issued for.
    pub key: Arc<HeldKey>,
    /// What the presented credential allows, which may be less than the key does.
    pub scopes: Scopes,
    /// Where the request came from.
    pub address: CallerAddress,
    /// The id of the request, where it has one.
    pub request_id: Option<String>,
}

impl Caller {
    /// The caller as the audit trail names it.
    pub fn actor(&self) -> Actor {
        let who = Who::Key(self.key.key.id);
        Actor { who, address: self.address.known(), request_id: self.request_id.clone() }
    }

    /// The caller, asking by the request of this id.
    #[must_use]
    pub fn asking_by(self, request_id: String) -> Self {
        Self { request_id: Some(request_id), ..self }
    }
}
