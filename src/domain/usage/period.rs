//! Periods of whole hours or days of UTC, for reading counts of use.

use std::str::FromStr;

use serde::Serialize;

use crate::base::clock::Timestamp;

const HOUR: i64 = 3_600;
const DAY: i64 = 24 * HOUR;

/// The most buckets of a period.
const MOST_BUCKETS: i64 = 1_000;

/// The length of a bucket.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Interval {
    /// An hour. Its buckets are kept for 35 days.
    Hour,
    /// A day. Its buckets are kept for 800 days.
    #[default]
    Day,
}

/// The text is not an interval.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be hour or day")]
pub struct IntervalError;

/// Consecutive buckets that are all still kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Period {
    interval: Interval,
    from: Timestamp,
    to: Timestamp,
}

/// Why counts of a period can't be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PeriodError {
    /// The period ends before it begins.
    #[error("from must not be after to")]
    Backwards,
    /// The period has more than 1,000 buckets.
    #[error("there are more than {MOST_BUCKETS} buckets between from and to")]
    TooLong,
    /// The period begins before the oldest bucket of this length that is kept.
    #[error("usage of this interval is available since {}", .0.rfc3339())]
    Gone(Timestamp),
}

impl Interval {
    /// Both intervals.
    pub const ALL: [Self; 2] = [Self::Hour, Self::Day];

    /// The length in seconds.
    pub const fn seconds(self) -> i64 {
        match self {
            Self::Hour => HOUR,
            Self::Day => DAY,
        }
    }

    /// The start of the bucket that contains `moment`.
    pub const fn start_of(self, moment: Timestamp) -> Timestamp {
        Timestamp::from_unix(moment.unix().div_euclid(self.seconds()) * self.seconds())
    }

    /// The start of the oldest bucket that is kept at `now`.
    pub const fn kept_since(self, now: Timestamp) -> Timestamp {
        let days = match self {
            Self::Hour => 35,
            Self::Day => 800,
        };
        self.start_of(now.plus(-days * DAY))
    }

    /// The length of the default period.
    const fn usual_seconds(self) -> i64 {
        match self {
            Self::Hour => 2 * DAY,
            Self::Day => 30 * DAY,
        }
    }
}

impl Period {
    /// The buckets from the one that contains `from` up to `to`. Without `to`, the last bucket is that of `now`.
    /// Without `from`, the period is the last 48 hours or 30 days.
    ///
    /// # Errors
    /// [`PeriodError`].
    pub fn new(
        interval: Interval,
        from: Option<Timestamp>,
        to: Option<Timestamp>,
        now: Timestamp,
    ) -> Result<Self, PeriodError> {
        // The current second is included.
        let to = to.unwrap_or(now.plus(1));
        let from = from.unwrap_or(to.plus(-interval.usual_seconds()));
        if from > to {
            return Err(PeriodError::Backwards);
        }
        let last = interval.seconds() - 1;
        let period = Self { interval, from: interval.start_of(from), to: interval.start_of(to.plus(last)) };
        if period.from < interval.kept_since(now) {
            return Err(PeriodError::Gone(interval.kept_since(now)));
        }
        if period.to.since(period.from) > MOST_BUCKETS * interval.seconds() {
            return Err(PeriodError::TooLong);
        }
        Ok(period)
    }

    /// The length of a bucket.
    pub const fn interval(&self) -> Interval {
        self.interval
    }

    /// The start of the first bucket.
    pub const fn from(&self) -> Timestamp {
        self.from
    }

    /// The end of the last bucket.
    pub const fn to(&self) -> Timestamp {
        self.to
    }

    /// The starts of the buckets, oldest first.
    pub fn starts(self) -> impl Iterator<Item = Timestamp> {
        let next = move |start: &Timestamp| Some(start.plus(self.interval.seconds()));
        std::iter::successors(Some(self.from), next).take_while(move |start| *start < self.to)
    }
}

impl FromStr for Interval {
    type Err = IntervalError;

    fn from_str(text: &str) -> Result<Self, IntervalError> {
        match text {
            "hour" => Ok(Self::Hour),
            "day" => Ok(Self::Day),
            _ => Err(IntervalError),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        Timestamp::parse_rfc3339(text).unwrap()
    }

    fn shown(interval: Interval, from: Option<&str>, to: Option<&str>, now: &str) -> (String, String, usize) {
        let period = Period::new(interval, from.map(at), to.map(at), at(now)).unwrap();
        (period.from().rfc3339(), period.to().rfc3339(), period.starts().count())
    }

    fn texts(from: &str, to: &str, buckets: usize) -> (String, String, usize) {
        (from.into(), to.into(), buckets)
    }

    #[test]
    fn a_period_is_made_of_whole_buckets() {
        let now = "2026-03-10T10:20:30Z";
        for (interval, from, to, shown_from, shown_to, buckets) in [
            (
                Interval::Hour,
                "2026-03-10T08:59:59Z",
                "2026-03-10T10:00:00Z",
                "2026-03-10T08:00:00Z",
                "2026-03-10T10:00:00Z",
                2,
            ),
            (
                Interval::Hour,
                "2026-03-10T09:00:00Z",
                "2026-03-10T10:00:01Z",
                "2026-03-10T09:00:00Z",
                "2026-03-10T11:00:00Z",
                2,
            ),
            (
                Interval::Day,
                "2026-03-09T00:00:00Z",
                "2026-03-10T00:00:00Z",
                "2026-03-09T00:00:00Z",
                "2026-03-10T00:00:00Z",
                1,
            ),
            (
                Interval::Day,
                "2026-03-09T00:00:00Z",
                "2026-03-09T00:00:00Z",
                "2026-03-09T00:00:00Z",
                "2026-03-09T00:00:00Z",
                0,
            ),
            (
                Interval::Day,
                "2026-03-09T05:00:00Z",
                "2026-03-09T05:00:00Z",
                "2026-03-09T00:00:00Z",
                "2026-03-10T00:00:00Z",
                1,
            ),
        ] {
            assert_eq!(
                shown(interval, Some(from), Some(to), now),
                texts(shown_from, shown_to, buckets),
                "{from} {to}"
            );
        }
    }

    #[test]
    fn a_period_without_an_end_ends_with_the_current_bucket() {
        for now in ["2026-03-10T10:20:30Z", "2026-03-10T10:00:00Z", "2026-03-10T10:59:59Z"] {
            assert_eq!(
                shown(Interval::Day, None, None, now),
                texts("2026-02-08T00:00:00Z", "2026-03-11T00:00:00Z", 31)
            );
            let (_, to, buckets) = shown(Interval::Hour, None, None, now);
            assert_eq!(
                (to.as_str(), buckets),
                ("2026-03-10T11:00:00Z", if now.ends_with("59:59Z") { 48 } else { 49 })
            );
        }
        let midnight = "2026-03-10T00:00:00Z";
        assert_eq!(shown(Interval::Day, None, None, midnight).1, "2026-03-11T00:00:00Z");
    }

    #[test]
    fn backward_long_and_deleted_periods_are_refused() {
        let now = at("2026-03-10T10:20:30Z");
        let new = |interval, from: Timestamp, to: Timestamp| Period::new(interval, Some(from), Some(to), now);
        assert_eq!(new(Interval::Day, now, now.plus(-1)), Err(PeriodError::Backwards));
        let hours_since = at("2026-02-03T10:00:00Z");
        assert!(new(Interval::Hour, hours_since, now).is_ok());
        assert_eq!(new(Interval::Hour, hours_since.plus(-1), now), Err(PeriodError::Gone(hours_since)));
        let days_since = at("2023-12-31T00:00:00Z");
        assert!(new(Interval::Day, days_since, now).is_ok());
        assert_eq!(new(Interval::Day, days_since.plus(-1), now), Err(PeriodError::Gone(days_since)));
        let begun = Interval::Hour.start_of(now);
        assert!(new(Interval::Hour, begun, begun.plus(1_000 * HOUR)).is_ok());
        assert_eq!(new(Interval::Hour, begun, begun.plus(1_000 * HOUR + 1)), Err(PeriodError::TooLong));
        assert_eq!(new(Interval::Hour, begun, Timestamp::from_unix(i64::MAX)), Err(PeriodError::TooLong));
        assert_eq!(
            Period::new(Interval::Day, None, Some(at("1970-01-01T00:00:00Z")), now),
            Err(PeriodError::Gone(days_since))
        );
    }
}
