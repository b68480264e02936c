//! The audit log of an organization.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::http::request::Parts;
use axum::response::Response;

use super::events::{EventRow, rows};
use super::page::{page, query, refused, spreadsheet};
use super::problem::sentence;
use super::shell::{Section, Shell};
use super::visitor::Visitor;
use crate::base::clock::Timestamp;
use crate::domain::audit::EventFilter;
use crate::domain::names::OrganizationId;
use crate::http::audit::export::csv;
use crate::http::failure::Failure;
use crate::http::path::InOrganization;
use crate::http::query::Query;
use crate::node::Node;
use crate::use_cases::management::audit::Trail;
use crate::use_cases::management::{ApiError, InvalidRequest, PageRequest, ParameterError, Place};

const PER_PAGE: u16 = 50;

/// Maximum rows of a download. `GET /v1/orgs/{org}/audit` has no maximum.
const MOST_ROWS: usize = 10_000;

const KNOWN: [&str; 6] = ["action", "actor", "key", "from", "to", "cursor"];

const DAY: i64 = 86_400;

#[derive(Template)]
#[template(path = "audit.html")]
struct AuditPage {
    shell: Shell,
    root: String,
    filters: AuditFilters,
    events: Vec<EventRow>,
    next: Option<String>,
    is_first: bool,
    error: Option<String>,
}

/// The filters in the page's query, as typed.
#[derive(Clone, Debug, Default)]
struct AuditFilters {
    action: String,
    actor: String,
    key: String,
    from: String,
    to: String,
}

/// `GET /console/orgs/{org}/audit`.
pub(super) async fn show(
    State(node): State<Arc<Node>>,
    visitor: Visitor,
    InOrganization(organization): InOrganization,
    parts: Parts,
) -> Result<Response, Failure> {
    let query = Query::of_page(&parts, &KNOWN)?;
    let filters = AuditFilters::read(&query);
    let root = visitor.shell.root(&organization);
    let cursor = query.text("cursor").map(str::to_owned);
    let is_first = cursor.is_none();
    let empty = AuditPage {
        shell: visitor.shell_at(&organization, Section::Audit),
        root: root.clone(),
        filters: filters.clone(),
        events: Vec::new(),
        next: None,
        is_first,
        error: None,
    };
    let trail = match trail(&node, &visitor, organization, &filters).await {
        Ok(trail) => trail,
        Err(error @ ApiError::InvalidRequest(_)) => {
            let said = Some(sentence(&error.message()));
            return Err(refused(&AuditPage { error: said, ..empty }, error));
        }
        Err(error) => return Err(error.into()),
    };
    let (events, next) = trail.page(&PageRequest { limit: PER_PAGE, cursor }).await?;
    page(&AuditPage {
        events: rows(&node, &visitor.caller, &visitor.shell.base, &events).await?,
        next: next.map(|cursor| format!("{root}/audit?{}", filters.query(Some(&cursor)))),
        ..empty
    })
}

/// `GET /console/orgs/{org}/audit.csv`.
pub(super) async fn export(
    State(node): State<Arc<Node>>,
    visitor: Visitor,
    InOrganization(organization): InOrganization,
    parts: Parts,
) -> Result<Response, Failure> {
    let filters = AuditFilters::read(&Query::read(&parts, &KNOWN)?);
    let name = format!("{organization}-audit.csv");
    let mut export = trail(&node, &visitor, organization, &filters).await?.export()?;
    let mut events = Vec::new();
    while events.len() < MOST_ROWS {
        let more = export.next().await.map_err(ApiError::from)?;
        if more.is_empty() {
            break;
        }
        events.extend(more);
    }
    events.truncate(MOST_ROWS);
    Ok(spreadsheet(&name, csv(&events, true).map_err(ApiError::internal)?))
}

async fn trail(
    node: &Arc<Node>,
    visitor: &Visitor,
    organization: OrganizationId,
    filters: &AuditFilters,
) -> Result<Trail, ApiError> {
    // The scope is checked before the filters are parsed, so 403 comes before 400.
    visitor.caller.may_in(&organization, crate::domain::scope::Verb::Read, &["audit"])?;
    Trail::of_organization(&node.records, &visitor.caller, organization, filters.filter()?).await
}

impl AuditFilters {
    fn read(query: &Query) -> Self {
        let text = |name| query.text(name).unwrap_or_default().trim().to_owned();
        Self {
            action: text("action"),
            actor: text("actor"),
            key: text("key"),
            from: text("from"),
            to: text("to"),
        }
    }

    fn filter(&self) -> Result<EventFilter, ApiError> {
        let end = day("to", &self.to)?.map(|day| day.plus(DAY));
        Ok(EventFilter {
            organization: None,
            action: parsed("action", &self.action)?,
            actor: parsed("actor", &self.actor)?,
            key: parsed("key", &self.key)?,
            from: day("from", &self.from)?,
            to: end,
        })
    }

    fn is_narrowed(&self) -> bool {
        [&self.action, &self.actor, &self.key, &self.from, &self.to].iter().any(|text| !text.is_empty())
    }

    fn query(&self, cursor: Option<&str>) -> String {
        query([
            ("action", &*self.action),
            ("actor", &*self.actor),
            ("key", &*self.key),
            ("from", &*self.from),
            ("to", &*self.to),
            ("cursor", cursor.unwrap_or_default()),
        ])
    }
}

fn parsed<T: std::str::FromStr>(name: &'static str, text: &str) -> Result<Option<T>, ApiError>
where
    T::Err: Into<ParameterError>,
{
    let wrong =
        |error: T::Err| ApiError::from(InvalidRequest::Value(error.into())).at(Place::Parameter(name));
    let parse = |text: &str| text.parse().map_err(wrong);
    Some(text).filter(|text| !text.is_empty()).map(parse).transpose()
}

fn day(name: &'static str, text: &str) -> Result<Option<Timestamp>, ApiError> {
    if text.is_empty() {
        return Ok(None);
    }
    let start = Timestamp::parse_rfc3339(&format!("{text}T00:00:00Z"));
    start.map(Some).ok_or_else(|| ApiError::from(InvalidRequest::NotADay).at(Place::Parameter(name)))
}
