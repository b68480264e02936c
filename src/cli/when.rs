//! Times and durations as people write them.

use std::str::FromStr;

use crate::base::clock::Timestamp;

/// A time: in RFC 3339, as a date, or as a duration ago.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Moment {
    At(Timestamp),
    Ago(Span),
}

/// A duration in whole seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Span(i64);

/// The text is not a time.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum MomentError {
    /// A number without a unit.
    #[error(transparent)]
    Span(SpanError),
    /// Anything else.
    #[error(
        "is not a time such as 2026-11-21T10:00:00Z, a date such as 2026-11-21, or a time ago such as 90d or 12h"
    )]
    Malformed,
}

/// The text is not a duration.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum SpanError {
    /// A number without a unit. 90 could mean days, or seconds as in the REST API.
    #[error("has no unit: use {0}d for days, {0}h for hours, {0}s for seconds")]
    NoUnit(String),
    /// Anything else.
    #[error("is not a number with the unit s, m, h, d, w or y, such as 90d")]
    Malformed,
}

impl Moment {
    /// The time in RFC 3339. `now` resolves durations.
    pub(super) fn rfc3339(self, now: Timestamp) -> String {
        match self {
            Self::At(moment) => moment.rfc3339(),
            Self::Ago(span) => now.plus(-span.0).rfc3339(),
        }
    }
}

impl FromStr for Moment {
    type Err = MomentError;

    fn from_str(text: &str) -> Result<Self, MomentError> {
        match text.parse() {
            Ok(span) => return Ok(Self::Ago(span)),
            Err(error @ SpanError::NoUnit(_)) => return Err(MomentError::Span(error)),
            Err(SpanError::Malformed) => {}
        }
        let midnight = || Timestamp::parse_rfc3339(&format!("{text}T00:00:00Z"));
        Timestamp::parse_rfc3339(text).or_else(midnight).map(Self::At).ok_or(MomentError::Malformed)
    }
}

impl Span {
    pub(super) fn seconds(self) -> i64 {
        self.0
    }

    /// The time this much later than `now`.
    pub(super) fn from(self, now: Timestamp) -> Timestamp {
        now.plus(self.0)
    }
}

impl FromStr for Span {
    type Err = SpanError;

    fn from_str(text: &str) -> Result<Self, SpanError> {
        let digits = text.trim_end_matches(|character: char| character.is_ascii_alphabetic());
        let unit = match &text[digits.len()..] {
            "" if digits == "0" => 1,
            "" if !digits.is_empty() && is_number(digits) => {
                return Err(SpanError::NoUnit(digits.to_owned()));
            }
            "s" => 1,
            "m" => 60,
            "h" => 3_600,
            "d" => 86_400,
            "w" => 7 * 86_400,
            "y" => 365 * 86_400,
            _ => return Err(SpanError::Malformed),
        };
        if !is_number(digits) {
            return Err(SpanError::Malformed);
        }
        let number: i64 = digits.parse().map_err(|_| SpanError::Malformed)?;
        number.checked_mul(unit).map(Self).ok_or(SpanError::Malformed)
    }
}

fn is_number(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_unix(1_800_000_000);

    #[test]
    fn a_moment_is_a_time_a_date_or_a_time_ago() {
        for (text, moment) in [
            ("2027-01-15T08:00:00Z", "2027-01-15T08:00:00Z"),
            ("2027-01-15T09:00:00+01:00", "2027-01-15T08:00:00Z"),
            ("2027-01-15", "2027-01-15T00:00:00Z"),
            ("90d", "2026-10-17T08:00:00Z"),
            ("12h", "2027-01-14T20:00:00Z"),
            ("60s", "2027-01-15T07:59:00Z"),
        ] {
            assert_eq!(text.parse::<Moment>().unwrap().rfc3339(NOW), moment, "{text}");
        }
        for bad in ["", "yesterday", "d", "-1d", "2027-13-01", "1 d", "1D"] {
            assert_eq!(bad.parse::<Moment>(), Err(MomentError::Malformed), "{bad}");
        }
    }

    #[test]
    fn a_span_is_a_number_and_a_unit() {
        for (text, seconds) in [("0", 0), ("45s", 45), ("15m", 900), ("2w", 1_209_600), ("1y", 31_536_000)] {
            assert_eq!(text.parse(), Ok(Span(seconds)), "{text}");
        }
        for bad in ["", "s", "-1", "+1", "1.5h", "1h30m", "99999999999999999999s", "9223372036854775807y"] {
            assert_eq!(bad.parse::<Span>(), Err(SpanError::Malformed), "{bad}");
        }
        for bare in ["90", "00", "99999999999999999999"] {
            assert_eq!(bare.parse::<Span>(), Err(SpanError::NoUnit(bare.into())));
            assert_eq!(bare.parse::<Moment>(), Err(MomentError::Span(SpanError::NoUnit(bare.into()))));
        }
    }
}
