//! The cache of API keys, in front of the store.
//!
//! Two rules keep a copy from outliving a change.
//!
//! **The cost of an invalidation depends only on what was changed.** A change to a key drops that key's copy. All
//! copies of an organization's or a project's keys share a lease ([`lease`]). A change ends the lease, and each copy
//! checks its leases when it is used. A change to everything is a number that each copy compares with its own. No
//! change walks the cache, and no reader waits for a change.
//!
//! **A copy that was read before a change is never used after it.** Otherwise, a reader could query the store, pause
//! while the key is changed and its copy dropped, and then insert the outdated row. Therefore a reader notes the number
//! of the latest change before it queries ([`fence`]) and inserts its copy unconfirmed. It confirms the copy only if
//! nothing that the copy depends on was changed after that number. An unconfirmed copy counts as absent.
//!
//! A change raises the fence first and drops copies second. If the reader checks the fence before it is raised, its
//! copy is already in the cache, or holds the lease, by the time that copies are dropped. If it checks afterwards, it
//! sees the change. The request that read the copy may use it either way, because it began before the change was
//! acknowledged.

mod cached_key;
mod fence;
mod lease;
#[cfg(test)]
mod tests;
mod validity;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use moka::sync::Cache;

use self::fence::Fence;
use self::lease::{Leases, Tenant};
use self::validity::Validity;
use crate::domain::api_key::KeyId;
use crate::domain::audiences;
use crate::domain::key::{RegisteredKey, RegisteredRule};
use crate::domain::names::{OrganizationId, ProjectId};
use crate::domain::trusted_issuer::TrustedIssuer;
use crate::jose::foreign::Jwk;
use crate::node::secrets::CachedSecret;
use crate::node::usage::{LastUse, UseCell};
use crate::store::{Store, StoreError, StoredKey};

pub use cached_key::{CachedKey, CachedPublicKey, CachedRule, Granted};

/// The cache of [`CachedKey`]s.
#[derive(Debug)]
pub struct KeyCache {
    keys: Cache<KeyId, KeyCopy>,
    fence: Fence,
    leases: Leases,
    /// The audiences for an organization that names none of its own.
    deployment_audiences: Vec<String>,
    hits: AtomicU64,
    misses: AtomicU64,
}

/// How full a [`KeyCache`] is, and how often it had a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyCacheLoad {
    /// The keys in memory, including those that are invalid and not dropped yet.
    pub keys: u64,
    /// The most keys in memory.
    pub capacity: u64,
    /// The lookups that found a key in memory.
    pub hits: u64,
    /// The lookups that had to ask the store.
    pub misses: u64,
}

/// The cache's copy of a key.
#[derive(Clone, Debug)]
struct KeyCopy {
    cached: Arc<CachedKey>,
    validity: Arc<Validity>,
}

impl KeyCache {
    /// Caches at most `capacity` keys.
    pub fn new(capacity: u64, deployment_audiences: Vec<String>) -> Self {
        Self {
            keys: Cache::new(capacity),
            fence: Fence::default(),
            leases: Leases::default(),
            deployment_audiences,
            hits: AtomicU64::new(0),
            misses: AtomicU64::new(0),
        }
    }

    /// How full the cache is, and how often it had a key.
    pub fn load(&self) -> KeyCacheLoad {
        // The cache counts its entries in batches, or when it is told to.
        self.keys.run_pending_tasks();
        KeyCacheLoad {
            keys: self.keys.entry_count(),
            capacity: self.keys.policy().max_capacity().unwrap_or_default(),
            hits: self.hits.load(Relaxed),
            misses: self.misses.load(Relaxed),
        }
    }

    /// The key, if the cache has a current copy.
    pub fn cached(&self, id: &KeyId) -> Option<Arc<CachedKey>> {
        self.keys.get(id).filter(|copy| copy.validity.holds(&self.fence)).map(|copy| copy.cached)
    }

    /// The key, from memory or else from the store. The cache does not remember that a key is absent, so a new key
    /// works at once.
    ///
    /// # Errors
    /// When the key is not cached and the store fails.
    pub async fn find(&self, id: &KeyId, store: &Store) -> Result<Option<Arc<CachedKey>>, StoreError> {
        if let Some(cached) = self.cached(id) {
            self.hits.fetch_add(1, Relaxed);
            return Ok(Some(cached));
        }
        self.misses.fetch_add(1, Relaxed);
        let read_after = self.fence.latest();
        let Some(stored) = store.key(id).await? else {
            // An outdated copy would otherwise use memory until it is evicted.
            self.drop_copy(id);
            return Ok(None);
        };
        self.keep(stored, read_after).map(Some)
    }

    /// Invalidates the copy of a changed key. Call this and its siblings after the change was attempted, whatever its
    /// outcome, and before it is acknowledged.
    pub fn invalidate(&self, id: &KeyId) {
        self.fence.raise(id);
        self.drop_copy(id);
    }

    /// Invalidates the copies of all keys of a changed organization.
    pub fn invalidate_organization(&self, id: &OrganizationId) {
        self.invalidate_tenant(&Tenant::organization(id));
    }

    /// Invalidates the copies of all keys of a changed project.
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

    /// Caches a key that was read after change `read_after`, unless something that it depends on has changed since.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`], when a public key of the key is not one.
    fn keep(&self, stored: StoredKey, read_after: u64) -> Result<Arc<CachedKey>, StoreError> {
        let copy = self.copy(stored, read_after)?;
        self.insert(&copy);
        self.confirm(&copy);
        Ok(copy.cached)
    }

    /// Inserts an unconfirmed copy.
    fn insert(&self, copy: &KeyCopy) {
        self.keys.insert(copy.cached.key.id, copy.clone());
    }

    /// Lets other requests use an inserted copy, unless it may be outdated.
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

    fn copy(&self, stored: StoredKey, read_after: u64) -> Result<KeyCopy, StoreError> {
        let key = &stored.key;
        let leases = [
            self.leases.of(Tenant::organization(&key.organization)),
            self.leases.of(Tenant::project(&key.organization, &key.project)),
        ];
        let validity = Arc::new(Validity::unconfirmed(read_after, leases));
        Ok(KeyCopy { cached: Arc::new(self.hold(stored)?), validity })
    }

    fn hold(&self, stored: StoredKey) -> Result<CachedKey, StoreError> {
        let StoredKey { mut key, organization_audiences, project_audiences, trusted_issuers } = stored;
        let trust_rules = rules(std::mem::take(&mut key.trust_rules), trusted_issuers);
        let secrets = std::mem::take(&mut key.secrets).into_iter().map(CachedSecret::from).collect();
        let public_keys = std::mem::take(&mut key.public_keys).into_iter().map(public_key);
        let (reserved, unreserved) = key.scopes.partition_reserved();
        Ok(CachedKey {
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
            public_keys: public_keys.collect::<Result<_, _>>()?,
            trust_rules,
            used: UseCell::default(),
        })
    }
}

/// The rules with their issuers. A rule whose issuer is removed lets nobody in.
fn rules(registered: Vec<RegisteredRule>, issuers: Vec<TrustedIssuer>) -> Vec<CachedRule> {
    let issuers: Vec<Arc<TrustedIssuer>> = issuers.into_iter().map(Arc::new).collect();
    let rules = registered.into_iter().filter_map(|RegisteredRule { id, rule, .. }| {
        let issuer = issuers.iter().find(|issuer| issuer.id == *rule.issuer())?;
        Some(CachedRule { id, issuer: Arc::clone(issuer), rule, used: LastUse::default() })
    });
    rules.collect()
}

fn public_key(registered: RegisteredKey) -> Result<CachedPublicKey, StoreError> {
    let jwk = Jwk::parse(registered.jwk.as_bytes());
    let jwk = jwk.map_err(|fault| StoreError::Corrupt(format!("public key {}: {fault}", registered.id)))?;
    Ok(CachedPublicKey { id: registered.id, jwk, used: LastUse::default() })
}
