//! The clock for deletion by age. It follows the wall clock only while that clock advances steadily.
//!
//! Otherwise a clock that jumps ahead would delete an audit trail, or the revocations of tokens that are still valid
//! once the clock is corrected. A real jump, for example after a long time without a server, delays deletion by a day.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use super::Node;
use crate::base::clock::{Clock, Timestamp};
use crate::base::lock::Mutex;
use crate::store::StoreError;

/// A clock correction, or a time without a server, of up to this many seconds goes unnoticed.
const TOLERATED_SECONDS: i64 = 600;

/// After a jump, the clock has to advance steadily for this long before it is trusted.
const STEADY_FOR: Duration = Duration::from_secs(86_400);

/// The time is written to the store once the stored one differs from this node's by this many seconds.
const WRITTEN_EVERY_SECONDS: i64 = 300;

/// The moment up to which time has passed steadily, as this node knows it.
#[derive(Debug)]
pub struct RetentionClock {
    state: Mutex<State>,
    jumps: AtomicU64,
}

#[derive(Clone, Copy, Debug)]
struct State {
    at: Timestamp,
    /// The wall clock at the last round. The next field is the monotonic clock.
    wall: Timestamp,
    monotonic: Duration,
    /// Since when the wall clock has advanced steadily after a jump that is not trusted yet.
    waiting_since: Option<Duration>,
}

/// What a comparison of the two clocks shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Observation {
    Steady,
    /// The clock has jumped by this many seconds. A negative number is a jump back.
    Jumped(i64),
    Waiting,
    /// The clock has advanced steadily for long enough.
    Believed,
}

impl State {
    /// Advances the state to what the clocks show now.
    fn pass(&mut self, wall: Timestamp, monotonic: Duration) -> Observation {
        let elapsed = i64::try_from(monotonic.saturating_sub(self.monotonic).as_secs()).unwrap_or(i64::MAX);
        let has_jumped = (wall.since(self.wall) - elapsed).abs() > TOLERATED_SECONDS;
        (self.wall, self.monotonic) = (wall, monotonic);
        let expected = self.at.plus(elapsed);
        let gap = wall.since(expected);
        if gap.abs() <= TOLERATED_SECONDS {
            (self.at, self.waiting_since) = (wall, None);
            return Observation::Steady;
        }
        match self.waiting_since.filter(|_| !has_jumped) {
            None => {
                self.waiting_since = Some(monotonic);
                Observation::Jumped(gap)
            }
            Some(since) if monotonic.saturating_sub(since) >= STEADY_FOR => {
                (self.at, self.waiting_since) = (wall, None);
                Observation::Believed
            }
            Some(_) => {
                // The retention clock catches up with the time in which no server ran, at twice the normal speed.
                self.at = if gap > 0 { expected.plus(elapsed).min(wall) } else { self.at };
                Observation::Waiting
            }
        }
    }
}

impl RetentionClock {
    /// Starts at the stored time `at`, or now if the store has none.
    pub fn new(at: Option<Timestamp>, clock: &Clock) -> Self {
        let wall = clock.now();
        let at = at.unwrap_or(wall);
        let state = State { at, wall, monotonic: clock.monotonic(), waiting_since: None };
        Self { state: Mutex::new(state), jumps: AtomicU64::new(0) }
    }

    /// The jumps of the wall clock that were noticed, including times without a server.
    pub fn jumps(&self) -> u64 {
        self.jumps.load(Relaxed)
    }

    /// Whether deletion by age follows the wall clock. It doesn't for a day after a jump.
    pub fn is_trusted(&self) -> bool {
        self.state.lock().waiting_since.is_none()
    }

    /// The current time, or an earlier one while the wall clock is not trusted. Nothing is deleted too soon by it.
    pub fn now(&self, clock: &Clock) -> Timestamp {
        let state = self.state.lock();
        let elapsed = clock.monotonic().saturating_sub(state.monotonic).as_secs();
        let expected = state.at.plus(i64::try_from(elapsed).unwrap_or(i64::MAX));
        let wall = clock.now();
        if wall.since(expected) > TOLERATED_SECONDS { expected } else { wall }
    }
}

impl Node {
    /// Advances the clock, also by the database's clock if there is one, and returns the moment by which age is
    /// measured.
    ///
    /// # Errors
    /// When the store fails. Then nothing may be deleted.
    pub(super) async fn advance_retention_clock(&self, now: Timestamp) -> Result<Timestamp, StoreError> {
        // A manual clock is unrelated to the database's.
        let database = if self.clock.is_manual() { None } else { self.records.store.database_time().await? };
        let wall = database.map_or(now, |database| database.min(now));
        let stored = self.records.store.retention_time().await?;
        let (at, round) = {
            let mut state = self.retention_clock.state.lock();
            // Another node may have waited for longer.
            if let Some(stored) = stored.filter(|stored| *stored > state.at && *stored <= wall) {
                state.at = stored;
            }
            let round = state.pass(wall, self.clock.monotonic());
            (state.at, round)
        };
        match round {
            Observation::Jumped(seconds) => {
                self.retention_clock.jumps.fetch_add(1, Relaxed);
                tracing::warn!(
                    seconds,
                    "the clock has jumped, or no server ran meanwhile: nothing is deleted for its age by this clock \
                     before it has gone on steadily for 24 h"
                );
            }
            Observation::Believed => {
                tracing::info!("the clock has advanced steadily: deletion by age follows it again")
            }
            Observation::Steady | Observation::Waiting => {}
        }
        if stored.is_none_or(|stored| at.since(stored).abs() >= WRITTEN_EVERY_SECONDS) {
            self.records.store.save_retention_time(at).await?;
        }
        Ok(at.min(wall))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: i64 = 86_400;

    struct Clocks {
        state: State,
        wall: i64,
        monotonic: u64,
    }

    impl Clocks {
        fn new(at: i64, wall: i64) -> Self {
            let wall_now = Timestamp::from_unix(wall);
            let state = State {
                at: Timestamp::from_unix(at),
                wall: wall_now,
                monotonic: Duration::ZERO,
                waiting_since: None,
            };
            Self { state, wall, monotonic: 0 }
        }

        /// Runs rounds of a minute each for this many seconds, and returns the outcome of the last one.
        fn run(&mut self, seconds: i64) -> Observation {
            let mut last = self.round();
            for _ in 0..seconds / 60 {
                (self.wall, self.monotonic) = (self.wall + 60, self.monotonic + 60);
                last = self.round();
            }
            last
        }

        fn round(&mut self) -> Observation {
            self.state.pass(Timestamp::from_unix(self.wall), Duration::from_secs(self.monotonic))
        }

        fn at(&self) -> i64 {
            self.state.at.unix()
        }
    }

    #[test]
    fn steady_time_is_the_wall_clock() {
        let mut clocks = Clocks::new(1_000, 1_300);
        assert_eq!((clocks.run(0), clocks.at()), (Observation::Steady, 1_300));
        assert_eq!((clocks.run(10 * DAY), clocks.at()), (Observation::Steady, 1_300 + 10 * DAY));
        // A late round, for example on a busy machine, is not a jump of the clock.
        (clocks.wall, clocks.monotonic) = (clocks.wall + 5 * DAY, clocks.monotonic + 432_000);
        assert_eq!(clocks.round(), Observation::Steady);
    }

    #[test]
    fn a_jump_is_believed_after_a_day_of_steady_time_and_not_before() {
        let mut clocks = Clocks::new(1_000, 1_000);
        clocks.run(600);
        clocks.wall += 402 * DAY;
        assert_eq!(clocks.round(), Observation::Jumped(402 * DAY));
        assert_eq!(clocks.run(DAY - 60), Observation::Waiting);
        assert!(clocks.at() < 3 * DAY, "{}", clocks.at());
        assert_eq!(clocks.run(60), Observation::Believed);
        assert_eq!(clocks.at(), clocks.wall);
    }

    #[test]
    fn a_jump_that_is_corrected_leaves_nothing_behind() {
        let mut clocks = Clocks::new(1_000, 1_000);
        clocks.wall += 402 * DAY;
        clocks.run(DAY / 2);
        clocks.wall -= 402 * DAY;
        assert_eq!(clocks.run(DAY), Observation::Steady);
        assert_eq!(clocks.at(), clocks.wall);
    }

    #[test]
    fn a_clock_that_jumps_again_begins_to_wait_again() {
        let mut clocks = Clocks::new(0, 402 * DAY);
        assert_eq!(clocks.round(), Observation::Jumped(402 * DAY));
        clocks.run(DAY / 2);
        clocks.wall += 30 * DAY;
        assert!(matches!(clocks.round(), Observation::Jumped(_)));
        assert_eq!(clocks.run(DAY - 60), Observation::Waiting);
        assert_eq!(clocks.run(60), Observation::Believed);
    }

    #[test]
    fn a_clock_that_was_believed_and_is_set_back_is_believed_in_the_end() {
        let mut clocks = Clocks::new(402 * DAY, 1_000);
        assert_eq!(clocks.round(), Observation::Jumped(1_000 - 402 * DAY));
        assert_eq!(clocks.run(DAY), Observation::Believed);
        assert_eq!(clocks.at(), clocks.wall);
    }

    #[test]
    fn the_time_without_a_server_is_caught_up_with() {
        // Eight hours without a server every night.
        let mut clocks = Clocks::new(0, DAY / 3);
        clocks.run(DAY / 3 + 60);
        assert_eq!(clocks.at(), clocks.wall);
    }
}
