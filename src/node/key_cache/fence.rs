//! Tells whether something that was read from the store has changed since.

use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher as _, Hash};
use std::sync::atomic::{AtomicU64, Ordering};

/// If two subjects share a slot, the only cost is a copy that is not kept once.
const SLOTS: usize = 4_096;

/// Numbers the changes, and knows the latest change of each subject, or of another subject that hashes to the same
/// slot.
///
/// A reader notes [`Fence::latest`] before it queries the store. Memory use does not depend on how many subjects exist
/// or change.
#[derive(Debug)]
pub(super) struct Fence {
    latest: AtomicU64,
    slots: Box<[AtomicU64]>,
    everything: AtomicU64,
    /// Seeded at random, so that nobody can choose ids that share a slot with those of others.
    hasher: RandomState,
}

impl Default for Fence {
    fn default() -> Self {
        Self {
            latest: AtomicU64::new(0),
            slots: std::iter::repeat_with(AtomicU64::default).take(SLOTS).collect(),
            everything: AtomicU64::new(0),
            hasher: RandomState::new(),
        }
    }
}

impl Fence {
    /// The number of the latest change.
    pub(super) fn latest(&self) -> u64 {
        self.latest.load(Ordering::SeqCst)
    }

    /// Notes a change to `subject`.
    pub(super) fn raise(&self, subject: &impl Hash) {
        self.slot(subject).fetch_max(self.next(), Ordering::SeqCst);
    }

    /// Notes a change that may affect anything.
    pub(super) fn raise_for_everything(&self) {
        self.everything.fetch_max(self.next(), Ordering::SeqCst);
    }

    /// Whether `subject` has not changed after change number `since`.
    pub(super) fn is_unchanged(&self, subject: &impl Hash, since: u64) -> bool {
        self.slot(subject).load(Ordering::SeqCst) <= since
    }

    /// Whether nothing has changed everything after change number `since`.
    pub(super) fn covers(&self, since: u64) -> bool {
        self.everything.load(Ordering::SeqCst) <= since
    }

    fn next(&self) -> u64 {
        self.latest.fetch_add(1, Ordering::SeqCst) + 1
    }

    fn slot(&self, subject: &impl Hash) -> &AtomicU64 {
        // The remainder is below SLOTS.
        #[allow(clippy::cast_possible_truncation)]
        let at = self.hasher.hash_one(subject) as usize % SLOTS;
        &self.slots[at]
    }
}
