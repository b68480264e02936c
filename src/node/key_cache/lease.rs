//! Invalidates all copies that depend on one organization or project, at the cost of one.

use std::collections::HashMap;
use std::collections::hash_map::RandomState;
use std::hash::BuildHasher as _;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Weak};

use crate::base::lock::{Mutex, MutexGuard};
use crate::domain::names::{OrganizationId, ProjectId};

/// The organization or project that a copy depends on besides the key itself.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Tenant {
    organization: OrganizationId,
    /// `None` for the organization's own record.
    project: Option<ProjectId>,
}

/// Whether the copies that hold this lease are current with regard to their tenant.
#[derive(Debug, Default)]
pub(super) struct Lease {
    has_ended: AtomicBool,
}

/// The leases of the tenants that have copies.
#[derive(Debug)]
pub(super) struct Leases {
    shards: Box<[Mutex<Shard>]>,
    hasher: RandomState,
}

const SHARDS: usize = 64;

/// A shard of this many entries is swept for the first time.
const FIRST_SWEEP: usize = 64;

#[derive(Debug)]
struct Shard {
    leases: HashMap<Tenant, Weak<Lease>>,
    /// At this many entries, the shard drops those that no copy holds. The threshold follows the number that remain. A
    /// sweep therefore costs each new entry a constant, and memory is at most twice what is in use.
    sweep_at: usize,
}

impl Tenant {
    pub(super) fn organization(id: &OrganizationId) -> Self {
        Self { organization: id.clone(), project: None }
    }

    pub(super) fn project(organization: &OrganizationId, id: &ProjectId) -> Self {
        Self { organization: organization.clone(), project: Some(id.clone()) }
    }
}

impl Lease {
    pub(super) fn has_ended(&self) -> bool {
        self.has_ended.load(Ordering::SeqCst)
    }
}

impl Default for Leases {
    fn default() -> Self {
        Self {
            shards: std::iter::repeat_with(|| Mutex::new(Shard::default())).take(SHARDS).collect(),
            hasher: RandomState::new(),
        }
    }
}

impl Leases {
    /// The lease for new copies that depend on `tenant`.
    pub(super) fn of(&self, tenant: Tenant) -> Arc<Lease> {
        self.shard(&tenant).lease(tenant)
    }

    /// Ends the lease of all copies that depend on `tenant`, if there are any.
    pub(super) fn end(&self, tenant: &Tenant) {
        if let Some(lease) = self.shard(tenant).leases.remove(tenant).and_then(|lease| lease.upgrade()) {
            lease.has_ended.store(true, Ordering::SeqCst);
        }
    }

    fn shard(&self, tenant: &Tenant) -> MutexGuard<'_, Shard> {
        // The remainder is below SHARDS.
        #[allow(clippy::cast_possible_truncation)]
        let at = self.hasher.hash_one(tenant) as usize % SHARDS;
        self.shards[at].lock()
    }
}

impl Default for Shard {
    fn default() -> Self {
        Self { leases: HashMap::new(), sweep_at: FIRST_SWEEP }
    }
}

impl Shard {
    fn lease(&mut self, tenant: Tenant) -> Arc<Lease> {
        if let Some(lease) = self.leases.get(&tenant).and_then(Weak::upgrade) {
            return lease;
        }
        if self.leases.len() >= self.sweep_at {
            self.leases.retain(|_, lease| lease.strong_count() > 0);
            self.sweep_at = FIRST_SWEEP.max(self.leases.len() * 2);
        }
        let lease = Arc::new(Lease::default());
        self.leases.insert(tenant, Arc::downgrade(&lease));
        lease
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tenant(number: usize) -> Tenant {
        Tenant::organization(&format!("org-{number}").parse().unwrap())
    }

    fn entries(leases: &Leases) -> usize {
        leases.shards.iter().map(|shard| shard.lock().leases.len()).sum()
    }

    #[test]
    fn copies_share_a_lease_until_it_ends() {
        let leases = Leases::default();
        let (first, second, other) = (leases.of(tenant(1)), leases.of(tenant(1)), leases.of(tenant(2)));
        leases.end(&tenant(1));
        assert!(first.has_ended() && second.has_ended() && !other.has_ended());
        assert!(!leases.of(tenant(1)).has_ended(), "what is read from now on is current");
    }

    #[test]
    fn a_project_and_its_organization_have_leases_of_their_own() {
        let leases = Leases::default();
        let (organization, project) = ("acme".parse().unwrap(), "acme".parse().unwrap());
        let organization = Tenant::organization(&organization);
        let project = Tenant::project(&"acme".parse().unwrap(), &project);
        let lease = leases.of(organization.clone());
        leases.end(&project);
        assert!(!lease.has_ended());
        leases.end(&organization);
        assert!(lease.has_ended());
    }

    #[test]
    fn tenants_without_copies_take_no_lasting_memory() {
        let leases = Leases::default();
        let cached: Vec<_> = (0..100).map(|number| leases.of(tenant(number))).collect();
        for number in 0..100_000 {
            leases.of(tenant(number));
            leases.end(&tenant(number + 100_000));
        }
        assert!(entries(&leases) <= SHARDS * FIRST_SWEEP * 2, "{} entries", entries(&leases));
        assert!(cached.iter().all(|lease| !lease.has_ended()));
    }
}
