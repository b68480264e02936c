//! What the parts of one connection share.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use tokio::sync::watch;

use super::activity::Activity;
use super::drain::Phase;

/// One connection, as its socket, its requests and its watchdog know it.
#[derive(Debug)]
pub(super) struct ConnectionState {
    pub(super) peer: SocketAddr,
    pub(super) activity: Activity,
    /// Sees the first phase, always: that there is another says that the listener is ending.
    first_phase: watch::Receiver<Phase>,
    unread: AtomicBool,
    secure: AtomicBool,
}

impl ConnectionState {
    /// Of a listener whose phases `phases` has not looked at since the first.
    pub(super) fn new(peer: SocketAddr, phases: watch::Receiver<Phase>) -> Self {
        Self {
            peer,
            activity: Activity::new(),
            first_phase: phases,
            unread: AtomicBool::new(false),
            secure: AtomicBool::new(false),
        }
    }

    /// The TLS handshake is over.
    pub(super) fn secured(&self) {
        self.secure.store(true, Relaxed);
        self.activity.secured();
    }

    /// Whether TLS ends here.
    pub(super) fn is_secure(&self) -> bool {
        self.secure.load(Relaxed)
    }

    /// Makes the next answer the last one, because the peer has sent, or goes on sending, what nobody reads.
    pub(super) fn leave_unread(&self) {
        self.unread.store(true, Relaxed);
    }

    /// Whether an HTTP/1.1 answer given now ends the connection. Looks at the listener itself, and not at what the
    /// connection's task knows of it: an answer may come of the same news, and while that task is at work.
    pub(super) fn is_ending(&self) -> bool {
        self.unread.load(Relaxed) || self.first_phase.has_changed().unwrap_or(true)
    }

    /// Whether the peer has sent what belongs to no answered request.
    pub(super) fn has_unread(&self) -> bool {
        self.unread.load(Relaxed) || self.activity.is_amid_head()
    }
}
