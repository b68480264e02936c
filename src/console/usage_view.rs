//! The stretch of time that the usage page shows. Its chart, its totals, its projects and its keys are all of this stretch.

use std::sync::Arc;

use super::usage_over_time::Span;
use super::when::month_name;
use crate::base::clock::Timestamp;
use crate::domain::usage::{CalendarPeriod, CalendarSpan, Interval};
use crate::http::query::Query;
use crate::node::Node;
use crate::use_cases::management::usage::PeriodRequest;
use crate::use_cases::management::{ApiError, InvalidRequest, Place};

/// What the page shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum UsageView {
    /// A day or a month of UTC, for which the totals of each key are known.
    Calendar(CalendarPeriod),
    /// Two years, by the month.
    Months,
}

/// A link to a month.
#[derive(Debug)]
pub(super) struct MonthLink {
    pub(super) name: String,
    pub(super) query: String,
}

impl UsageView {
    /// Reads `span` and `month`. A month is shown by its days, whatever the span, except that today stays today.
    ///
    /// # Errors
    /// [`ApiError::InvalidRequest`] for a month that has not begun, or that is no longer kept.
    pub(super) fn read(query: &Query, now: Timestamp) -> Result<Self, ApiError> {
        let month = month(query)?;
        let period = match (Span::read(query.text("span")), month) {
            (Span::Hours, _) => CalendarPeriod::of(CalendarSpan::Day, now),
            (Span::Months, None) => return Ok(Self::Months),
            (Span::Days | Span::Months, month) => {
                month.unwrap_or(CalendarPeriod::of(CalendarSpan::Month, now))
            }
        };
        let known = period.known_at(now).map_err(|error| InvalidRequest::Value(error.into()))?;
        Ok(Self::Calendar(known))
    }

    /// The resolution of the chart.
    pub(super) fn span(self) -> Span {
        match self {
            Self::Calendar(period) => match period.span() {
                CalendarSpan::Day => Span::Hours,
                CalendarSpan::Month => Span::Days,
            },
            Self::Months => Span::Months,
        }
    }

    /// The day or the month. `None` for two years.
    pub(super) fn period(self) -> Option<CalendarPeriod> {
        match self {
            Self::Calendar(period) => Some(period),
            Self::Months => None,
        }
    }

    /// The period for the use case. Of the oldest month, only the days are counted that are still kept.
    pub(super) fn request(self, node: &Arc<Node>) -> PeriodRequest {
        let now = node.clock.now();
        let Self::Calendar(period) = self else { return Span::Months.request(node) };
        let interval = match period.span() {
            CalendarSpan::Day => Interval::Hour,
            CalendarSpan::Month => Interval::Day,
        };
        let end = period.after().start();
        PeriodRequest {
            interval,
            from: Some(period.start().max(interval.kept_since(now))),
            to: (end <= now).then_some(end),
        }
    }

    /// `Today, 21 November 2026 (UTC)`, `November 2026 (UTC)`, `The last 24 months (UTC)`.
    pub(super) fn title(self) -> String {
        match self {
            Self::Calendar(period) => match period.span() {
                CalendarSpan::Day => format!("Today, {} (UTC)", name(period)),
                CalendarSpan::Month => format!("{} (UTC)", name(period)),
            },
            Self::Months => "The last 24 months (UTC)".into(),
        }
    }

    /// The query of the page and of its downloads.
    pub(super) fn query(self) -> String {
        match self {
            Self::Calendar(period) if period.span() == CalendarSpan::Month => month_query(period),
            view => format!("span={}", view.span().as_str()),
        }
    }

    /// The three latest months, the newest first.
    pub(super) fn latest_months(now: Timestamp) -> Vec<MonthLink> {
        let months = std::iter::successors(Some(CalendarPeriod::of(CalendarSpan::Month, now)), |month| {
            Some(month.before())
        });
        months.take(3).map(|month| MonthLink { name: name(month), query: month_query(month) }).collect()
    }

    /// The months before and after, as far as they have data.
    pub(super) fn beside(self, now: Timestamp) -> [Option<MonthLink>; 2] {
        let link = |period: CalendarPeriod| {
            let known = period.known_at(now).ok()?;
            Some(MonthLink { name: name(known), query: month_query(known) })
        };
        match self {
            Self::Calendar(month) if month.span() == CalendarSpan::Month => {
                [link(month.before()), link(month.after())]
            }
            _ => [None, None],
        }
    }
}

fn month_query(month: CalendarPeriod) -> String {
    format!("span={}&month={month}", Span::Days.as_str())
}

/// The month in the query.
fn month(query: &Query) -> Result<Option<CalendarPeriod>, ApiError> {
    let parse = |text: &str| {
        CalendarPeriod::month(text).map_err(|error| {
            ApiError::from(InvalidRequest::Value(error.into())).at(Place::Parameter("month"))
        })
    };
    query.text("month").filter(|text| !text.is_empty()).map(parse).transpose()
}

/// `21 November 2026`, `November 2026`.
fn name(period: CalendarPeriod) -> String {
    let exact = period.start().rfc3339();
    let month = format!("{} {}", month_name(&exact), &exact[..4]);
    match period.span() {
        CalendarSpan::Day => format!("{} {month}", exact[8..10].trim_start_matches('0')),
        CalendarSpan::Month => month,
    }
}
