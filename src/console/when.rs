//! Renders times for people: the date and the time of day, then how long ago or how far ahead that is. Times are in UTC.
//! `src/console/assets/times.js` writes them in the reader's time zone. Each page names the zone once, at its end.

use std::fmt;

use askama::filters::HtmlSafe;

use crate::base::clock::Timestamp;

const MINUTE: i64 = 60;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

/// 365.25 days in seconds. Over a century the drift is invisible.
const YEAR: i64 = 31_557_600;
const MONTH: i64 = YEAR / 12;

/// A time and the current time. As text, it is a `<time>` element.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct When {
    at: Timestamp,
    now: Timestamp,
}

/// The age of something since a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Age(When);

impl When {
    pub(super) const fn new(at: Timestamp, now: Timestamp) -> Self {
        Self { at, now }
    }

    /// The age since this time.
    pub(super) const fn age(self) -> Age {
        Age(self)
    }

    /// `2026-11-21T10:00:00Z`
    pub(super) fn exact(&self) -> String {
        self.at.rfc3339()
    }

    /// `3 hours ago`, `in 12 days`.
    fn distance(&self) -> String {
        let away = self.at.since(self.now);
        match amount(away) {
            None => "just now".into(),
            Some(amount) if away > 0 => format!("in {amount}"),
            Some(amount) => format!("{amount} ago"),
        }
    }

    /// `10 May 2026, 14:05`
    pub(super) fn date(&self) -> String {
        let exact = self.exact();
        let day = exact[8..10].trim_start_matches('0');
        format!("{day} {} {}, {}", &month_name(&exact)[..3], &exact[..4], &exact[11..16])
    }

    fn write(&self, f: &mut fmt::Formatter<'_>, distance: &str) -> fmt::Result {
        let (exact, date) = (self.exact(), self.date());
        let readable = exact.replacen('T', " ", 1).replacen('Z', " UTC", 1);
        write!(
            f,
            r#"<time datetime="{exact}" title="{readable}"><span class="date">{date}</span> <span class="distance">{distance}</span></time>"#
        )
    }
}

/// The duration, rounded down in the largest unit of which it has at least two, if any. `None` below one minute.
fn amount(away: i64) -> Option<String> {
    Some(match away.unsigned_abs().cast_signed() {
        seconds if seconds < MINUTE => return None,
        seconds if seconds < 2 * HOUR => counted(seconds / MINUTE, "minute"),
        seconds if seconds < 2 * DAY => counted(seconds / HOUR, "hour"),
        seconds if seconds < 2 * MONTH => counted(seconds / DAY, "day"),
        seconds if seconds < 2 * YEAR => counted(seconds / MONTH, "month"),
        seconds => counted(seconds / YEAR, "year"),
    })
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
        self.write(f, &self.distance())
    }
}

impl fmt::Display for Age {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let age = amount(self.0.now.since(self.0.at).max(0));
        self.0.write(f, &format!("{} old", age.as_deref().unwrap_or("less than a minute")))
    }
}

/// The HTML contains only digits and fixed words.
impl HtmlSafe for When {}

/// As [`When`].
impl HtmlSafe for Age {}

/// The month's name of an RFC 3339 time, such as `November`.
pub(super) fn month_name(exact: &str) -> &'static str {
    MONTHS[exact[5..7].parse::<usize>().map_or(0, |month| (month + 11) % 12)]
}

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_unix(1_795_255_200);

    #[test]
    fn moments_read_as_people_say_them() {
        for (away, said) in [
            (0, "just now"),
            (-59, "just now"),
            (-60, "1 minute ago"),
            (7_200, "in 2 hours"),
            (-DAY, "24 hours ago"),
            (-2 * DAY, "2 days ago"),
            (59 * DAY, "in 59 days"),
            (-92 * DAY, "3 months ago"),
            (-(2 * YEAR - DAY), "23 months ago"),
            (3 * YEAR, "in 3 years"),
        ] {
            assert_eq!(When::new(NOW.plus(away), NOW).distance(), said);
        }
        assert_eq!(
            When::new(NOW, NOW).to_string(),
            r#"<time datetime="2026-11-21T10:00:00Z" title="2026-11-21 10:00:00 UTC"><span class="date">21 Nov 2026, 10:00</span> <span class="distance">just now</span></time>"#
        );
        let age = When::new(NOW.plus(-90 * DAY), NOW).age().to_string();
        assert!(age.contains(r#"23 Aug 2026, 10:00</span> <span class="distance">2 months old<"#), "{age}");
        assert_eq!(grouped(1_234_567), "1\u{202f}234\u{202f}567");
        assert_eq!(grouped(123), "123");
    }

    #[test]
    fn a_rounded_distance_is_between_two_thirds_and_the_whole_of_the_real_one() {
        let units = [("minute", MINUTE), ("hour", HOUR), ("day", DAY), ("month", MONTH), ("year", YEAR)];
        let mut away = 2 * MINUTE;
        while away < 40 * YEAR {
            let said = amount(away).unwrap();
            let (count, unit) = said.split_once(' ').unwrap();
            let unit = units.iter().find(|(name, _)| unit.trim_end_matches('s') == *name).unwrap().1;
            let told = count.parse::<i64>().unwrap() * unit;
            assert!(told <= away && told * 3 >= away * 2, "{said} for {away} seconds");
            away += away / 50 + 1;
        }
    }
}
