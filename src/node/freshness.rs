//! When the store was last confirmed, and whether it can be followed now.
//!
//! The monotonic clock measures ages. Otherwise, if the wall clock were set back while the store is unreachable, memory
//! would stay fresh for too long.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::base::clock::{Clock, Timestamp};
use crate::base::lock::Mutex;
use crate::jose::revocation_feed::MAX_STALE_SECONDS;

const MAX_STALE: Duration = Duration::from_secs(MAX_STALE_SECONDS.unsigned_abs());

/// When this node last confirmed its memory with the store.
#[derive(Debug)]
pub struct Freshness {
    clock: Clock,
    /// The last confirmation, in milliseconds of the monotonic clock. Every request reads this.
    confirmed: AtomicU64,
    /// The same moment by both clocks.
    last: Mutex<QueryTime>,
    /// Why the last attempt to follow the store failed, if it did.
    trouble: Mutex<Option<Arc<str>>>,
}

/// When a query was sent to the store, by both clocks. The answer includes everything that was committed before.
#[derive(Clone, Copy, Debug)]
pub(super) struct QueryTime {
    wall: Timestamp,
    monotonic: Duration,
}

impl QueryTime {
    pub(super) fn now(clock: &Clock) -> Self {
        Self { wall: clock.now(), monotonic: clock.monotonic() }
    }
}

impl Freshness {
    /// Starts with the answer to a query that was sent at `sent`.
    pub(super) fn confirmed(sent: QueryTime, clock: Clock) -> Self {
        Self {
            clock,
            confirmed: AtomicU64::new(milliseconds(sent.monotonic)),
            last: Mutex::new(sent),
            trouble: Mutex::default(),
        }
    }

    /// Notes that memory has all changes that were committed before `sent`. The confirmed moment never moves back.
    pub(super) fn confirm(&self, sent: QueryTime) {
        let mut last = self.last.lock();
        if sent.monotonic >= last.monotonic {
            *last = sent;
            self.confirmed.fetch_max(milliseconds(sent.monotonic), Ordering::AcqRel);
        }
        *self.trouble.lock() = None;
    }

    /// Notes why the store can't be followed.
    pub(super) fn failed(&self, why: &dyn std::fmt::Display) {
        *self.trouble.lock() = Some(why.to_string().into());
    }

    /// Why the store can't be followed, if the last attempt failed.
    pub fn trouble(&self) -> Option<Arc<str>> {
        self.trouble.lock().clone()
    }

    /// How long ago the store was last confirmed.
    pub fn age(&self) -> Duration {
        let confirmed = Duration::from_millis(self.confirmed.load(Ordering::Acquire));
        self.clock.monotonic().saturating_sub(confirmed)
    }

    /// When the store was last confirmed, by the wall clock as it is set now.
    pub fn as_of(&self) -> Timestamp {
        let last = *self.last.lock();
        let age = self.clock.monotonic().saturating_sub(last.monotonic).as_secs();
        let by_age = self.clock.now().plus(-i64::try_from(age).unwrap_or(i64::MAX));
        // Both are whole seconds, so they may differ by one. A larger difference means that the wall clock was set.
        if by_age.since(last.wall).abs() <= 1 { last.wall } else { by_age }
    }

    /// Whether memory may still be relied on.
    pub fn holds(&self) -> bool {
        self.age() < MAX_STALE + Duration::from_secs(1)
    }
}

fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_relied_on_for_thirty_seconds_whatever_the_wall_clock_does() {
        for step in [-86_400, -31, 0, 31, 86_400] {
            let clock = Clock::manual(Timestamp::from_unix(1_000_000));
            let freshness = Freshness::confirmed(QueryTime::now(&clock), clock.clone());
            clock.step(step);
            clock.advance(30);
            assert!(freshness.holds(), "{step}");
            assert_eq!(clock.now().since(freshness.as_of()), 30, "{step}");
            clock.advance(1);
            assert!(!freshness.holds(), "{step}");
            assert_eq!(clock.now().since(freshness.as_of()), 31, "{step}");
        }
    }

    #[test]
    fn an_answer_that_comes_late_makes_nothing_older() {
        let clock = Clock::manual(Timestamp::from_unix(1_000_000));
        let early = QueryTime::now(&clock);
        clock.advance(10);
        let freshness = Freshness::confirmed(QueryTime::now(&clock), clock.clone());
        freshness.confirm(early);
        assert_eq!((freshness.age(), freshness.as_of()), (Duration::ZERO, clock.now()));
    }
}
