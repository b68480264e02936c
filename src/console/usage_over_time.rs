//! Usage over hours, days or months, as a plot and as a table.

use std::sync::Arc;

use super::plot::{Plot, Point};
use super::when::month_name;
use crate::base::clock::Timestamp;
use crate::domain::usage::Interval;
use crate::node::Node;
use crate::use_cases::management::usage::{Bucket, PeriodRequest, Refused, Usage};

const DAY: i64 = 86_400;

/// The length and the resolution of the plot.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Span {
    /// Two days, by the hour.
    Hours,
    /// A month, by the day.
    #[default]
    Days,
    /// Two years, by the month.
    Months,
}

#[derive(Debug)]
pub(super) struct UseOverTime {
    pub(super) span: Span,
    is_of_calendar: bool,
    pub(super) plot: Plot,
    pub(super) small_plot: Plot,
    pub(super) points: Vec<Point>,
    pub(super) tokens: u64,
    pub(super) direct: u64,
    pub(super) refused: u64,
    /// The refusals by their reason.
    pub(super) reasons: Refused,
}

impl Span {
    pub(super) const ALL: [Self; 3] = [Self::Hours, Self::Days, Self::Months];

    pub(super) fn read(text: Option<&str>) -> Self {
        Self::ALL.into_iter().find(|span| text == Some(span.as_str())).unwrap_or_default()
    }

    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Hours => "hours",
            Self::Days => "days",
            Self::Months => "months",
        }
    }

    pub(super) const fn label(self) -> &'static str {
        match self {
            Self::Hours => "48 hours",
            Self::Days => "30 days",
            Self::Months => "24 months",
        }
    }

    /// The label on a page that shows days and months of the calendar.
    const fn calendar_label(self) -> &'static str {
        match self {
            Self::Hours => "Today",
            Self::Days => "Month",
            Self::Months => self.label(),
        }
    }

    /// The period for the use case.
    pub(super) fn request(self, node: &Arc<Node>) -> PeriodRequest {
        let ago = |days: i64| Some(node.clock.now().plus(-days * DAY));
        match self {
            Self::Hours => PeriodRequest { interval: Interval::Hour, from: None, to: None },
            Self::Days => PeriodRequest { interval: Interval::Day, from: ago(29), to: None },
            Self::Months => PeriodRequest { interval: Interval::Day, from: ago(730), to: None },
        }
    }
}

impl UseOverTime {
    pub(super) fn of(span: Span, usage: &Usage) -> Self {
        let points = match span {
            Span::Hours => points(usage, |exact| {
                (exact[11..16].to_owned(), format!("{}, {}", date(exact), &exact[11..16]))
            }),
            Span::Days => points(usage, |exact| (day(exact), date(exact))),
            Span::Months => points(usage, |exact| (month(exact), month(exact))),
        };
        let mut total = Bucket::default();
        points.iter().for_each(|point| total += point.bucket);
        let sum = |part: fn(&Bucket) -> u64| points.iter().map(|point| part(&point.bucket)).sum();
        Self {
            span,
            is_of_calendar: false,
            plot: Plot::of_use(&points),
            small_plot: Plot::of_use_narrow(&points),
            tokens: sum(|bucket| bucket.tokens),
            direct: sum(|bucket| bucket.direct),
            refused: sum(|bucket| bucket.refused.total()),
            reasons: total.refused,
            points,
        }
    }

    /// The same for a day or a month of the calendar, instead of the last hours or days.
    pub(super) fn of_calendar(span: Span, usage: &Usage) -> Self {
        Self { is_of_calendar: true, ..Self::of(span, usage) }
    }

    /// The label of a link to this span.
    pub(super) const fn label(&self, span: Span) -> &'static str {
        if self.is_of_calendar { span.calendar_label() } else { span.label() }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.tokens + self.direct + self.refused == 0
    }
}

/// Merges neighbouring buckets with the same label.
fn points(usage: &Usage, names: impl Fn(&str) -> (String, String)) -> Vec<Point> {
    let mut points: Vec<Point> = Vec::new();
    for bucket in usage.buckets() {
        let (label, name) = names(&Timestamp::rfc3339(bucket.start));
        match points.last_mut().filter(|last| last.name == name) {
            Some(last) => last.bucket += *bucket,
            None => points.push(Point { label, name, bucket: *bucket }),
        }
    }
    points
}

fn day(exact: &str) -> String {
    format!("{} {}", exact[8..10].trim_start_matches('0'), short(month_name(exact)))
}

/// `21 Nov 2026`
fn date(exact: &str) -> String {
    format!("{} {}", day(exact), &exact[..4])
}

fn month(exact: &str) -> String {
    format!("{} {}", short(month_name(exact)), &exact[..4])
}

fn short(month: &str) -> &str {
    &month[..3]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_called_by_their_day_and_month() {
        assert_eq!(day("2026-11-01T10:00:00Z"), "1 Nov");
        assert_eq!(date("2026-11-01T10:00:00Z"), "1 Nov 2026");
        assert_eq!(month("2026-01-21T10:00:00Z"), "Jan 2026");
    }
}
