//! What a connection is doing, noted where it happens and read by its watchdog.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering::Relaxed};

/// What a connection is waiting for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    /// The first byte of its first request.
    Fresh,
    /// The first byte of its next request.
    Idle,
    /// The rest of a request's head, or of the TLS handshake.
    Head,
    /// The service.
    Working,
    /// The rest of an answer, from the service or to the peer.
    Answering,
    /// The peer, to take what was written.
    Stalled,
    /// The peer, to close its side too.
    Closing,
}

/// The state of one connection: a handful of counters that cost a request no clock and no lock.
///
/// The connection's task writes them and reads them; only an HTTP/2 stream, a task of its own, counts from
/// elsewhere, and wakes the connection's task when it does.
#[derive(Debug)]
pub(super) struct Activity {
    fresh: AtomicBool,
    head: AtomicBool,
    multiplexed: AtomicBool,
    working: AtomicU32,
    answering: AtomicU32,
    progress: AtomicU32,
    blocked: AtomicBool,
    unblocked: AtomicU32,
    closing: AtomicBool,
}

impl Activity {
    pub(super) fn new() -> Self {
        Self {
            fresh: AtomicBool::new(true),
            head: AtomicBool::new(false),
            multiplexed: AtomicBool::new(false),
            working: AtomicU32::new(0),
            answering: AtomicU32::new(0),
            progress: AtomicU32::new(0),
            blocked: AtomicBool::new(false),
            unblocked: AtomicU32::new(0),
            closing: AtomicBool::new(false),
        }
    }

    /// The stage, and a mark that changes whenever the connection gets on within it.
    pub(super) fn read(&self) -> (Stage, u32) {
        if self.closing.load(Relaxed) {
            return (Stage::Closing, 0);
        }
        if self.blocked.load(Relaxed) {
            return (Stage::Stalled, self.unblocked.load(Relaxed));
        }
        (self.unblocked_stage(), self.progress.load(Relaxed))
    }

    fn unblocked_stage(&self) -> Stage {
        if self.working.load(Relaxed) > 0 {
            Stage::Working
        } else if self.answering.load(Relaxed) > 0 {
            Stage::Answering
        } else if self.is_amid_head() {
            Stage::Head
        } else if self.fresh.load(Relaxed) {
            Stage::Fresh
        } else {
            Stage::Idle
        }
    }

    /// Bytes came in. Between two requests they begin the next one's head.
    pub(super) fn received(&self) {
        self.head.store(true, Relaxed);
    }

    /// Whether bytes came in that are no request yet.
    pub(super) fn is_amid_head(&self) -> bool {
        self.head.load(Relaxed) && !self.multiplexed.load(Relaxed)
    }

    /// The TLS handshake is done: what came in was it.
    pub(super) fn secured(&self) {
        self.head.store(false, Relaxed);
    }

    /// This is HTTP/2, where bytes between requests may be anything: a peer at rest still sends pings.
    pub(super) fn multiplexed(&self) {
        self.multiplexed.store(true, Relaxed);
    }

    /// The peer takes no more for now.
    pub(super) fn blocked(&self) {
        self.blocked.store(true, Relaxed);
    }

    /// The peer took something.
    pub(super) fn written(&self) {
        if self.blocked.load(Relaxed) {
            self.blocked.store(false, Relaxed);
            self.unblocked.fetch_add(1, Relaxed);
        }
    }

    /// This side said all that it will.
    pub(super) fn closing(&self) {
        self.closing.store(true, Relaxed);
    }

    /// A head is complete and goes to the service.
    pub(super) fn begin(&self) {
        self.fresh.store(false, Relaxed);
        self.head.store(false, Relaxed);
        self.working.fetch_add(1, Relaxed);
    }

    /// The service let go of a request: with an answer, or because the peer withdrew.
    pub(super) fn worked(&self) {
        self.working.fetch_sub(1, Relaxed);
        self.progress.fetch_add(1, Relaxed);
    }

    /// An answer's body is there to be sent.
    pub(super) fn answer(&self) {
        self.answering.fetch_add(1, Relaxed);
    }

    /// An answer's body gave a part of itself.
    pub(super) fn progress(&self) {
        self.progress.fetch_add(1, Relaxed);
    }

    /// An answer's body is used up. Bytes that came in meanwhile were the request's body.
    pub(super) fn answered(&self) {
        self.head.store(false, Relaxed);
        self.answering.fetch_sub(1, Relaxed);
        self.progress.fetch_add(1, Relaxed);
    }
}
