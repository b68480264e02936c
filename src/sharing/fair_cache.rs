//! A cache of verified credentials, whose space organizations share fairly.

use std::collections::{BTreeSet, HashMap, VecDeque, hash_map};
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
/// An entry whose time is over makes room for others: each insertion removes a few of those. When the cache is full, the organization with the most entries loses its oldest one. An organization therefore
/// keeps its entries as long as it has no more than an equal share, however many credentials others present.
pub(crate) struct FairCache<T> {
    capacity: usize,
    shards: Box<[Shard<T>]>,
    shares: Mutex<Shares>,
}

/// The entries of one lock.
type Shard<T> = RwLock<HashMap<Digest, Entry<T>>>;

struct Entry<T> {
    made: T,
    until: i64,
}

/// When something is inserted, and until when it is of use, in seconds by the same clock.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Life {
    pub(crate) now: i64,
    pub(crate) until: i64,
}

/// The most ended entries that an insertion removes. More than one, so that they go faster than they come.
const REMOVED: usize = 4;

/// Which entries belong to which organization. Only insertions use it.
#[derive(Default)]
struct Shares {
    total: usize,
    /// The entries of each organization, oldest first. An invalidated entry stays here until it is the oldest.
    of: HashMap<Arc<str>, VecDeque<(Digest, i64)>>,
    by_size: BTreeSet<(usize, Arc<str>)>,
    /// The organizations by the end of their oldest entries.
    by_end: BTreeSet<(i64, Arc<str>)>,
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
        self.shard(digest).read().get(digest).map(|entry| entry.made.clone())
    }

    /// Inserts the result for a credential of this organization, and replaces an earlier one.
    pub(crate) fn insert(&self, digest: Digest, organization: &str, made: T, life: Life) {
        if self.capacity == 0 {
            return;
        }
        let mut shares = self.shares.lock();
        let entry = Entry { made, until: life.until };
        if let Some(known) = self.write(&digest).get_mut(&digest) {
            *known = entry;
            return;
        }
        self.remove_ended(&mut shares, life.now);
        if shares.total >= self.capacity
            && let Some(evicted) = shares.evict_for(organization)
        {
            self.invalidate(&evicted);
        }
        shares.enter(organization, digest, life.until);
        self.write(&digest).insert(digest, entry);
    }

    /// Removes entries whose time is over.
    fn remove_ended(&self, shares: &mut Shares, now: i64) {
        for _ in 0..REMOVED {
            let Some((digest, organization)) = shares.take_ended(now) else { return };
            let renewed = match self.write(&digest).entry(digest) {
                hash_map::Entry::Occupied(entry) if entry.get().until > now => Some(entry.get().until),
                hash_map::Entry::Occupied(entry) => {
                    entry.remove();
                    None
                }
                hash_map::Entry::Vacant(_) => None,
            };
            // It was replaced since it came here, by one of a later end.
            if let Some(until) = renewed {
                shares.enter(&organization, digest, until);
            }
        }
    }

    pub(crate) fn invalidate(&self, digest: &Digest) {
        self.write(digest).remove(digest);
    }

    fn write(&self, digest: &Digest) -> RwLockWriteGuard<'_, HashMap<Digest, Entry<T>>> {
        self.shard(digest).write()
    }

    fn shard(&self, digest: &Digest) -> &Shard<T> {
        &self.shards[usize::from(digest[0]) % SHARDS]
    }
}

impl Shares {
    fn enter(&mut self, organization: &str, digest: Digest, until: i64) {
        let name = match self.of.get_key_value(organization) {
            Some((name, share)) => {
                let name = Arc::clone(name);
                self.by_size.remove(&(share.len(), Arc::clone(&name)));
                name
            }
            None => organization.into(),
        };
        let share = self.of.entry(Arc::clone(&name)).or_default();
        if share.is_empty() {
            self.by_end.insert((until, Arc::clone(&name)));
        }
        share.push_back((digest, until));
        self.by_size.insert((share.len(), name));
        self.total += 1;
    }

    /// Removes the oldest entry of the organization that has the most. In a tie, `organization` itself loses one.
    fn evict_for(&mut self, organization: &str) -> Option<Digest> {
        let own = self.of.get_key_value(organization);
        let name = match (own, self.by_size.last()?) {
            (Some((name, share)), (most, _)) if share.len() >= *most => Arc::clone(name),
            (_, (_, largest)) => Arc::clone(largest),
        };
        self.remove_oldest(name)
    }

    /// Removes an entry whose time is over, if it is the oldest one of its organization. Returns the organization, too.
    fn take_ended(&mut self, now: i64) -> Option<(Digest, Arc<str>)> {
        let (_, name) = self.by_end.first().filter(|(until, _)| *until <= now)?;
        let name = Arc::clone(name);
        Some((self.remove_oldest(Arc::clone(&name))?, name))
    }

    /// Removes the oldest entry of an organization.
    fn remove_oldest(&mut self, name: Arc<str>) -> Option<Digest> {
        let share = self.of.get_mut(&name)?;
        self.by_size.remove(&(share.len(), Arc::clone(&name)));
        let evicted = share.pop_front();
        if let Some((_, until)) = evicted {
            self.by_end.remove(&(until, Arc::clone(&name)));
        }
        if let Some((_, until)) = share.front() {
            self.by_end.insert((*until, Arc::clone(&name)));
        }
        self.total -= usize::from(evicted.is_some());
        if share.is_empty() {
            self.of.remove(&name);
        } else {
            if share.len() < share.capacity() / 4 {
                share.shrink_to(share.len() * 2);
            }
            self.by_size.insert((share.len(), name));
        }
        evicted.map(|(digest, _)| digest)
    }
}

impl<T> fmt::Debug for FairCache<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FairCache").field("capacity", &self.capacity).finish_non_exhaustive()
    }
}
