//! What was heard of revocations, and whether it may still be relied on.

use std::sync::{Arc, PoisonError, RwLock};

use tokio::time::Instant;

use crate::claims::Leeway;
use crate::clock::Timestamp;
use crate::revocation_feed::{Document, Held, Known, Taken};

/// The state of the feed, as far as it was heard.
#[derive(Debug, Default)]
pub(super) struct Standing(RwLock<State>);

#[derive(Debug, Default)]
struct State {
    known: Known,
    heard: Option<Heard>,
}

/// The document that counts, and when it came.
#[derive(Clone, Debug)]
pub(super) struct Heard {
    held: Held,
    at: Instant,
}

impl Standing {
    /// Takes in a document that was verified with the key `kid`, and came at `now`, which is `at`.
    pub(super) fn take(&self, document: Document, kid: &str, now: Timestamp, at: Instant) -> Taken {
        let mut state = self.0.write().unwrap_or_else(PoisonError::into_inner);
        let taken = state.known.take(document, kid, now);
        if taken == Taken::Counts {
            state.heard = state.known.held().cloned().map(|held| Heard { held, at });
        }
        taken
    }

    /// What counts now, if anything was heard.
    pub(super) fn heard(&self) -> Option<Heard> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).heard.clone()
    }
}

impl Heard {
    /// What it says.
    pub(super) fn document(&self) -> &Arc<Document> {
        self.held.document()
    }

    /// How many seconds ago it was true, by two clocks of which the later counts: the one on the wall, so that nobody
    /// can play an old document back; and the one that only runs forward, so that nobody gains time by putting the
    /// wall's back. Nothing where the wall's was put back so far that it can't tell.
    pub(super) fn age(&self, now: Timestamp, leeway: Leeway, instant: Instant) -> Option<i64> {
        let Document { as_of, issued_at, .. } = &**self.document();
        let here = instant.saturating_duration_since(self.at).as_secs();
        let on_arrival = issued_at.since(*as_of).max(0);
        let running = on_arrival.saturating_add(i64::try_from(here).unwrap_or(i64::MAX));
        let by_the_wall = self.held.age(now)?.saturating_sub(leeway.seconds());
        Some(by_the_wall.max(running))
    }

    /// Whether it may be relied on at this age, which no document may for more than `max_stale` seconds.
    pub(super) fn holds(&self, age: Option<i64>, max_stale: i64) -> bool {
        age.is_some_and(|age| age <= max_stale && self.held.may_be(age))
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

    fn take(standing: &Standing, document: Document, now: i64, at: Instant) -> Taken {
        standing.take(document, "kid", Timestamp::from_unix(now), at)
    }

    fn age(standing: &Standing, now: i64, instant: Instant) -> Option<i64> {
        standing.heard().unwrap().age(Timestamp::from_unix(now), Leeway::NONE, instant)
    }

    #[test]
    fn the_later_of_two_clocks_counts() {
        let (standing, start) = (Standing::default(), Instant::now());
        take(&standing, document(1, 1_002, 1_000), 1_002, start);
        assert_eq!(age(&standing, 1_002, start), Some(2));
        // Played back by somebody, or on a machine whose clock is ahead.
        assert_eq!(age(&standing, 1_050, start), Some(50));
        // A clock that was put back, or stands still.
        assert_eq!(age(&standing, 990, start + Duration::from_secs(40)), Some(42));
        assert_eq!(age(&standing, 969, start), None);
        let heard = standing.heard().unwrap();
        assert!(heard.holds(Some(30), 60) && !heard.holds(Some(31), 60));
        assert!(!heard.holds(Some(11), 10) && !heard.holds(None, 30));
        let lenient = Leeway::from_seconds(20).unwrap();
        assert_eq!(heard.age(Timestamp::from_unix(1_050), lenient, start), Some(30));
    }

    #[test]
    fn the_same_document_again_is_no_younger() {
        let (standing, start) = (Standing::default(), Instant::now());
        take(&standing, document(1, 1_000, 1_000), 1_000, start);
        let later = start + Duration::from_secs(20);
        assert_eq!(take(&standing, document(1, 1_000, 1_000), 1_000, later), Taken::Same);
        assert_eq!(age(&standing, 1_000, later), Some(20));
        assert_eq!(take(&standing, document(1, 1_020, 1_020), 1_020, later), Taken::Counts);
        assert_eq!(age(&standing, 1_020, later), Some(0));
    }
}
