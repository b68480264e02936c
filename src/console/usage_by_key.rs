//! The most used keys of an organization, as a part of the usage page and as a download.

use std::sync::Arc;

use axum::extract::State;
use axum::http::request::Parts;
use axum::response::Response;

use super::named::Copied;
use super::page::spreadsheet;
use super::usage_columns::{cells, columns};
use super::usage_view::UsageView;
use super::visitor::Visitor;
use crate::domain::names::OrganizationId;
use crate::domain::usage::{CalendarPeriod, CalendarSpan};
use crate::http::failure::Failure;
use crate::http::path::InOrganization;
use crate::http::query::Query;
use crate::http::spreadsheet::table;
use crate::node::Node;
use crate::use_cases::management::ApiError;
use crate::use_cases::management::usage::{self, Bucket, KeyUse};

/// The number of keys on the page.
const SHOWN: u16 = 20;

/// The maximum number of keys in a download.
const MOST_ROWS: u16 = 10_000;

const COLUMNS: [&str; 12] = columns(["key_id", "name", "project", "environment"]);

/// The busiest keys of a day or a month.
#[derive(Debug)]
pub(super) struct UseByKey {
    pub(super) rows: Vec<KeyRow>,
}

#[derive(Debug)]
pub(super) struct KeyRow {
    pub(super) copied: Copied,
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
    let now = node.clock.now();
    let view = UsageView::read(&query, now)?;
    let period = view.period().unwrap_or(CalendarPeriod::of(CalendarSpan::Month, now));
    let used = usage::by_key(&node.records, &visitor.caller, &organization, period, MOST_ROWS).await?;
    let body = table(Some(&COLUMNS), used.into_iter().map(row)).map_err(ApiError::internal)?;
    Ok(spreadsheet(&format!("{organization}-usage-by-key-{period}.csv"), body))
}

impl UseByKey {
    /// The busiest keys of the period.
    pub(super) async fn read(
        node: &Arc<Node>,
        visitor: &Visitor,
        organization: &OrganizationId,
        period: CalendarPeriod,
    ) -> Result<Self, ApiError> {
        let root = visitor.shell.root(organization);
        let used = usage::by_key(&node.records, &visitor.caller, organization, period, SHOWN).await?;
        let most = used.first().map_or(0, |busiest| busiest.used.used());
        Ok(Self { rows: used.into_iter().map(|used| KeyRow::of(used, &root, most)).collect() })
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
        Self { copied: Copied::new(key), home, share: used.percent_of(most), used }
    }
}

fn row(KeyUse { key, label, used }: KeyUse) -> [String; COLUMNS.len()] {
    let known = label.map_or_else(Default::default, |label| {
        [label.name, label.project.to_string(), label.environment.to_string()]
    });
    let [name, project, environment] = known;
    cells([key.to_string(), name, project, environment], &used)
}
