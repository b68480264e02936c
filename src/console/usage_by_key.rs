//! The most used keys of an organization, as a part of the usage page and as a download.

use std::sync::Arc;

use axum::extract::State;
use axum::http::request::Parts;
use axum::response::Response;

use super::page::spreadsheet;
use super::usage_columns::{cells, columns};
use super::usage_over_time::Span;
use super::visitor::Visitor;
use super::when::month_name;
use crate::base::clock::Timestamp;
use crate::domain::names::OrganizationId;
use crate::domain::usage::{CalendarPeriod, CalendarSpan};
use crate::http::failure::Failure;
use crate::http::path::InOrganization;
use crate::http::query::Query;
use crate::http::spreadsheet::table;
use crate::node::Node;
use crate::use_cases::management::usage::{self, Bucket, KeyUse};
use crate::use_cases::management::{ApiError, InvalidRequest, Place};

/// The number of keys on the page.
const SHOWN: u16 = 20;

/// The maximum number of keys in a download.
const MOST_ROWS: u16 = 10_000;

const COLUMNS: [&str; 12] = columns(["key_id", "name", "project", "environment"]);

/// The busiest keys of a day or a month.
#[derive(Debug)]
pub(super) struct UseByKey {
    /// The day or the month in words.
    pub(super) period: String,
    /// The neighbouring months that have data.
    pub(super) before: Option<MonthLink>,
    pub(super) after: Option<MonthLink>,
    /// The query of the download.
    pub(super) query: String,
    pub(super) rows: Vec<KeyRow>,
}

/// A link to a neighbouring month.
#[derive(Debug)]
pub(super) struct MonthLink {
    pub(super) name: String,
    pub(super) query: String,
}

#[derive(Debug)]
pub(super) struct KeyRow {
    pub(super) id: String,
    pub(super) home: Option<KeyLink>,
    pub(super) used: Bucket,
    /// Percent of the busiest key's use.
    pub(super) share: u64,
}

/// A key that the visitor may see, with its link.
#[derive(Debug)]
pub(super) struct KeyLink {
    pub(super) href: String,
    pub(super) name: String,
    pub(super) project: String,
    pub(super) environment: String,
}

/// `GET /console/orgs/{org}/usage-by-key.csv`.
pub(super) async fn export(
    State(node): State<Arc<Node>>,
    visitor: Visitor,
    InOrganization(organization): InOrganization,
    parts: Parts,
) -> Result<Response, Failure> {
    let query = Query::read(&parts, &["span", "month"])?;
    let period = period(Span::read(query.text("span")), month(&query)?, node.clock.now());
    let used = usage::by_key(&node.records, &visitor.caller, &organization, period, MOST_ROWS).await?;
    let body = table(Some(&COLUMNS), used.into_iter().map(row)).map_err(ApiError::internal)?;
    Ok(spreadsheet(&format!("{organization}-usage-by-key-{period}.csv"), body))
}

impl UseByKey {
    /// The busiest keys of the month in the query, or of the last day or month of `span`.
    pub(super) async fn read(
        node: &Arc<Node>,
        visitor: &Visitor,
        organization: &OrganizationId,
        (span, month): (Span, Option<CalendarPeriod>),
    ) -> Result<Self, ApiError> {
        let (root, now) = (visitor.shell.root(organization), node.clock.now());
        let period = period(span, month, now);
        let used = usage::by_key(&node.records, &visitor.caller, organization, period, SHOWN).await?;
        let most = used.first().map_or(0, |busiest| busiest.used.used());
        let query = |period: CalendarPeriod| match period.span() {
            CalendarSpan::Day => format!("span={}", span.as_str()),
            CalendarSpan::Month => format!("span={}&month={period}", span.as_str()),
        };
        let beside = |period: CalendarPeriod| {
            let is_month = period.span() == CalendarSpan::Month;
            let known = period.known_at(now).ok().filter(|_| is_month)?;
            Some(MonthLink { name: name(known), query: query(known) })
        };
        Ok(Self {
            period: title(period),
            before: beside(period.before()),
            after: beside(period.after()),
            query: query(period),
            rows: used.into_iter().map(|used| KeyRow::of(used, &root, most)).collect(),
        })
    }
}

impl KeyRow {
    fn of(KeyUse { key, label, used }: KeyUse, root: &str, most: u64) -> Self {
        let home = label.map(|label| KeyLink {
            href: format!("{root}/keys/{key}"),
            name: label.name,
            project: label.project.to_string(),
            environment: label.environment.to_string(),
        });
        Self { id: key.to_string(), home, share: used.percent_of(most), used }
    }
}

/// The month in the query.
pub(super) fn month(query: &Query) -> Result<Option<CalendarPeriod>, ApiError> {
    let parse = |text: &str| {
        CalendarPeriod::month(text).map_err(|error| {
            ApiError::from(InvalidRequest::Value(error.into())).at(Place::Parameter("month"))
        })
    };
    query.text("month").filter(|text| !text.is_empty()).map(parse).transpose()
}

fn period(span: Span, month: Option<CalendarPeriod>, now: Timestamp) -> CalendarPeriod {
    match span {
        Span::Hours => CalendarPeriod::of(CalendarSpan::Day, now),
        Span::Days | Span::Months => month.unwrap_or(CalendarPeriod::of(CalendarSpan::Month, now)),
    }
}

/// `Today, 21 November 2026 (UTC)`, `November 2026 (UTC)`.
fn title(period: CalendarPeriod) -> String {
    match period.span() {
        CalendarSpan::Day => format!("today, {} (UTC)", name(period)),
        CalendarSpan::Month => format!("{} (UTC)", name(period)),
    }
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

fn row(KeyUse { key, label, used }: KeyUse) -> [String; COLUMNS.len()] {
    let known = label.map_or_else(Default::default, |label| {
        [label.name, label.project.to_string(), label.environment.to_string()]
    });
    let [name, project, environment] = known;
    cells([key.to_string(), name, project, environment], &used)
}
