//! The counters of a verifier.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// What a verifier has counted since it was built, and its present state. A service can publish this in its own
/// metrics.
///
/// ```
/// use claviger::verify::{CallerAddress, Verifier};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let verifier = Verifier::builder("http://127.0.0.1:8080", "https://api.example.com")
/// #     .any_organization()
/// #     .environments(["prd"])
/// #     .build()?;
/// let _ = verifier.verify("not a token", CallerAddress::Unknown).await;
/// let metrics = verifier.metrics();
/// assert_eq!((metrics.accepted, metrics.refused), (0, 1));
/// assert_eq!(metrics.seconds_since_heard, None, "no feed has arrived yet");
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Metrics {
    /// The accepted credentials.
    pub accepted: u64,
    /// The refused credentials, whatever the reason.
    pub refused: u64,
    /// The tokens whose signature was already known, so that it was not verified again.
    pub remembered: u64,
    /// The credentials that were refused only because the feed was stale.
    pub refused_while_stale: u64,
    /// The credentials that were accepted although the feed was stale: see [`super::WhenStale::Accept`].
    pub accepted_while_stale: u64,
    /// The documents of the revocation feed that arrived.
    pub feed_documents: u64,
    /// The failed requests for the revocation feed.
    pub feed_failures: u64,
    /// The age of what is known about revocations, in seconds. `None` before the first document, or if the clock was
    /// set back too far to tell.
    pub seconds_since_heard: Option<i64>,
    /// Whether that is too old.
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
