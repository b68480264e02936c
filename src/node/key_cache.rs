//! API keys held in memory, in front of the store.
//!
//! A copy that is put in the cache after the original was changed would serve the old state for good. So
//! every change raises a fence before it is acknowledged, and a record that was read before the fence was
//! raised is used by the request that read it and not kept.

use std::sync::{Arc, PoisonError, RwLock};

use moka::sync::Cache;

use super::secrets::HeldSecret;
use super::usage::UseCell;
use crate::api_key::KeyId;
use crate::audiences;
use crate::key::ApiKey;
use crate::scope::Scopes;
use crate::store::{Store, StoreError, StoredKey};

/// A key as it is held in memory: all that it takes to answer for it without the store.
#[derive(Debug)]
pub struct HeldKey {
    /// The key; its secrets are in `secrets`.
    pub key: ApiKey,
    /// The audiences that a token for it may have, first its default. None is left when those that its
    /// organization or its project name are gone from the deployment.
    pub audiences: Vec<String>,
    /// Its secrets, and what this process knows of them.
    pub secrets: Vec<HeldSecret>,
    /// Its id as text.
    pub client_id: String,
    /// Its ranges as text.
    pub cidrs: Vec<String>,
    /// Its scopes under `claviger/`, for the management API.
    pub reserved: Granted,
    /// Its other scopes, for the resource servers.
    pub unreserved: Granted,
    /// Counts its use until the next flush.
    pub used: UseCell,
}

/// Scopes, and their canonical text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Granted {
    /// The scopes.
    pub scopes: Scopes,
    /// As the answer and the token say them.
    pub text: Box<str>,
}

impl From<Scopes> for Granted {
    fn from(scopes: Scopes) -> Self {
        Self { text: scopes.to_string().into(), scopes }
    }
}

/// The cache of [`HeldKey`]s.
#[derive(Debug)]
pub struct KeyCache {
    keys: Cache<KeyId, Arc<HeldKey>>,
    /// How many changes have been heard of. Held for reading while a record is put in, for writing while
    /// one is taken out: an insertion is either before a change, and undone by it, or sees it.
    fence: RwLock<u64>,
    /// What an organization without audiences of its own may use.
    deployment_audiences: Vec<String>,
}

impl KeyCache {
    /// A cache of at most `capacity` keys.
    pub fn new(capacity: u64, deployment_audiences: Vec<String>) -> Self {
        Self { keys: Cache::new(capacity), fence: RwLock::new(0), deployment_audiences }
    }

    /// The key, if it is held.
    pub fn held(&self, id: &KeyId) -> Option<Arc<HeldKey>> {
        self.keys.get(id)
    }

    /// The key, from memory or else from the store. That there is none is not remembered, so that a new key
    /// works at once.
    ///
    /// # Errors
    /// When it is not held and the store cannot be asked.
    pub async fn find(&self, id: &KeyId, store: &Store) -> Result<Option<Arc<HeldKey>>, StoreError> {
        if let Some(held) = self.held(id) {
            return Ok(Some(held));
        }
        let read_behind = self.fence();
        let Some(stored) = store.key(id).await? else { return Ok(None) };
        Ok(Some(self.keep(stored, read_behind)))
    }

    /// Drops the copy of a key that was changed. Call it when the change has been tried, whatever came of
    /// it, and before it is acknowledged.
    pub fn forget(&self, id: &KeyId) {
        let mut fence = self.fence.write().unwrap_or_else(PoisonError::into_inner);
        *fence += 1;
        self.keys.invalidate(id);
    }

    /// Drops the copies of all keys that were changed together, [`KeyCache::forget`] for each.
    pub fn forget_where(&self, is_changed: impl Fn(&ApiKey) -> bool) {
        let mut fence = self.fence.write().unwrap_or_else(PoisonError::into_inner);
        *fence += 1;
        for (id, held) in &self.keys {
            if is_changed(&held.key) {
                self.keys.invalidate(id.as_ref());
            }
        }
    }

    /// Drops every copy.
    pub fn forget_all(&self) {
        let mut fence = self.fence.write().unwrap_or_else(PoisonError::into_inner);
        *fence += 1;
        self.keys.invalidate_all();
    }

    fn fence(&self) -> u64 {
        *self.fence.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Holds a record that was read behind this fence, unless another one has been raised since.
    fn keep(&self, stored: StoredKey, read_behind: u64) -> Arc<HeldKey> {
        let held = Arc::new(self.hold(stored));
        let fence = self.fence.read().unwrap_or_else(PoisonError::into_inner);
        if *fence == read_behind {
            self.keys.insert(held.key.id, Arc::clone(&held));
        }
        held
    }

    fn hold(&self, stored: StoredKey) -> HeldKey {
        let StoredKey { mut key, organization_audiences, project_audiences } = stored;
        let secrets = std::mem::take(&mut key.secrets).into_iter().map(HeldSecret::from).collect();
        let (reserved, unreserved) = key.scopes.partition_reserved();
        HeldKey {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cidr::Cidrs;
    use crate::clock::Timestamp;

    fn id(text: &str) -> KeyId {
        text.parse().unwrap()
    }

    fn key(generation: u64) -> StoredKey {
        let key = ApiKey {
            id: id("key_0123456789abcdef"),
            organization: "default".parse().unwrap(),
            project: "default".parse().unwrap(),
            environment: "prd".parse().unwrap(),
            brand: "clv".parse().unwrap(),
            name: String::new(),
            note: None,
            scopes: Scopes::parse_list("read:*").unwrap(),
            cidrs: Cidrs::everyone(),
            generation,
            created_at: Timestamp::from_unix(0),
            created_by: String::new(),
            expires_at: None,
            revoked: None,
            last_used_at: None,
            secrets: Vec::new(),
        };
        StoredKey { key, organization_audiences: None, project_audiences: None }
    }

    fn generation_held(cache: &KeyCache) -> Option<u64> {
        cache.held(&key(0).key.id).map(|held| held.key.generation)
    }

    #[test]
    fn what_was_read_before_a_change_is_used_once_and_not_kept() {
        let (own, other) = (key(1).key.id, id("key_fedcba9876543210"));
        for (change, kept) in [
            (None::<fn(&KeyCache, KeyId, KeyId)>, Some(1)),
            (Some(|cache, own, _| cache.forget(&own)), None),
            // Which key was changed is not remembered: it is read once more, at worst.
            (Some(|cache, _, other| cache.forget(&other)), None),
            (Some(|cache, _, _| cache.forget_all()), None),
        ] {
            let cache = KeyCache::new(10, Vec::new());
            let read_behind = cache.fence();
            if let Some(change) = change {
                change(&cache, own, other);
            }
            assert_eq!(cache.keep(key(1), read_behind).key.generation, 1, "whoever read it may use it");
            assert_eq!(generation_held(&cache), kept);
        }
    }

    #[test]
    fn what_was_read_before_a_change_does_not_replace_what_was_read_after_it() {
        let cache = KeyCache::new(10, Vec::new());
        let before = cache.fence();
        cache.forget(&key(1).key.id);
        let after = cache.fence();
        cache.keep(key(2), after);
        cache.keep(key(1), before);
        assert_eq!(generation_held(&cache), Some(2));
        cache.forget(&key(1).key.id);
        assert_eq!(generation_held(&cache), None);
    }
}
