//! Time as an argument: code receives a [`Clock`] or a [`Timestamp`], so tests control the time.

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, LazyLock};
use std::time::{Duration, Instant};

use serde::{Serialize, Serializer};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// How many seconds the clocks of two nodes of a deployment may differ.
pub const NODE_SKEW_SECONDS: i64 = 5;

/// A moment in whole seconds since the Unix epoch. The database, the claims and the API all use it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

impl Timestamp {
    /// The last second that RFC 3339 can represent: 9999-12-31T23:59:59Z.
    pub const MAX: Self = Self(253_402_300_799);

    /// A moment from seconds since the Unix epoch.
    pub const fn from_unix(seconds: i64) -> Self {
        Self(seconds)
    }

    /// The seconds since the Unix epoch.
    pub const fn unix(self) -> i64 {
        self.0
    }

    /// This moment plus `seconds`. It saturates instead of overflowing.
    pub const fn plus(self, seconds: i64) -> Self {
        Self(self.0.saturating_add(seconds))
    }

    /// The seconds from `earlier` to this moment. Negative if `earlier` is later.
    pub const fn since(self, earlier: Self) -> i64 {
        self.0.saturating_sub(earlier.0)
    }

    /// The RFC 3339 form, such as `2026-11-21T10:00:00Z`. A moment that RFC 3339 can't represent becomes the nearest
    /// one that it can.
    pub fn rfc3339(self) -> String {
        let seconds = self.0.clamp(0, Self::MAX.0);
        OffsetDateTime::from_unix_timestamp(seconds)
            .ok()
            .and_then(|moment| moment.format(&Rfc3339).ok())
            .unwrap_or_default()
    }

    /// Reads an RFC 3339 time with any offset, and drops a fraction of a second. `None` if the text is not one, or
    /// the time is before 1970.
    pub fn parse_rfc3339(text: &str) -> Option<Self> {
        let moment = OffsetDateTime::parse(text, &Rfc3339).ok()?;
        (moment.unix_timestamp() >= 0).then(|| Self(moment.unix_timestamp()))
    }
}

impl Serialize for Timestamp {
    /// Writes the RFC 3339 form.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.rfc3339())
    }
}

/// The source of time: the system, or a manual clock that tests move.
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
    /// Seconds since the clock was created.
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

    /// Whether this is a manual clock.
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

    /// The time since a fixed moment in the life of this process. It never goes back or jumps, even if the wall clock
    /// is set. Durations are differences of two such values.
    pub fn monotonic(&self) -> Duration {
        static START: LazyLock<Instant> = LazyLock::new(monotonic_now);
        match &self.0 {
            // The start must be read before the clock.
            Source::System => {
                let start = *START;
                monotonic_now().saturating_duration_since(start)
            }
            Source::Manual(manual) => Duration::from_secs(manual.monotonic.load(Ordering::SeqCst)),
        }
    }

    /// Moves a manual clock forward by `seconds`. It has no effect on the system's clock.
    pub fn advance(&self, seconds: i64) {
        self.step(seconds);
        if let (Source::Manual(manual), Ok(seconds)) = (&self.0, u64::try_from(seconds)) {
            manual.monotonic.fetch_add(seconds, Ordering::SeqCst);
        }
    }

    /// Sets the wall clock of a manual clock forward or back by `seconds`. Its monotonic time stays.
    pub fn step(&self, seconds: i64) {
        if let Source::Manual(manual) = &self.0 {
            manual.wall.fetch_add(seconds, Ordering::SeqCst);
        }
    }
}

/// The process's monotonic clock, for durations that no test controls, such as the age of a connection. Code whose
/// time a test controls uses [`Clock::monotonic`].
#[expect(clippy::disallowed_methods, reason = "the one place that reads the monotonic clock")]
pub(crate) fn monotonic_now() -> Instant {
    Instant::now()
}

/// The clock of the runtime's timers, for code that waits until a moment. A test that pauses the runtime controls it.
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
