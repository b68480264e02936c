//! A cache of verified credentials, whose space organizations share fairly.

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::fmt;
use std::sync::Arc;

use ring::digest::{SHA256, SHA256_OUTPUT_LEN, digest};

use crate::base::lock::{Mutex, RwLock, RwLockWriteGuard};

#[cfg(test)]
mod tests;

/// The key of an entry. The credential itself is not stored.
pub(crate) type Digest = [u8; SHA256_OUTPUT_LEN];

/// SHA-256 of a whole credential. The signature alone would not identify it.
pub(crate) fn digest_of(credential: &str) -> Digest {
    let mut bytes = Digest::default();
    bytes.copy_from_slice(digest(&SHA256, credential.as_bytes()).as_ref());
    bytes
}

/// The number of separate locks, so that most lookups don't wait while an entry is inserted.
const SHARDS: usize = 64;

/// A bounded map from the digest of a credential to the result of its verification. The reader must check everything
/// about a result that can change.
///
/// When the cache is full, the organization with the most entries loses its oldest one. An organization therefore
/// keeps its entries as long as it has no more than an equal share, however many credentials others present.
pub(crate) struct FairCache<T> {
    capacity: usize,
    shards: Box<[RwLock<HashMap<Digest, T>>]>,
    shares: Mutex<Shares>,
}

/// Which entries belong to which organization. Only insertions use it.
#[derive(Default)]
struct Shares {
    total: usize,
    /// The entries of each organization, oldest first. An invalidated entry stays here until it is the oldest.
    of: HashMap<Arc<str>, VecDeque<Digest>>,
    by_size: BTreeSet<(usize, Arc<str>)>,
}

impl<T: Clone> FairCache<T> {
    pub(crate) fn new(capacity: usize) -> Self {
        Self {
            capacity,
            shards: std::iter::repeat_with(RwLock::default).take(SHARDS).collect(),
            shares: Mutex::default(),
        }
    }

    pub(crate) fn get(&self, digest: &Digest) -> Option<T> {
        self.shard(digest).read().get(digest).cloned()
    }

    /// Inserts the result for a credential of this organization, and replaces an earlier one.
    pub(crate) fn insert(&self, digest: Digest, organization: &str, made: T) {
        if self.capacity == 0 {
            return;
        }
        let mut shares = self.shares.lock();
        if let Some(known) = self.write(&digest).get_mut(&digest) {
            *known = made;
            return;
        }
        if shares.total >= self.capacity
            && let Some(evicted) = shares.evict_for(organization)
        {
            self.invalidate(&evicted);
        }
        shares.enter(organization, digest);
        self.write(&digest).insert(digest, made);
    }

    pub(crate) fn invalidate(&self, digest: &Digest) {
        self.write(digest).remove(digest);
    }

    fn write(&self, digest: &Digest) -> RwLockWriteGuard<'_, HashMap<Digest, T>> {
        self.shard(digest).write()
    }

    fn shard(&self, digest: &Digest) -> &RwLock<HashMap<Digest, T>> {
        &self.shards[usize::from(digest[0]) % SHARDS]
    }
}

impl Shares {
    fn enter(&mut self, organization: &str, digest: Digest) {
        let name = match self.of.get_key_value(organization) {
            Some((name, share)) => {
                let name = Arc::clone(name);
                self.by_size.remove(&(share.len(), Arc::clone(&name)));
                name
            }
            None => organization.into(),
        };
        let share = self.of.entry(Arc::clone(&name)).or_default();
        share.push_back(digest);
        self.by_size.insert((share.len(), name));
        self.total += 1;
    }

    /// Removes the oldest entry of the organization that has the most. In a tie, `organization` itself loses one.
    fn evict_for(&mut self, organization: &str) -> Option<Digest> {
        let own = self.of.get_key_value(organization);
        let (size, name) = match (own, self.by_size.last()?) {
            (Some((name, share)), (most, _)) if share.len() >= *most => (share.len(), Arc::clone(name)),
            (_, largest) => largest.clone(),
        };
        self.by_size.remove(&(size, Arc::clone(&name)));
        let share = self.of.get_mut(&name)?;
        let evicted = share.pop_front();
        self.total -= usize::from(evicted.is_some());
        if share.is_empty() {
            self.of.remove(&name);
        } else {
            if share.len() < share.capacity() / 4 {
                share.shrink_to(share.len() * 2);
            }
            self.by_size.insert((share.len(), name));
        }
        evicted
    }
}

impl<T> fmt::Debug for FairCache<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FairCache").field("capacity", &self.capacity).finish_non_exhaustive()
    }
}
