//! Tells whether a copy is still current.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::fence::Fence;
use super::lease::Lease;

/// Decides whether a copy is still current. Each use checks it.
#[derive(Debug)]
pub(super) struct Validity {
    /// The number of the latest change when the store was queried.
    pub(super) read_after: u64,
    /// The leases of the key's organization and project.
    leases: [Arc<Lease>; 2],
    /// Whether nothing that the copy depends on changed between the query to the store and the insertion.
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
