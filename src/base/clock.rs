//! Time as an argument: whoever needs the time is given it, and tests hand out times of their own.

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, LazyLock};
use std::time::{Duration, Instant};

use serde::{Serialize, Serializer};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// By so many seconds the clocks of two nodes of one deployment may differ.
pub const NODE_SKEW_SECONDS: i64 = 5;

/// A moment, in whole seconds since the Unix epoch. What the database, the claims and the API's times
/// are all made of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

impl Timestamp {
    /// The last second that RFC 3339 can write: 9999-12-31T23:59:59Z.
    pub const MAX: Self = Self(253_402_300_799);

    /// From seconds since the Unix epoch.
    pub const fn from_unix(seconds: i64) -> Self {
        Self(seconds)
    }

    /// Seconds since the Unix epoch.
    pub const fn unix(self) -> i64 {
        self.0
    }

    /// This moment moved by `seconds`; it saturates instead of wrapping.
    pub const fn plus(self, seconds: i64) -> Self {
        Self(self.0.saturating_add(seconds))
    }

    /// Seconds from `earlier` to this moment; negative if `earlier` is the later one.
    pub const fn since(self, earlier: Self) -> i64 {
        self.0.saturating_sub(earlier.0)
    }

    /// `2026-11-21T10:00:00Z`. Moments that RFC 3339 cannot write become the nearest that it can.
    pub fn rfc3339(self) -> String {
        let seconds = self.0.clamp(0, Self::MAX.0);
        OffsetDateTime::from_unix_timestamp(seconds)
            .ok()
            .and_then(|moment| moment.format(&Rfc3339).ok())
            .unwrap_or_default()
    }

    /// Reads an RFC 3339 time with any offset; a fraction of a second is dropped. `None` when it is not one,
    /// or lies before 1970.
    pub fn parse_rfc3339(text: &str) -> Option<Self> {
        let moment = OffsetDateTime::parse(text, &Rfc3339).ok()?;
        (moment.unix_timestamp() >= 0).then(|| Self(moment.unix_timestamp()))
    }
}

impl Serialize for Timestamp {
    /// As RFC 3339 writes it.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.rfc3339())
    }
}

/// Where the time comes from: the system, or a hand-set clock that tests move.
#[derive(Clone, Debug)]
pub struct Clock(Source);

#[derive(Clone, Debug)]
enum Source {
    System,
    Manual(Arc<Manual>),
}

#[derive(Debug)]
struct Manual {
    /// Unix seconds.
    wall: AtomicI64,
    /// Seconds since the clock was made.
    monotonic: AtomicU64,
}

impl Clock {
    /// The system's clock.
    pub const fn system() -> Self {
        Self(Source::System)
    }

    /// A clock that stands at `start` until [`Clock::advance`] or [`Clock::step`] moves it. Clones share it.
    pub fn manual(start: Timestamp) -> Self {
        let (wall, monotonic) = (AtomicI64::new(start.0), AtomicU64::new(0));
        Self(Source::Manual(Arc::new(Manual { wall, monotonic })))
    }

    /// Whether a test moves the clock by hand.
    pub const fn is_manual(&self) -> bool {
        matches!(self.0, Source::Manual(_))
    }

    /// The time now.
    #[expect(clippy::disallowed_methods, reason = "the one place that reads the system's clock")]
    pub fn now(&self) -> Timestamp {
        match &self.0 {
            Source::System => Timestamp(OffsetDateTime::now_utc().unix_timestamp()),
            Source::Manual(manual) => Timestamp(manual.wall.load(Ordering::SeqCst)),
        }
    }

    /// The time since a fixed moment in the life of this process. It never goes back and never jumps, whatever is
    /// done to the wall clock, so every span that is measured is a difference of two of these.
    pub fn monotonic(&self) -> Duration {
        static START: LazyLock<Instant> = LazyLock::new(monotonic_now);
        match &self.0 {
            // The start is read first: the clock must not be read before it.
            Source::System => {
                let start = *START;
                monotonic_now().saturating_duration_since(start)
            }
            Source::Manual(manual) => Duration::from_secs(manual.monotonic.load(Ordering::SeqCst)),
        }
    }

    /// Lets `seconds` pass on a manual clock. The system's clock does not move.
    pub fn advance(&self, seconds: i64) {
        self.step(seconds);
        if let (Source::Manual(manual), Ok(seconds)) = (&self.0, u64::try_from(seconds)) {
            manual.monotonic.fetch_add(seconds, Ordering::SeqCst);
        }
    }

    /// Sets the wall clock of a manual clock forward or back by `seconds`, while no time passes.
    pub fn step(&self, seconds: i64) {
        if let Source::Manual(manual) = &self.0 {
            manual.wall.fetch_add(seconds, Ordering::SeqCst);
        }
    }
}

/// The process's monotonic clock, for spans that no test has to move: how long a connection has been open, or an answer
/// took. What a test moves takes its spans from [`Clock::monotonic`].
#[expect(clippy::disallowed_methods, reason = "the one place that reads the monotonic clock")]
pub(crate) fn monotonic_now() -> Instant {
    Instant::now()
}

/// The clock of the runtime's timers, for whoever waits until a moment. A test that pauses the runtime moves it.
#[cfg(feature = "_client")]
#[expect(clippy::disallowed_methods, reason = "the one place that reads the runtime's clock")]
pub(crate) fn timer_now() -> tokio::time::Instant {
    tokio::time::Instant::now()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_rfc_3339_in_utc() {
        assert_eq!(Timestamp::from_unix(1_795_255_200).rfc3339(), "2026-11-21T10:00:00Z");
        for (text, seconds) in [
            ("1970-01-01T00:00:00Z", Some(0)),
            ("2026-11-21T12:00:00.9+02:00", Some(1_795_255_200)),
            ("9999-12-31T23:59:59Z", Some(Timestamp::MAX.0)),
            ("1969-12-31T23:59:59Z", None),
            ("2026-11-21", None),
            ("2026-02-30T00:00:00Z", None),
            ("", None),
        ] {
            assert_eq!(Timestamp::parse_rfc3339(text).map(Timestamp::unix), seconds, "{text}");
        }
        assert_eq!(Timestamp::from_unix(i64::MAX).rfc3339(), "9999-12-31T23:59:59Z");
    }

    #[test]
    fn a_manual_clock_moves_only_by_hand_and_its_clones_with_it() {
        let clock = Clock::manual(Timestamp::from_unix(100));
        let shared = clock.clone();
        clock.advance(5);
        assert_eq!(shared.now(), Timestamp::from_unix(105));
    }

    #[test]
    fn setting_the_wall_clock_back_lets_no_time_pass() {
        let clock = Clock::manual(Timestamp::from_unix(100));
        clock.advance(5);
        clock.step(-50);
        assert_eq!((clock.now().unix(), clock.monotonic().as_secs()), (55, 5));
    }
}
