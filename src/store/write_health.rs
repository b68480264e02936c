//! Tracks whether the store accepts writes and, if not, since when and why.

use std::time::{Duration, Instant};

use super::fault::WriteFault;
use crate::base::clock::monotonic_now;
use crate::base::lock::Mutex;

/// Whether writes reach the disk. Every write reports its outcome. The log gets a line when the state changes.
#[derive(Debug, Default)]
pub struct WriteHealth(Mutex<Option<WritesFailing>>);

/// Writes are failing: none has succeeded since the first failure.
#[derive(Clone, Copy, Debug)]
pub struct WritesFailing {
    /// The reason of the first failure.
    pub reason: WriteFault,
    since: Instant,
}

/// How long writes must fail before other nodes should get the requests.
const KEEP_FAILING: Duration = Duration::from_secs(5);

impl WritesFailing {
    /// Whether the failure is lasting: writes have failed for a while, or can't recover by themselves.
    pub fn is_lasting(&self) -> bool {
        self.reason == WriteFault::FileGone || self.lasted() >= KEEP_FAILING
    }

    /// How long writes have been failing.
    pub fn lasted(&self) -> Duration {
        self.since.elapsed()
    }
}

impl WriteHealth {
    /// The current failure, if writes are failing.
    pub fn failing(&self) -> Option<WritesFailing> {
        *self.0.lock()
    }

    /// Reports a failed write. An error that concerns only that write changes nothing.
    pub(super) fn failed(&self, error: &sqlx::Error) {
        let Some(reason) = WriteFault::of(error) else { return };
        let mut failing = self.0.lock();
        if failing.is_none() {
            *failing = Some(WritesFailing { reason, since: monotonic_now() });
            tracing::error!(%error, "the store takes no writes: {reason}");
        }
    }

    /// Reports a write that is on disk.
    pub(super) fn succeeded(&self) {
        if let Some(failing) = self.0.lock().take() {
            let seconds = failing.lasted().as_secs();
            tracing::info!(seconds, reason = %failing.reason, "the store takes writes again");
        }
    }
}
