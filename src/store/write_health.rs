//! Whether the store takes writes: since when not, and why.

use std::time::{Duration, Instant};

use super::fault::WriteFault;
use crate::base::clock::monotonic_now;
use crate::base::lock::Mutex;

/// Whether writes reach the disk. It is told of every write that ends; the log is told when that changes.
#[derive(Debug, Default)]
pub struct WriteHealth(Mutex<Option<WritesFailing>>);

/// Writes fail, and none has succeeded since.
#[derive(Clone, Copy, Debug)]
pub struct WritesFailing {
    /// Why the first of them failed.
    pub reason: WriteFault,
    since: Instant,
}

/// So long writes must have failed before other nodes should get the requests.
const KEEP_FAILING: Duration = Duration::from_secs(5);

impl WritesFailing {
    /// Whether this is more than a moment: writes have kept failing, or can't do well again by themselves.
    pub fn is_lasting(&self) -> bool {
        self.reason == WriteFault::FileGone || self.lasted() >= KEEP_FAILING
    }

    /// For how long.
    pub fn lasted(&self) -> Duration {
        self.since.elapsed()
    }
}

impl WriteHealth {
    /// Whether writes fail now.
    pub fn failing(&self) -> Option<WritesFailing> {
        *self.0.lock()
    }

    /// Takes note of a write that failed. What is wrong with that write alone changes nothing.
    pub(super) fn failed(&self, error: &sqlx::Error) {
        let Some(reason) = WriteFault::of(error) else { return };
        let mut failing = self.0.lock();
        if failing.is_none() {
            *failing = Some(WritesFailing { reason, since: monotonic_now() });
            tracing::error!(%error, "the store takes no writes: {reason}");
        }
    }

    /// Takes note of a write that is on disk.
    pub(super) fn succeeded(&self) {
        if let Some(failing) = self.0.lock().take() {
            let seconds = failing.lasted().as_secs();
            tracing::info!(seconds, reason = %failing.reason, "the store takes writes again");
        }
    }
}
