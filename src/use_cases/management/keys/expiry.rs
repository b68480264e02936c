//! The end of a key, as a request states it.

use serde::Deserialize;

use crate::base::clock::Timestamp;
use crate::use_cases::management::{ApiError, InvalidRequest, moment};

const DAY: i64 = 86_400;

/// `expires_in`: one of the named spans, or seconds.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(untagged, expecting = "expires_in must be 30d, 60d, 90d, 180d, 1y or a positive number of seconds")]
pub enum ExpiresIn {
    /// A number of seconds.
    Seconds(i64),
    /// `30d`, `60d`, `90d`, `180d` or `1y`.
    Named(String),
}

impl ExpiresIn {
    fn seconds(&self) -> Option<i64> {
        match self {
            Self::Seconds(seconds) => (*seconds > 0).then_some(*seconds),
            Self::Named(name) => match name.as_str() {
                "30d" => Some(30 * DAY),
                "60d" => Some(60 * DAY),
                "90d" => Some(90 * DAY),
                "180d" => Some(180 * DAY),
                "1y" => Some(365 * DAY),
                _ => None,
            },
        }
    }
}

/// The end that `expires_at` or `expires_in` stands for. `None` when neither is present.
///
/// # Errors
/// [`ApiError::InvalidRequest`] when both are present, or the end is not in the future.
pub(super) fn end(
    expires_at: Option<&str>,
    expires_in: Option<&ExpiresIn>,
    now: Timestamp,
) -> Result<Option<Timestamp>, ApiError> {
    let end = match (expires_at, expires_in) {
        (None, None) => return Ok(None),
        (Some(_), Some(_)) => return Err(InvalidRequest::ExpiryTwice.into()),
        (Some(text), None) => moment("expires_at", text)?,
        (None, Some(span)) => now.plus(span.seconds().ok_or(InvalidRequest::ExpiresIn)?),
    };
    if end <= now {
        return Err(InvalidRequest::ExpiresInThePast.into());
    }
    if end > Timestamp::MAX {
        return Err(InvalidRequest::ExpiresTooLate.into());
    }
    Ok(Some(end))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_unix(1_000_000);

    fn span(json: &str) -> Result<Option<Timestamp>, ApiError> {
        end(None, Some(&serde_json::from_str(json).unwrap()), NOW)
    }

    #[test]
    fn spans_by_name_or_in_seconds() {
        assert_eq!(span(r#""30d""#), Ok(Some(NOW.plus(30 * DAY))));
        assert_eq!(span(r#""1y""#), Ok(Some(NOW.plus(365 * DAY))));
        assert_eq!(span("5"), Ok(Some(NOW.plus(5))));
        for bad in [r#""31d""#, r#""""#, "0", "-1", "9223372036854775807"] {
            assert!(span(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn an_end_in_the_past_or_given_twice_is_refused() {
        assert_eq!(end(None, None, NOW), Ok(None));
        assert_eq!(end(Some("1970-01-12T13:46:41Z"), None, NOW), Ok(Some(NOW.plus(1))));
        assert!(end(Some("1970-01-12T13:46:40Z"), None, NOW).is_err());
        assert!(end(Some("tomorrow"), None, NOW).is_err());
        assert!(end(Some("2030-01-01T00:00:00Z"), Some(&ExpiresIn::Seconds(1)), NOW).is_err());
    }
}
