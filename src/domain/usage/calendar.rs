//! Days and months of UTC, for comparing keys.

use std::fmt;

use time::OffsetDateTime;

use super::Interval;
use crate::base::clock::Timestamp;

const DAY: i64 = 86_400;

/// How many past days have totals. Totals of a day are mainly read on that day; the others are for nodes whose clock
/// is late.
const DAYS_KEPT: i64 = 2;

/// The length of a calendar period.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum CalendarSpan {
    /// A day. Its totals are kept for two more days.
    Day,
    /// A month. Its totals are kept as long as a bucket of its days; see [`Interval::Day`].
    Month,
}

/// A day or a month of UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CalendarPeriod {
    span: CalendarSpan,
    start: Timestamp,
}

/// Why totals of a period can't be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CalendarError {
    /// The text is not a month.
    #[error("must be a month such as 2026-11")]
    NoMonth,
    /// The period is in the future.
    #[error("{0} has not begun")]
    NotBegun(CalendarPeriod),
    /// The totals of the period have been deleted. The error has the oldest period that is available.
    #[error("totals of this length are available since {0}")]
    Gone(CalendarPeriod),
}

impl CalendarSpan {
    /// Both lengths.
    pub const ALL: [Self; 2] = [Self::Day, Self::Month];

    /// The length as text: `day` or `month`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Day => "day",
            Self::Month => "month",
        }
    }

    /// The oldest period of this length whose totals are kept at `now`.
    pub fn kept_since(self, now: Timestamp) -> CalendarPeriod {
        match self {
            Self::Day => CalendarPeriod::of(self, now.plus(-DAYS_KEPT * DAY)),
            Self::Month => CalendarPeriod::of(self, Interval::Day.kept_since(now)),
        }
    }
}

impl CalendarPeriod {
    /// The period that contains `moment`.
    pub fn of(span: CalendarSpan, moment: Timestamp) -> Self {
        let day = Interval::Day.start_of(moment);
        let start = match span {
            CalendarSpan::Day => day,
            CalendarSpan::Month => day.plus(-DAY * (day_of_month(day) - 1)),
        };
        Self { span, start }
    }

    /// Reads a month such as `2026-11`.
    ///
    /// # Errors
    /// [`CalendarError::NoMonth`].
    pub fn month(text: &str) -> Result<Self, CalendarError> {
        let start = Timestamp::parse_rfc3339(&format!("{text}-01T00:00:00Z"));
        start.map(|start| Self { span: CalendarSpan::Month, start }).ok_or(CalendarError::NoMonth)
    }

    /// This period, if it has begun at `now` and its totals are still kept.
    ///
    /// # Errors
    /// [`CalendarError`].
    pub fn known_at(self, now: Timestamp) -> Result<Self, CalendarError> {
        let oldest = self.span.kept_since(now);
        if self.start > now {
            return Err(CalendarError::NotBegun(self));
        }
        if self.start < oldest.start {
            return Err(CalendarError::Gone(oldest));
        }
        Ok(self)
    }

    /// The length.
    pub const fn span(self) -> CalendarSpan {
        self.span
    }

    /// The first moment.
    pub const fn start(self) -> Timestamp {
        self.start
    }

    /// The previous period.
    pub fn before(self) -> Self {
        Self::of(self.span, self.start.plus(-1))
    }

    /// The next period.
    pub fn after(self) -> Self {
        // The longest length of each kind. It never reaches past the end of the next period.
        let days = match self.span {
            CalendarSpan::Day => 1,
            CalendarSpan::Month => 31,
        };
        Self::of(self.span, self.start.plus(days * DAY))
    }
}

impl fmt::Display for CalendarPeriod {
    /// `2026-11-21` or `2026-11`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let exact = self.start.rfc3339();
        f.write_str(match self.span {
            CalendarSpan::Day => &exact[..10],
            CalendarSpan::Month => &exact[..7],
        })
    }
}

fn day_of_month(moment: Timestamp) -> i64 {
    OffsetDateTime::from_unix_timestamp(moment.unix()).map_or(1, |moment| moment.day().into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        Timestamp::parse_rfc3339(text).unwrap()
    }

    fn month(text: &str) -> CalendarPeriod {
        CalendarPeriod::month(text).unwrap()
    }

    #[test]
    fn a_moment_is_in_one_day_and_one_month() {
        for (moment, day, month) in [
            ("2026-11-21T10:00:00Z", "2026-11-21", "2026-11"),
            ("2026-11-30T23:59:59Z", "2026-11-30", "2026-11"),
            ("2026-12-01T00:00:00Z", "2026-12-01", "2026-12"),
            ("2028-02-29T12:00:00Z", "2028-02-29", "2028-02"),
            ("1970-01-01T00:00:00Z", "1970-01-01", "1970-01"),
        ] {
            let named = CalendarSpan::ALL.map(|span| CalendarPeriod::of(span, at(moment)).to_string());
            assert_eq!(named, [day, month]);
        }
        assert_eq!(month("2026-11").start(), at("2026-11-01T00:00:00Z"));
        assert_eq!(CalendarPeriod::of(CalendarSpan::Month, at("2026-11-21T10:00:00Z")), month("2026-11"));
    }

    #[test]
    fn periods_follow_each_other() {
        let mut period = month("1970-01");
        for passed in 0..1_200 {
            assert_eq!(period.to_string(), format!("{:04}-{:02}", 1970 + passed / 12, 1 + passed % 12));
            assert_eq!(period.after().before(), period);
            period = period.after();
        }
        let day = CalendarPeriod::of(CalendarSpan::Day, at("2026-03-01T00:00:00Z"));
        assert_eq!([day.before(), day.after()].map(|day| day.to_string()), ["2026-02-28", "2026-03-02"]);
    }

    #[test]
    fn a_malformed_month_is_refused() {
        for text in
            ["", "2026", "2026-11-21", "2026-13", "2026-00", "26-11", "2026-1", "1969-12", " 2026-11", "x"]
        {
            assert_eq!(CalendarPeriod::month(text), Err(CalendarError::NoMonth), "{text}");
        }
    }

    #[test]
    fn totals_exist_up_to_now_and_as_far_back_as_days() {
        let now = at("2026-03-11T00:00:00Z");
        let oldest = month("2024-01");
        assert_eq!(Interval::Day.kept_since(now), oldest.start());
        for known in [oldest, month("2026-03")] {
            assert_eq!(known.known_at(now), Ok(known));
        }
        assert_eq!(oldest.before().known_at(now), Err(CalendarError::Gone(oldest)));
        assert_eq!(month("2026-04").known_at(now), Err(CalendarError::NotBegun(month("2026-04"))));
        // Only the last day of the earlier totals is kept.
        let before = at("2026-03-10T23:59:59Z");
        assert_eq!(oldest.before().known_at(before), Ok(oldest.before()));
        assert_eq!(CalendarSpan::Day.kept_since(now).to_string(), "2026-03-09");
    }
}
