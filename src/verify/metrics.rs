//! What a verifier counts.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// Numbers of a verifier's since it was built, and how it stands; for whichever metrics a service publishes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Metrics {
    /// Credentials that were accepted.
    pub accepted: u64,
    /// Credentials that were refused, for whatever reason.
    pub refused: u64,
    /// Tokens whose signature was verified before and not again.
    pub remembered: u64,
    /// Credentials that were refused only because the issuer was not heard for too long.
    pub refused_while_stale: u64,
    /// Credentials that were accepted although it was not: see [`super::WhenStale::Accept`].
    pub accepted_while_stale: u64,
    /// Documents of the revocation feed that came.
    pub feed_documents: u64,
    /// Times that none came.
    pub feed_failures: u64,
    /// Seconds since what is known of revocations was true at the issuer; nothing before the first document, or when
    /// the clock was put back so far that it can't tell.
    pub seconds_since_heard: Option<i64>,
    /// Whether these are too many.
    pub is_stale: bool,
}

#[derive(Debug, Default)]
pub(super) struct Counters {
    accepted: AtomicU64,
    refused: AtomicU64,
    remembered: AtomicU64,
    refused_while_stale: AtomicU64,
    accepted_while_stale: AtomicU64,
    feed_documents: AtomicU64,
    feed_failures: AtomicU64,
}

impl Counters {
    pub(super) fn read(&self, seconds_since_heard: Option<i64>, is_stale: bool) -> Metrics {
        Metrics {
            accepted: self.accepted.load(Relaxed),
            refused: self.refused.load(Relaxed),
            remembered: self.remembered.load(Relaxed),
            refused_while_stale: self.refused_while_stale.load(Relaxed),
            accepted_while_stale: self.accepted_while_stale.load(Relaxed),
            feed_documents: self.feed_documents.load(Relaxed),
            feed_failures: self.feed_failures.load(Relaxed),
            seconds_since_heard,
            is_stale,
        }
    }

    pub(super) fn decided(&self, is_accepted: bool) {
        let counter = if is_accepted { &self.accepted } else { &self.refused };
        counter.fetch_add(1, Relaxed);
    }

    pub(super) fn was_remembered(&self) {
        self.remembered.fetch_add(1, Relaxed);
    }

    pub(super) fn stale(&self, is_accepted: bool) {
        let counter = if is_accepted { &self.accepted_while_stale } else { &self.refused_while_stale };
        counter.fetch_add(1, Relaxed);
    }

    pub(super) fn feed_read(&self) {
        self.feed_documents.fetch_add(1, Relaxed);
    }

    pub(super) fn feed_failed(&self) {
        self.feed_failures.fetch_add(1, Relaxed);
    }
}
