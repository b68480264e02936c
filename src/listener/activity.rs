//! Records what a connection is doing. The connection's watchdog reads it.

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
    /// The peer, to read what was written.
    Stalled,
    /// The peer, to close its side too.
    Closing,
}

/// The state of one connection: a few counters that cost a request neither a clock nor a lock.
///
/// The connection's task writes and reads them. Only the task of an HTTP/2 stream also writes, and wakes the
/// connection's task when it does.
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

    /// The stage, and a number that changes whenever the connection makes progress within the stage.
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

    /// Bytes arrived. Between two requests, they begin the head of the next one.
    pub(super) fn received(&self) {
        self.head.store(true, Relaxed);
    }

    /// Whether bytes have arrived that are not a whole head yet.
    pub(super) fn is_amid_head(&self) -> bool {
        self.head.load(Relaxed) && !self.multiplexed.load(Relaxed)
    }

    /// The TLS handshake is complete, and the bytes so far belonged to it.
    pub(super) fn secured(&self) {
        self.head.store(false, Relaxed);
    }

    /// The connection is HTTP/2, where bytes between requests may be anything: an idle peer still sends pings.
    pub(super) fn multiplexed(&self) {
        self.multiplexed.store(true, Relaxed);
    }

    /// The peer reads no more for now.
    pub(super) fn blocked(&self) {
        self.blocked.store(true, Relaxed);
    }

    /// The peer read something.
    pub(super) fn written(&self) {
        if self.blocked.load(Relaxed) {
            self.blocked.store(false, Relaxed);
            self.unblocked.fetch_add(1, Relaxed);
        }
    }

    /// This side will write nothing more.
    pub(super) fn closing(&self) {
        self.closing.store(true, Relaxed);
    }

    /// A head is complete and goes to the service.
    pub(super) fn begin(&self) {
        self.fresh.store(false, Relaxed);
        self.head.store(false, Relaxed);
        self.working.fetch_add(1, Relaxed);
    }

    /// The service is done with a request: it answered, or the peer withdrew.
    pub(super) fn worked(&self) {
        self.working.fetch_sub(1, Relaxed);
        self.progress.fetch_add(1, Relaxed);
    }

    /// An answer's body is ready to be sent.
    pub(super) fn answer(&self) {
        self.answering.fetch_add(1, Relaxed);
    }

    /// An answer's body yielded a part.
    pub(super) fn progress(&self) {
        self.progress.fetch_add(1, Relaxed);
    }

    /// An answer's body is complete. Bytes that arrived meanwhile belonged to the request's body.
    pub(super) fn answered(&self) {
        self.head.store(false, Relaxed);
        self.answering.fetch_sub(1, Relaxed);
        self.progress.fetch_add(1, Relaxed);
    }
}
