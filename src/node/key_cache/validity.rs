//! Is a copy still current?

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::fence::Fence;
use super::lease::Lease;

/// What decides whether a copy is still current. It is compared at each use.
#[derive(Debug)]
pub(super) struct Validity {
    /// The latest change when the store was asked.
    pub(super) read_after: u64,
    /// Of its organization and of its project.
    leases: [Arc<Lease>; 2],
    /// Whether nothing that it depends on was changed between the question to the store and the insertion.
    is_confirmed: AtomicBool,
}

impl Validity {
    pub(super) fn unconfirmed(read_after: u64, leases: [Arc<Lease>; 2]) -> Self {
        Self { read_after, leases, is_confirmed: AtomicBool::new(false) }
    }

    pub(super) fn confirm(&self) {
        self.is_confirmed.store(true, Ordering::SeqCst);
    }

    pub(super) fn holds(&self, fence: &Fence) -> bool {
        self.is_confirmed.load(Ordering::SeqCst)
            && fence.covers(self.read_after)
            && !self.leases.iter().any(|lease| lease.has_ended())
    }
}
