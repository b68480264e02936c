//! The state machine of a connection. The parts of the connection report events, and its watchdog reads the stage.
//!
//! A connection with one request at a time goes through these stages, the last four of them again for each request:
//!
//! ```text
//! Fresh ─► Head ─► Working ─► Answering ─► Idle ─► Head ─► Working ─► Answering ─► …
//! ```
//!
//! It is [`Stage::Stalled`] instead, in any of them, from a write that blocks until one that succeeds. It is
//! [`Stage::Closing`] for good once this side has closed. With HTTP/2, several requests share the connection: it is
//! working while the service has any of them, and answering while only answers are left. It has no [`Stage::Head`],
//! because bytes between requests may be anything there: an idle peer still sends pings.
//!
//! | event | reported by |
//! |---|---|
//! | [`Activity::bytes_received`], [`Activity::write_done`], [`Activity::write_blocked`], [`Activity::close_began`] | the socket: `monitored_stream.rs` |
//! | [`Activity::handshake_done`], [`Activity::http2_chosen`] | the connection's task: `connection.rs` |
//! | [`Activity::request_began`], [`Activity::service_done`] | a request on its way through the service: `exchange.rs` |
//! | [`Activity::answer_began`], [`Activity::answer_progressed`], [`Activity::answer_ended`] | an answer's body: `body.rs` |

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

/// The activity of one connection: a few counters that cost a request neither a clock nor a lock.
///
/// The connection's task writes and reads them. Only the task of an HTTP/2 stream also writes, and wakes the
/// connection's task when it does.
#[derive(Debug)]
pub(super) struct Activity {
    /// No request has begun yet.
    fresh: AtomicBool,
    /// Bytes have arrived that belong to no request yet.
    head: AtomicBool,
    http2: AtomicBool,
    /// The requests that the service has.
    working: AtomicU32,
    /// The answers that are not sent completely.
    answering: AtomicU32,
    /// How often requests and answers have made progress.
    progress: AtomicU32,
    blocked: AtomicBool,
    /// How often a blocked write went on.
    unblocked: AtomicU32,
    closing: AtomicBool,
}

impl Activity {
    pub(super) fn new() -> Self {
        Self {
            fresh: AtomicBool::new(true),
            head: AtomicBool::new(false),
            http2: AtomicBool::new(false),
            working: AtomicU32::new(0),
            answering: AtomicU32::new(0),
            progress: AtomicU32::new(0),
            blocked: AtomicBool::new(false),
            unblocked: AtomicU32::new(0),
            closing: AtomicBool::new(false),
        }
    }

    /// The stage, and a number that changes whenever the connection makes progress within the stage.
    pub(super) fn stage(&self) -> (Stage, u32) {
        if self.closing.load(Relaxed) {
            return (Stage::Closing, 0);
        }
        if self.blocked.load(Relaxed) {
            return (Stage::Stalled, self.unblocked.load(Relaxed));
        }
        (self.stage_of_requests(), self.progress.load(Relaxed))
    }

    fn stage_of_requests(&self) -> Stage {
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
    pub(super) fn bytes_received(&self) {
        self.head.store(true, Relaxed);
    }

    /// Whether bytes have arrived that are not a whole head yet. With HTTP/2, nobody can tell.
    pub(super) fn is_amid_head(&self) -> bool {
        self.head.load(Relaxed) && !self.http2.load(Relaxed)
    }

    /// The TLS handshake is complete, and the bytes so far belonged to it.
    pub(super) fn handshake_done(&self) {
        self.head.store(false, Relaxed);
    }

    /// The connection is HTTP/2.
    pub(super) fn http2_chosen(&self) {
        self.http2.store(true, Relaxed);
    }

    /// The peer reads no more for now.
    pub(super) fn write_blocked(&self) {
        self.blocked.store(true, Relaxed);
    }

    /// The peer read something.
    pub(super) fn write_done(&self) {
        if self.blocked.load(Relaxed) {
            self.blocked.store(false, Relaxed);
            self.unblocked.fetch_add(1, Relaxed);
        }
    }

    /// This side will write nothing more.
    pub(super) fn close_began(&self) {
        self.closing.store(true, Relaxed);
    }

    /// A head is complete and goes to the service.
    pub(super) fn request_began(&self) {
        self.fresh.store(false, Relaxed);
        self.head.store(false, Relaxed);
        self.working.fetch_add(1, Relaxed);
    }

    /// The service is done with a request: it answered, or the peer withdrew.
    pub(super) fn service_done(&self) {
        self.working.fetch_sub(1, Relaxed);
        self.progress.fetch_add(1, Relaxed);
    }

    /// An answer's body is ready to be sent.
    pub(super) fn answer_began(&self) {
        self.answering.fetch_add(1, Relaxed);
    }

    /// An answer's body yielded a part.
    pub(super) fn answer_progressed(&self) {
        self.progress.fetch_add(1, Relaxed);
    }

    /// An answer's body is complete. Bytes that arrived meanwhile belonged to the request's body.
    pub(super) fn answer_ended(&self) {
        self.head.store(false, Relaxed);
        self.answering.fetch_sub(1, Relaxed);
        self.progress.fetch_add(1, Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::Stage::*;
    use super::*;

    #[test]
    fn requests_lead_from_fresh_by_head_working_and_answering_to_idle() {
        let activity = Activity::new();
        let mut stages = Vec::new();
        for event in [
            Activity::bytes_received,
            Activity::handshake_done,
            Activity::bytes_received,
            Activity::request_began,
            Activity::answer_began,
            Activity::service_done,
            Activity::answer_progressed,
            Activity::answer_ended,
            Activity::bytes_received,
        ] {
            stages.push(activity.stage().0);
            event(&activity);
        }
        assert_eq!(stages, [Fresh, Head, Fresh, Head, Working, Working, Answering, Answering, Idle]);
        assert_eq!(activity.stage().0, Head);
    }

    #[test]
    fn bytes_of_an_answered_request_begin_no_head() {
        let activity = Activity::new();
        activity.request_began();
        activity.answer_began();
        activity.service_done();
        activity.bytes_received();
        activity.answer_ended();
        assert_eq!(activity.stage().0, Idle);
    }

    #[test]
    fn http2_is_working_while_any_request_is_in_service_and_never_amid_a_head() {
        let activity = Activity::new();
        activity.http2_chosen();
        activity.bytes_received();
        assert_eq!((activity.stage().0, activity.is_amid_head()), (Fresh, false));
        activity.request_began();
        activity.request_began();
        activity.answer_began();
        activity.service_done();
        assert_eq!(activity.stage().0, Working);
        activity.service_done();
        assert_eq!(activity.stage().0, Answering);
        activity.answer_ended();
        activity.bytes_received();
        assert_eq!(activity.stage().0, Idle);
    }

    #[test]
    fn a_blocked_write_stalls_any_stage_until_it_goes_on_and_closing_ends_all() {
        let activity = Activity::new();
        activity.request_began();
        activity.write_blocked();
        let stalled = activity.stage();
        assert_eq!(stalled.0, Stalled);
        activity.write_done();
        assert_eq!(activity.stage().0, Working);
        // The second stall is not the first one, however soon it comes.
        activity.write_blocked();
        assert_ne!(activity.stage(), stalled);
        activity.close_began();
        assert_eq!(activity.stage(), (Closing, 0));
    }

    #[test]
    fn the_number_beside_the_stage_changes_with_every_progress() {
        let activity = Activity::new();
        activity.request_began();
        activity.answer_began();
        activity.service_done();
        let before = activity.stage();
        activity.answer_progressed();
        assert_eq!(activity.stage(), (Answering, before.1 + 1));
    }
}
