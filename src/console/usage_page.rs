//! The usage page of an organization: over time, by project and by key.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::http::request::Parts;
use axum::response::Response;

use super::page::{page, spreadsheet};
use super::shell::{Section, Shell};
use super::usage_by_key::UseByKey;
use super::usage_columns::{cells, columns};
use super::usage_over_time::{Span, UseOverTime};
use super::usage_view::{MonthLink, UsageView};
use super::visitor::Visitor;
use crate::domain::names::{NameError, ProjectId};
use crate::http::failure::Failure;
use crate::http::path::InOrganization;
use crate::http::query::Query;
use crate::http::spreadsheet::table;
use crate::node::Node;
use crate::use_cases::management::usage::{self, Bucket};
use crate::use_cases::management::{ApiError, InvalidRequest};

const COLUMNS: [&str; 9] = columns(["start"]);

#[derive(Template)]
#[template(path = "usage.html")]
struct UsagePage {
    shell: Shell,
    root: String,
    used: UseOverTime,
    /// What the chart, the totals, the projects and the keys are of.
    title: String,
    before: Option<MonthLink>,
    after: Option<MonthLink>,
    /// The query of the page.
    view: String,
    /// The latest months, for a page on which keys can't be compared.
    months: Vec<MonthLink>,
    project: Option<ProjectId>,
    projects: Vec<ProjectRow>,
    /// `None` when a project is selected, because the ranking covers all projects, and for more than a month.
    keys: Option<UseByKey>,
    /// Further parameters in the links of the plot.
    more: String,
}

struct ProjectRow {
    id: String,
    used: Bucket,
    /// Percent of the busiest project's use.
    share: u64,
}

/// `GET /console/orgs/{org}/usage`.
pub(super) async fn show(
    State(node): State<Arc<Node>>,
    visitor: Visitor,
    InOrganization(organization): InOrganization,
    parts: Parts,
) -> Result<Response, Failure> {
    let query = Query::of_page(&parts, &["span", "project", "month"])?;
    let (caller, now, project) = (&visitor.caller, node.clock.now(), project(&query)?);
    let view = UsageView::read(&query, now)?;
    let request = view.request(&node);
    let used =
        usage::of_organization(&node.records, caller, &organization, project.as_ref(), request).await?;
    let mut projects = usage::by_project(&node.records, caller, &organization, request).await?;
    projects.sort_by_key(|(_, used)| std::cmp::Reverse((used.used(), used.refused.total())));
    let most = projects.first().map_or(0, |(_, used)| used.used());
    let row = |(id, used): &(ProjectId, Bucket)| ProjectRow {
        id: id.to_string(),
        used: *used,
        share: used.percent_of(most),
    };
    let keys = match view.period().filter(|_| project.is_none()) {
        Some(period) => Some(UseByKey::read(&node, &visitor, &organization, period).await?),
        None => None,
    };
    let [before, after] = view.beside(now);
    page(&UsagePage {
        shell: visitor.shell_at(&organization, Section::Usage),
        root: visitor.shell.root(&organization),
        used: UseOverTime::of_calendar(view.span(), &used),
        title: view.title(),
        before,
        after,
        view: view.query(),
        months: UsageView::latest_months(now),
        projects: projects.iter().map(row).collect(),
        keys,
        more: project.as_ref().map(|project| format!("&project={project}")).unwrap_or_default(),
        project,
    })
}

/// `GET /console/orgs/{org}/usage.csv`.
pub(super) async fn export(
    State(node): State<Arc<Node>>,
    visitor: Visitor,
    InOrganization(organization): InOrganization,
    parts: Parts,
) -> Result<Response, Failure> {
    let query = Query::read(&parts, &["span", "project", "month"])?;
    let request = UsageView::read(&query, node.clock.now())?.request(&node);
    let project = project(&query)?;
    let used =
        usage::of_organization(&node.records, &visitor.caller, &organization, project.as_ref(), request)
            .await?;
    let body = table(Some(&COLUMNS), used.buckets().iter().map(row)).map_err(ApiError::internal)?;
    Ok(spreadsheet(&format!("{organization}-usage.csv"), body))
}

fn project(query: &Query) -> Result<Option<ProjectId>, ApiError> {
    query
        .text("project")
        .filter(|project| !project.is_empty())
        .map(|project| project.parse().map_err(|error: NameError| InvalidRequest::Value(error.into()).into()))
        .transpose()
}

fn row(bucket: &Bucket) -> [String; COLUMNS.len()] {
    cells([bucket.start.rfc3339()], bucket)
}
