//! API keys held in memory, in front of the store.
//!
//! A copy that is put in the cache after the original was changed would serve the old state for good. So
//! every change raises a fence before it is acknowledged, and a record that was read before the fence was
//! raised is used by the request that read it and not kept.

use std::sync::{Arc, PoisonError, RwLock};

use moka::sync::Cache;

use super::secrets::HeldSecret;
use crate::api_key::KeyId;
use crate::key::ApiKey;
use crate::scope::Scopes;
use crate::store::{Store, StoreError, StoredKey};

/// A key as it is held in memory: all that it takes to answer for it without the store.
#[derive(Debug)]
pub struct HeldKey {
    /// The key; its secrets are in `secrets`.
    pub key: ApiKey,
    /// The audiences that a token for it may have, first its default; never empty.
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
        let fence = *self.fence.read().unwrap_or_else(PoisonError::into_inner);
        let Some(stored) = store.key(id).await? else { return Ok(None) };
        let held = Arc::new(self.hold(stored));
        let now = self.fence.read().unwrap_or_else(PoisonError::into_inner);
        if *now == fence {
            self.keys.insert(*id, Arc::clone(&held));
        }
        Ok(Some(held))
    }

    /// Drops the copy of a key that was changed. Call it when the change has been tried, whatever came of
    /// it, and before it is acknowledged.
    pub fn forget(&self, id: &KeyId) {
        let mut fence = self.fence.write().unwrap_or_else(PoisonError::into_inner);
        *fence += 1;
        self.keys.invalidate(id);
    }

    /// Drops every copy.
    pub fn forget_all(&self) {
        let mut fence = self.fence.write().unwrap_or_else(PoisonError::into_inner);
        *fence += 1;
        self.keys.invalidate_all();
    }

    fn hold(&self, stored: StoredKey) -> HeldKey {
        let StoredKey { mut key, audiences } = stored;
        let secrets = std::mem::take(&mut key.secrets).into_iter().map(HeldSecret::from).collect();
        let (reserved, unreserved) = key.scopes.partition_reserved();
        HeldKey {
            client_id: key.id.to_string(),
            cidrs: key.cidrs.iter().map(ToString::to_string).collect(),
            reserved: reserved.into(),
            unreserved: unreserved.into(),
            key,
            audiences: audiences.unwrap_or_else(|| self.deployment_audiences.clone()),
            secrets,
        }
    }
}
