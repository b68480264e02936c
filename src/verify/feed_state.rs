//! The state of the revocation feed, and whether it may still be relied on.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use crate::base::clock::Timestamp;
use crate::base::lock::RwLock;
use crate::jose::claims::Leeway;
use crate::jose::revocation_feed::{CurrentDocument, Document, FeedTracker, FeedUpdate};

/// The state of the feed as far as it was received.
#[derive(Debug, Default)]
pub(super) struct FeedState(RwLock<State>);

#[derive(Debug, Default)]
struct State {
    tracker: FeedTracker,
    received: Option<ReceivedFeed>,
}

/// The current document, and when it arrived.
#[derive(Clone, Debug)]
pub(super) struct ReceivedFeed {
    current: CurrentDocument,
    at: Instant,
}

impl FeedState {
    /// Applies a document that was verified with the key `kid`. It arrived at `now` by the wall clock and at `at` by
    /// the monotonic clock.
    pub(super) fn apply(&self, document: Document, kid: &str, now: Timestamp, at: Instant) -> FeedUpdate {
        let mut state = self.0.write();
        let update = state.tracker.apply(document, kid, now);
        if update == FeedUpdate::Applied {
            state.received = state.tracker.current().cloned().map(|current| ReceivedFeed { current, at });
        }
        update
    }

    /// The current document, if one was received.
    pub(super) fn received(&self) -> Option<ReceivedFeed> {
        self.0.read().received.clone()
    }
}

impl ReceivedFeed {
    /// The content of the document.
    pub(super) fn document(&self) -> &Arc<Document> {
        self.current.document()
    }

    /// The age of the document's content, in seconds. Two clocks measure it, and the larger age counts. The wall clock
    /// detects an old document that somebody replays. The monotonic clock detects that the wall clock was set back.
    /// `None` if it was set back too far to tell.
    pub(super) fn age(&self, now: Timestamp, leeway: Leeway, instant: Instant) -> Option<i64> {
        let wall_age = self.current.age(now)?.saturating_sub(leeway.seconds());
        Some(wall_age.max(i64::try_from(self.monotonic_age(instant).as_secs()).unwrap_or(i64::MAX)))
    }

    /// Whether the document may still be relied on, which is for at most `max_stale` seconds.
    pub(super) fn holds(&self, now: Timestamp, leeway: Leeway, instant: Instant, max_stale: i64) -> bool {
        let is_young = |age| age <= max_stale && self.current.allows_age(age);
        if !self.age(now, leeway, instant).is_some_and(is_young) {
            return false;
        }
        // That age is in whole seconds. The monotonic clock also sees the fraction by which a document is too old.
        let longest = max_stale.min(self.document().max_stale);
        self.monotonic_age(instant) <= Duration::from_secs(longest.unsigned_abs())
    }

    /// The age by the monotonic clock: the document's age on arrival, and the time since then.
    fn monotonic_age(&self, instant: Instant) -> Duration {
        let Document { as_of, issued_at, .. } = &**self.document();
        let on_arrival = issued_at.since(*as_of).max(0);
        Duration::from_secs(on_arrival.unsigned_abs()) + instant.saturating_duration_since(self.at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::clock::timer_now;

    fn document(seq: i64, issued_at: i64, as_of: i64) -> Document {
        let json = serde_json::json!({
            "iss": "https://h", "aud": "urn:claviger:revocations", "iat": issued_at, "epoch": "e", "seq": seq,
            "as_of": as_of, "max_stale": 30, "keys": {}, "jtis": [], "kids": [],
        });
        Document::parse(json.to_string().as_bytes(), "https://h").unwrap()
    }

    fn apply(feed_state: &FeedState, document: Document, now: i64, at: Instant) -> FeedUpdate {
        feed_state.apply(document, "kid", Timestamp::from_unix(now), at)
    }

    fn age(feed_state: &FeedState, now: i64, instant: Instant) -> Option<i64> {
        feed_state.received().unwrap().age(Timestamp::from_unix(now), Leeway::NONE, instant)
    }

    #[test]
    fn the_larger_age_of_two_clocks_counts() {
        let (feed_state, start) = (FeedState::default(), timer_now());
        apply(&feed_state, document(1, 1_002, 1_000), 1_002, start);
        assert_eq!(age(&feed_state, 1_002, start), Some(2));
        // Somebody replays the document, or the machine's clock is ahead.
        assert_eq!(age(&feed_state, 1_050, start), Some(50));
        // The clock was set back, or stands still.
        assert_eq!(age(&feed_state, 990, start + Duration::from_secs(40)), Some(42));
        assert_eq!(age(&feed_state, 969, start), None);
        let lenient = Leeway::from_seconds(20).unwrap();
        let received = feed_state.received().unwrap();
        assert_eq!(received.age(Timestamp::from_unix(1_050), lenient, start), Some(30));
    }

    #[test]
    fn a_document_is_relied_on_until_its_age_limit() {
        let (feed_state, start) = (FeedState::default(), timer_now());
        apply(&feed_state, document(1, 1_000, 1_000), 1_000, start);
        let received = feed_state.received().unwrap();
        let holds = |now, millis, max_stale| {
            let instant = start + Duration::from_millis(millis);
            received.holds(Timestamp::from_unix(now), Leeway::NONE, instant, max_stale)
        };
        assert!(holds(1_030, 30_000, 30) && holds(1_010, 0, 10));
        assert!(!holds(1_031, 30_000, 30) && !holds(1_030, 30_001, 30));
        assert!(!holds(1_011, 0, 10) && !holds(1_000, 10_001, 10) && !holds(969, 0, 30));
        // No document can extend its own validity beyond the limit.
        assert!(!holds(1_031, 0, 60));
    }

    #[test]
    fn the_same_document_again_is_no_younger() {
        let (feed_state, start) = (FeedState::default(), timer_now());
        apply(&feed_state, document(1, 1_000, 1_000), 1_000, start);
        let later = start + Duration::from_secs(20);
        assert_eq!(apply(&feed_state, document(1, 1_000, 1_000), 1_000, later), FeedUpdate::Unchanged);
        assert_eq!(age(&feed_state, 1_000, later), Some(20));
        assert_eq!(apply(&feed_state, document(1, 1_020, 1_020), 1_020, later), FeedUpdate::Applied);
        assert_eq!(age(&feed_state, 1_020, later), Some(0));
    }
}
