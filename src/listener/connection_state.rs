//! The state that the parts of one connection share.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use tokio::sync::watch;

use super::activity::Activity;
use super::drain::Phase;

/// One connection, as its socket, its requests and its watchdog see it.
#[derive(Debug)]
pub(super) struct ConnectionState {
    pub(super) peer: SocketAddr,
    pub(super) activity: Activity,
    /// This receiver never advances past the first phase: any other phase means that the listener is shutting down.
    first_phase: watch::Receiver<Phase>,
    /// Whether the peer has sent bytes, or still sends some, that nobody reads.
    leaves_bytes_unread: AtomicBool,
    is_secure: AtomicBool,
}

impl ConnectionState {
    /// `phases` must not have advanced past the first phase.
    pub(super) fn new(peer: SocketAddr, phases: watch::Receiver<Phase>) -> Self {
        Self {
            peer,
            activity: Activity::new(),
            first_phase: phases,
            leaves_bytes_unread: AtomicBool::new(false),
            is_secure: AtomicBool::new(false),
        }
    }

    /// The TLS handshake is complete.
    pub(super) fn secured(&self) {
        self.is_secure.store(true, Relaxed);
        self.activity.handshake_done();
    }

    /// Whether the connection uses TLS.
    pub(super) fn is_secure(&self) -> bool {
        self.is_secure.load(Relaxed)
    }

    /// Makes the next answer the last one, because the peer has sent bytes, or still sends some, that nobody reads.
    pub(super) fn leave_unread(&self) {
        self.leaves_bytes_unread.store(true, Relaxed);
    }

    /// Whether an HTTP/1.1 answer that is given now ends the connection. This reads the listener's phase itself, not
    /// what the connection's task knows of it. The answer may react to the same change of phase, while that task is
    /// still busy.
    pub(super) fn is_ending(&self) -> bool {
        self.leaves_bytes_unread.load(Relaxed) || self.first_phase.has_changed().unwrap_or(true)
    }

    /// Whether the peer has sent bytes that belong to no answered request.
    pub(super) fn has_unread(&self) -> bool {
        self.leaves_bytes_unread.load(Relaxed) || self.activity.is_amid_head()
    }
}
