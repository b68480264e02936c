//! API keys held in memory, in front of the store.
//!
//! Two rules keep a copy from outliving a change.
//!
//! **A copy is invalidated at the cost of what was changed.** A key's own copy is dropped. All copies of an
//! organization's or a project's keys share a lease ([`lease`]); a change ends it, and each copy looks at its leases
//! when it is used. A change of everything is a number that each copy compares with its own. Nothing walks the cache,
//! and no reader waits for a change.
//!
//! **A copy that was read before a change is never used after it.** A reader could otherwise ask the store, lose its
//! turn while the key is changed and its copy dropped, and then insert what it has read. So a reader notes the number
//! of the latest change before it asks ([`fence`]), inserts its copy unconfirmed, and confirms it only if nothing that
//! the copy depends on was changed after that number; an unconfirmed copy counts as absent. A change raises the fence
//! first and drops copies second. If the reader looks at the fence before it is raised, then its copy is already in the
//! cache, or holds the lease, by the time that copies are dropped; if it looks afterwards, it sees the change. The
//! request that read the copy may use it either way: it began before the change was acknowledged.

mod cached_key;
mod fence;
mod lease;
#[cfg(test)]
mod tests;
mod validity;

use std::sync::Arc;

use moka::sync::Cache;

use self::fence::Fence;
use self::lease::{Leases, Tenant};
use self::validity::Validity;
use crate::domain::api_key::KeyId;
use crate::domain::audiences;
use crate::domain::names::{OrganizationId, ProjectId};
use crate::node::secrets::CachedSecret;
use crate::node::usage::UseCell;
use crate::store::{Store, StoreError, StoredKey};

pub use cached_key::{CachedKey, Granted};

/// The cache of [`CachedKey`]s.
#[derive(Debug)]
pub struct KeyCache {
    keys: Cache<KeyId, KeyCopy>,
    fence: Fence,
    leases: Leases,
    /// What an organization without audiences of its own may use.
    deployment_audiences: Vec<String>,
}

/// What the cache holds of a key.
#[derive(Clone, Debug)]
struct KeyCopy {
    cached: Arc<CachedKey>,
    validity: Arc<Validity>,
}

impl KeyCache {
    /// A cache of at most `capacity` keys.
    pub fn new(capacity: u64, deployment_audiences: Vec<String>) -> Self {
        Self {
            keys: Cache::new(capacity),
            fence: Fence::default(),
            leases: Leases::default(),
            deployment_audiences,
        }
    }

    /// The key, if there is a current copy of it.
    pub fn cached(&self, id: &KeyId) -> Option<Arc<CachedKey>> {
        self.keys.get(id).filter(|copy| copy.validity.holds(&self.fence)).map(|copy| copy.cached)
    }

    /// The key, from memory or else from the store. That there is none is not remembered, so that a new key
    /// works at once.
    ///
    /// # Errors
    /// When it is not held and the store cannot be asked.
    pub async fn find(&self, id: &KeyId, store: &Store) -> Result<Option<Arc<CachedKey>>, StoreError> {
        if let Some(cached) = self.cached(id) {
            return Ok(Some(cached));
        }
        let read_after = self.fence.latest();
        let Some(stored) = store.key(id).await? else {
            // An outdated copy would otherwise take room until it is evicted.
            self.drop_copy(id);
            return Ok(None);
        };
        Ok(Some(self.keep(stored, read_after)))
    }

    /// Invalidates the copy of a key that was changed. Call this and its siblings when the change has been tried,
    /// whatever came of it, and before it is acknowledged.
    pub fn invalidate(&self, id: &KeyId) {
        self.fence.raise(id);
        self.drop_copy(id);
    }

    /// Invalidates the copies of all keys of an organization that was changed.
    pub fn invalidate_organization(&self, id: &OrganizationId) {
        self.invalidate_tenant(&Tenant::organization(id));
    }

    /// Invalidates the copies of all keys of a project that was changed.
    pub fn invalidate_project(&self, organization: &OrganizationId, id: &ProjectId) {
        self.invalidate_tenant(&Tenant::project(organization, id));
    }

    /// Invalidates every copy.
    pub fn invalidate_all(&self) {
        self.fence.raise_for_everything();
        self.keys.invalidate_all();
    }

    fn invalidate_tenant(&self, tenant: &Tenant) {
        self.fence.raise(tenant);
        self.leases.end(tenant);
    }

    fn drop_copy(&self, id: &KeyId) {
        self.keys.invalidate(id);
    }

    /// Holds what was read after this change, unless something that it depends on has been changed since.
    fn keep(&self, stored: StoredKey, read_after: u64) -> Arc<CachedKey> {
        let copy = self.copy(stored, read_after);
        self.insert(&copy);
        self.confirm(&copy);
        copy.cached
    }

    /// Puts in an unconfirmed copy.
    fn insert(&self, copy: &KeyCopy) {
        self.keys.insert(copy.cached.key.id, copy.clone());
    }

    /// Lets other requests use a copy that was inserted, unless it may be outdated.
    fn confirm(&self, KeyCopy { cached, validity }: &KeyCopy) {
        let (key, since) = (&cached.key, validity.read_after);
        let organization = Tenant::organization(&key.organization);
        let project = Tenant::project(&key.organization, &key.project);
        if self.fence.is_unchanged(&key.id, since)
            && self.fence.is_unchanged(&organization, since)
            && self.fence.is_unchanged(&project, since)
        {
            validity.confirm();
        }
    }

    fn copy(&self, stored: StoredKey, read_after: u64) -> KeyCopy {
        let key = &stored.key;
        let leases = [
            self.leases.of(Tenant::organization(&key.organization)),
            self.leases.of(Tenant::project(&key.organization, &key.project)),
        ];
        let validity = Arc::new(Validity::unconfirmed(read_after, leases));
        KeyCopy { cached: Arc::new(self.hold(stored)), validity }
    }

    fn hold(&self, stored: StoredKey) -> CachedKey {
        let StoredKey { mut key, organization_audiences, project_audiences } = stored;
        let secrets = std::mem::take(&mut key.secrets).into_iter().map(CachedSecret::from).collect();
        let (reserved, unreserved) = key.scopes.partition_reserved();
        CachedKey {
            client_id: key.id.to_string(),
            cidrs: key.cidrs.iter().map(ToString::to_string).collect(),
            reserved: reserved.into(),
            unreserved: unreserved.into(),
            key,
            audiences: audiences::left_of(
                &self.deployment_audiences,
                organization_audiences.as_ref(),
                project_audiences.as_ref(),
            ),
            secrets,
            used: UseCell::default(),
        }
    }
}
