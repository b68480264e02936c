//! What was heard of revocations, and whether it may still be relied on.

use std::sync::{Arc, PoisonError, RwLock};

use tokio::time::Instant;

use crate::claims::Leeway;
use crate::clock::Timestamp;
use crate::revocation_feed::{Document, Known, Taken};

/// The state of the feed, as far as it was heard.
#[derive(Debug, Default)]
pub(super) struct Standing(RwLock<State>);

#[derive(Debug, Default)]
struct State {
    known: Known,
    heard: Option<Heard>,
}

/// A document, and when it came.
#[derive(Clone, Debug)]
pub(super) struct Heard {
    pub(super) document: Arc<Document>,
    at: Instant,
}

impl Standing {
    /// Takes in a document that was verified and came at `at`.
    pub(super) fn take(&self, document: Document, at: Instant) -> Taken {
        let mut state = self.0.write().unwrap_or_else(PoisonError::into_inner);
        let taken = state.known.take(document);
        if let Some(document) = state.known.document().filter(|_| taken == Taken::Newer).cloned() {
            // A document that confirms nothing later is no younger for coming again.
            let earlier = state.heard.take().filter(|held| {
                held.document.epoch == document.epoch && held.document.as_of >= document.as_of
            });
            let at = earlier.map_or(at, |held| held.at);
            state.heard = Some(Heard { document, at });
        }
        taken
    }

    /// What counts now, if anything was heard.
    pub(super) fn heard(&self) -> Option<Heard> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).heard.clone()
    }
}

impl Heard {
    /// Seconds since it was true, by two clocks of which the later counts: the one that the wall shows, so that nobody
    /// can play an old document back; and the one that only runs forward, so that nobody gains time by setting the
    /// wall's back.
    pub(super) fn age(&self, now: Timestamp, leeway: Leeway, instant: Instant) -> i64 {
        let Document { as_of, issued_at, .. } = &*self.document;
        let here = instant.saturating_duration_since(self.at).as_secs();
        let on_arrival = issued_at.since(*as_of).max(0);
        let running = on_arrival.saturating_add(i64::try_from(here).unwrap_or(i64::MAX));
        now.plus(-leeway.seconds()).since(*as_of).max(running)
    }

    /// Whether it may be relied on, which it may for `max_stale` seconds at most.
    pub(super) fn holds(&self, age: i64, max_stale: i64) -> bool {
        age <= max_stale.min(self.document.max_stale)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn document(seq: i64, issued_at: i64, as_of: i64) -> Document {
        let json = serde_json::json!({
            "iss": "https://h", "aud": "urn:claviger:revocations", "iat": issued_at, "epoch": "e", "seq": seq,
            "as_of": as_of, "max_stale": 30, "keys": {}, "jtis": [], "kids": [],
        });
        Document::parse(json.to_string().as_bytes(), "https://h").unwrap()
    }

    fn age(standing: &Standing, now: i64, instant: Instant) -> i64 {
        standing.heard().unwrap().age(Timestamp::from_unix(now), Leeway::NONE, instant)
    }

    #[test]
    fn the_later_of_two_clocks_counts() {
        let (standing, start) = (Standing::default(), Instant::now());
        standing.take(document(1, 1_002, 1_000), start);
        assert_eq!(age(&standing, 1_002, start), 2);
        // Played back by somebody, or on a machine whose clock is ahead.
        assert_eq!(age(&standing, 1_050, start), 50);
        // A clock that was set back, or stands still.
        assert_eq!(age(&standing, 500, start + Duration::from_secs(40)), 42);
        let heard = standing.heard().unwrap();
        assert!(heard.holds(30, 60) && !heard.holds(31, 60) && !heard.holds(11, 10));
    }

    #[test]
    fn the_same_document_again_is_no_younger() {
        let (standing, start) = (Standing::default(), Instant::now());
        standing.take(document(1, 1_000, 1_000), start);
        let later = start + Duration::from_secs(20);
        assert_eq!(standing.take(document(1, 1_000, 1_000), later), Taken::Newer);
        assert_eq!(age(&standing, 1_000, later), 20);
        standing.take(document(1, 1_020, 1_020), later);
        assert_eq!(age(&standing, 1_020, later), 0);
        assert_eq!(standing.take(document(0, 1_030, 1_030), later), Taken::Older);
        assert_eq!(age(&standing, 1_030, later), 10);
    }
}
