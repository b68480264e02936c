//! What the parts of one connection share.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use super::pulse::Pulse;

/// One connection, as its socket, its requests and its watchdog know it.
#[derive(Debug)]
pub(super) struct Link {
    pub(super) peer: SocketAddr,
    pub(super) pulse: Pulse,
    ending: AtomicBool,
    unread: AtomicBool,
}

impl Link {
    pub(super) fn new(peer: SocketAddr) -> Self {
        Self { peer, pulse: Pulse::new(), ending: AtomicBool::new(false), unread: AtomicBool::new(false) }
    }

    /// Makes the next answer the last one.
    pub(super) fn end_with_next_answer(&self) {
        self.ending.store(true, Relaxed);
    }

    /// Makes the next answer the last one, because the peer has sent, or goes on sending, what nobody reads.
    pub(super) fn leave_unread(&self) {
        self.unread.store(true, Relaxed);
        self.end_with_next_answer();
    }

    /// Whether an HTTP/1.1 answer given now ends the connection.
    pub(super) fn is_ending(&self) -> bool {
        self.ending.load(Relaxed)
    }

    /// Whether the peer has sent what belongs to no answered request.
    pub(super) fn has_unread(&self) -> bool {
        self.unread.load(Relaxed) || self.pulse.is_amid_head()
    }
}
