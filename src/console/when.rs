//! Moments, as people read them: how far away in the text, exactly on hovering, and in the time of whoever reads
//! where scripts run.

use std::fmt;

use askama::filters::HtmlSafe;

use crate::clock::Timestamp;

const MINUTE: i64 = 60;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

/// A moment, seen from another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct When {
    at: Timestamp,
    now: Timestamp,
}

impl When {
    pub(super) const fn new(at: Timestamp, now: Timestamp) -> Self {
        Self { at, now }
    }

    /// `2026-11-21T10:00:00Z`
    pub(super) fn exact(&self) -> String {
        self.at.rfc3339()
    }

    /// `3 hours ago`, `in 12 days`.
    fn distance(&self) -> String {
        let away = self.at.since(self.now);
        let amount = match away.unsigned_abs().cast_signed() {
            seconds if seconds < MINUTE => return "just now".into(),
            seconds if seconds < HOUR => counted(seconds / MINUTE, "minute"),
            seconds if seconds < DAY => counted(seconds / HOUR, "hour"),
            seconds if seconds < 60 * DAY => counted(seconds / DAY, "day"),
            seconds if seconds < 730 * DAY => counted(seconds / (30 * DAY), "month"),
            seconds => counted(seconds / (365 * DAY), "year"),
        };
        if away > 0 { format!("in {amount}") } else { format!("{amount} ago") }
    }
}

/// `1 day`, `2 days`.
pub(super) fn counted(count: i64, what: &str) -> String {
    format!("{} {what}{}", grouped(count.unsigned_abs()), if count == 1 { "" } else { "s" })
}

/// `1 234 567`, with narrow spaces.
pub(super) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (at, digit) in digits.char_indices() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push('\u{202f}');
        }
        text.push(digit);
    }
    text
}

impl fmt::Display for When {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let exact = self.exact();
        let readable = exact.replacen('T', " ", 1).replacen('Z', " UTC", 1);
        write!(f, r#"<time datetime="{exact}" title="{readable}">{}</time>"#, self.distance())
    }
}

/// There is nothing in it but digits and words of ours.
impl HtmlSafe for When {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_read_as_people_say_them() {
        let now = Timestamp::from_unix(1_795_255_200);
        for (away, said) in [
            (0, "just now"),
            (-59, "just now"),
            (-60, "1 minute ago"),
            (7_200, "in 2 hours"),
            (-DAY, "1 day ago"),
            (59 * DAY, "in 59 days"),
            (-90 * DAY, "3 months ago"),
            (3 * 365 * DAY, "in 3 years"),
        ] {
            assert_eq!(When::new(now.plus(away), now).distance(), said);
        }
        assert_eq!(
            When::new(now, now).to_string(),
            r#"<time datetime="2026-11-21T10:00:00Z" title="2026-11-21 10:00:00 UTC">just now</time>"#
        );
        assert_eq!(grouped(1_234_567), "1\u{202f}234\u{202f}567");
        assert_eq!(grouped(123), "123");
    }
}
