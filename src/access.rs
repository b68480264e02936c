//! Who calls, and what they may do: the one guard in front of everything that is not an OAuth grant.

mod identify;
mod tenancy;

use std::sync::Arc;

pub use identify::{AccessFault, Credential, identify};
pub use tenancy::{Denied, visible_keys};

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
}

impl Caller {
    /// The caller as the audit trail names it.
    pub fn actor(&self, request_id: String) -> Actor {
        Actor { who: Who::Key(self.key.key.id), address: self.address.known(), request_id: Some(request_id) }
    }
}
