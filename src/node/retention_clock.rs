//! The clock of deletion by age: it follows the wall clock only as long as that goes on steadily.
//!
//! A clock that jumps ahead would otherwise delete an audit trail, or the revocations of tokens that are still alive once
//! the clock is corrected. A jump that is real, as after a long time without a server, costs a day.

use std::time::Duration;

use super::Node;
use crate::base::clock::{Clock, Timestamp};
use crate::base::lock::Mutex;
use crate::store::StoreError;

/// A clock may be corrected by so many seconds, and a server be away for as long, without being noticed.
const TOLERATED_SECONDS: i64 = 600;

/// After a jump, a clock has to go on steadily for so long before it is believed.
const STEADY_FOR: Duration = Duration::from_secs(86_400);

/// How far apart the store's moment and this node's may get before it is written down.
const WRITTEN_EVERY_SECONDS: i64 = 300;

/// The moment up to which time has passed steadily, as this node knows it.
#[derive(Debug)]
pub struct RetentionClock(Mutex<State>);

#[derive(Clone, Copy, Debug)]
struct State {
    at: Timestamp,
    /// The wall clock in the last round, and the monotonic one.
    wall: Timestamp,
    monotonic: Duration,
    /// Since when the wall clock has gone on steadily after a jump that is not believed yet.
    waiting_since: Option<Duration>,
}

/// What a round found out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Round {
    Steady,
    /// The clock has jumped by so many seconds; negative is back.
    Jumped(i64),
    Waiting,
    /// It has gone on for long enough.
    Believed,
}

impl State {
    /// Takes in what the clocks say now.
    fn pass(&mut self, wall: Timestamp, monotonic: Duration) -> Round {
        let elapsed = i64::try_from(monotonic.saturating_sub(self.monotonic).as_secs()).unwrap_or(i64::MAX);
        let has_jumped = (wall.since(self.wall) - elapsed).abs() > TOLERATED_SECONDS;
        (self.wall, self.monotonic) = (wall, monotonic);
        let expected = self.at.plus(elapsed);
        let gap = wall.since(expected);
        if gap.abs() <= TOLERATED_SECONDS {
            (self.at, self.waiting_since) = (wall, None);
            return Round::Steady;
        }
        match self.waiting_since.filter(|_| !has_jumped) {
            None => {
                self.waiting_since = Some(monotonic);
                Round::Jumped(gap)
            }
            Some(since) if monotonic.saturating_sub(since) >= STEADY_FOR => {
                (self.at, self.waiting_since) = (wall, None);
                Round::Believed
            }
            Some(_) => {
                // The time in which no server ran is caught up with, while one runs for as long.
                self.at = if gap > 0 { expected.plus(elapsed).min(wall) } else { self.at };
                Round::Waiting
            }
        }
    }
}

impl RetentionClock {
    /// From `at` on, which the store knows, or from now.
    pub fn new(at: Option<Timestamp>, clock: &Clock) -> Self {
        let wall = clock.now();
        let at = at.unwrap_or(wall);
        Self(Mutex::new(State { at, wall, monotonic: clock.monotonic(), waiting_since: None }))
    }

    /// The time now, or less while the clock is not believed: nothing is deleted too soon by it.
    pub fn now(&self, clock: &Clock) -> Timestamp {
        let state = self.0.lock();
        let elapsed = clock.monotonic().saturating_sub(state.monotonic).as_secs();
        let expected = state.at.plus(i64::try_from(elapsed).unwrap_or(i64::MAX));
        let wall = clock.now();
        if wall.since(expected) > TOLERATED_SECONDS { expected } else { wall }
    }
}

impl Node {
    /// Takes in how time has passed, by the database's clock too where there is one, and returns the moment against
    /// which age is measured.
    ///
    /// # Errors
    /// When the store fails; nothing should be deleted then.
    pub(super) async fn advance_retention_clock(&self, now: Timestamp) -> Result<Timestamp, StoreError> {
        // A clock that a test moves has nothing to do with the database's.
        let database = if self.clock.is_manual() { None } else { self.records.store.database_time().await? };
        let wall = database.map_or(now, |database| database.min(now));
        let stored = self.records.store.retention_time().await?;
        let (at, round) = {
            let mut state = self.retention_clock.0.lock();
            // Another node may have waited for longer.
            if let Some(stored) = stored.filter(|stored| *stored > state.at && *stored <= wall) {
                state.at = stored;
            }
            let round = state.pass(wall, self.clock.monotonic());
            (state.at, round)
        };
        match round {
            Round::Jumped(seconds) => tracing::warn!(
                seconds,
                "the clock has jumped, or no server ran meanwhile: nothing is deleted for its age by this clock before \
                 it has gone on steadily for 24 h"
            ),
            Round::Believed => {
                tracing::info!("the clock has gone on steadily: it counts for deletions again")
            }
            Round::Steady | Round::Waiting => {}
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

        /// Rounds of a minute each, for so many seconds; what the last one found out.
        fn run(&mut self, seconds: i64) -> Round {
            let mut last = self.round();
            for _ in 0..seconds / 60 {
                (self.wall, self.monotonic) = (self.wall + 60, self.monotonic + 60);
                last = self.round();
            }
            last
        }

        fn round(&mut self) -> Round {
            self.state.pass(Timestamp::from_unix(self.wall), Duration::from_secs(self.monotonic))
        }

        fn at(&self) -> i64 {
            self.state.at.unix()
        }
    }

    #[test]
    fn steady_time_is_the_wall_clock() {
        let mut clocks = Clocks::new(1_000, 1_300);
        assert_eq!((clocks.run(0), clocks.at()), (Round::Steady, 1_300));
        assert_eq!((clocks.run(10 * DAY), clocks.at()), (Round::Steady, 1_300 + 10 * DAY));
        // A round that comes late, as after a machine was busy, is none of the clock's.
        (clocks.wall, clocks.monotonic) = (clocks.wall + 5 * DAY, clocks.monotonic + 432_000);
        assert_eq!(clocks.round(), Round::Steady);
    }

    #[test]
    fn a_jump_is_believed_after_a_day_of_steady_time_and_not_before() {
        let mut clocks = Clocks::new(1_000, 1_000);
        clocks.run(600);
        clocks.wall += 402 * DAY;
        assert_eq!(clocks.round(), Round::Jumped(402 * DAY));
        assert_eq!(clocks.run(DAY - 60), Round::Waiting);
        assert!(clocks.at() < 3 * DAY, "{}", clocks.at());
        assert_eq!(clocks.run(60), Round::Believed);
        assert_eq!(clocks.at(), clocks.wall);
    }

    #[test]
    fn a_jump_that_is_corrected_leaves_nothing_behind() {
        let mut clocks = Clocks::new(1_000, 1_000);
        clocks.wall += 402 * DAY;
        clocks.run(DAY / 2);
        clocks.wall -= 402 * DAY;
        assert_eq!(clocks.run(DAY), Round::Steady);
        assert_eq!(clocks.at(), clocks.wall);
    }

    #[test]
    fn a_clock_that_jumps_again_begins_to_wait_again() {
        let mut clocks = Clocks::new(0, 402 * DAY);
        assert_eq!(clocks.round(), Round::Jumped(402 * DAY));
        clocks.run(DAY / 2);
        clocks.wall += 30 * DAY;
        assert!(matches!(clocks.round(), Round::Jumped(_)));
        assert_eq!(clocks.run(DAY - 60), Round::Waiting);
        assert_eq!(clocks.run(60), Round::Believed);
    }

    #[test]
    fn a_clock_that_was_believed_and_is_set_back_is_believed_in_the_end() {
        let mut clocks = Clocks::new(402 * DAY, 1_000);
        assert_eq!(clocks.round(), Round::Jumped(1_000 - 402 * DAY));
        assert_eq!(clocks.run(DAY), Round::Believed);
        assert_eq!(clocks.at(), clocks.wall);
    }

    #[test]
    fn the_time_without_a_server_is_caught_up_with() {
        // Eight hours every night.
        let mut clocks = Clocks::new(0, DAY / 3);
        clocks.run(DAY / 3 + 60);
        assert_eq!(clocks.at(), clocks.wall);
    }
}
