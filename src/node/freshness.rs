//! How long ago the store was last heard from.

use std::sync::atomic::{AtomicI64, Ordering};

use crate::clock::Timestamp;
use crate::revocation_feed::MAX_STALE_SECONDS;

/// When this node last confirmed what it holds with the store.
#[derive(Debug)]
pub struct Freshness(AtomicI64);

impl Freshness {
    /// Confirmed at `now`.
    pub fn confirmed(now: Timestamp) -> Self {
        Self(AtomicI64::new(now.unix()))
    }

    /// Notes that all changes committed before `asked_at`, the moment that the question was put, are known.
    pub fn confirm(&self, asked_at: Timestamp) {
        self.0.store(asked_at.unix(), Ordering::Release);
    }

    /// When the store was last confirmed.
    pub fn as_of(&self) -> Timestamp {
        Timestamp::from_unix(self.0.load(Ordering::Acquire))
    }

    /// Whether what is in memory may still be relied on.
    pub fn holds(&self, now: Timestamp) -> bool {
        now.since(self.as_of()) <= MAX_STALE_SECONDS
    }
}
