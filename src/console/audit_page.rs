//! The audit log of an organization, and that of the deployment.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::http::request::Parts;
use axum::response::Response;

use super::events::{EventRow, rows};
use super::page::{page, query, refused, spreadsheet};
use super::problem::sentence;
use super::shell::{DeploymentSection, Section, Shell};
use super::visitor::Visitor;
use crate::base::clock::Timestamp;
use crate::domain::audit::EventFilter;
use crate::domain::names::OrganizationId;
use crate::domain::scope::Verb;
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

/// The filters. `org` is only for the trail of the deployment.
const KNOWN: [&str; 7] = ["action", "actor", "key", "from", "to", "cursor", "org"];

const DAY: i64 = 86_400;

#[derive(Template)]
#[template(path = "audit.html")]
struct AuditPage {
    shell: Shell,
    root: String,
    /// Whether this is the trail of the deployment.
    is_deployment: bool,
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
    /// The organization, in the trail of the deployment.
    org: String,
}

/// Whose trail a page shows: an organization's, or with `None` the deployment's.
type Of = Option<OrganizationId>;

/// `GET /console/orgs/{org}/audit`.
pub(super) async fn show(
    State(node): State<Arc<Node>>,
    visitor: Visitor,
    InOrganization(organization): InOrganization,
    parts: Parts,
) -> Result<Response, Failure> {
    shown(&node, visitor, Some(organization), &parts).await
}

/// `GET /console/audit`.
pub(super) async fn show_deployment(
    State(node): State<Arc<Node>>,
    visitor: Visitor,
    parts: Parts,
) -> Result<Response, Failure> {
    shown(&node, visitor, None, &parts).await
}

async fn shown(node: &Arc<Node>, visitor: Visitor, of: Of, parts: &Parts) -> Result<Response, Failure> {
    let query = Query::of_page(parts, known(&of))?;
    let filters = AuditFilters::read(&query);
    let root = of.as_ref().map_or(visitor.shell.base.clone(), |of| visitor.shell.root(of));
    let cursor = query.text("cursor").map(str::to_owned);
    let is_first = cursor.is_none();
    let empty = AuditPage {
        shell: match &of {
            Some(organization) => visitor.shell_at(organization, Section::Audit),
            None => visitor.shell.at_deployment(&visitor.caller, DeploymentSection::Audit),
        },
        root: root.clone(),
        is_deployment: of.is_none(),
        filters: filters.clone(),
        events: Vec::new(),
        next: None,
        is_first,
        error: None,
    };
    let trail = match trail(node, &visitor, of, &filters).await {
        Ok(trail) => trail,
        Err(error @ ApiError::InvalidRequest(_)) => {
            let said = Some(sentence(&error.message()));
            return Err(refused(&AuditPage { error: said, ..empty }, error));
        }
        Err(error) => return Err(error.into()),
    };
    let (events, next) = trail.page(&PageRequest { limit: PER_PAGE, cursor }).await?;
    page(&AuditPage {
        events: rows(node, &visitor.caller, &visitor.shell.base, &events).await?,
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
    let name = format!("{organization}-audit.csv");
    exported(&node, &visitor, Some(organization), &parts, &name).await
}

/// `GET /console/audit.csv`.
pub(super) async fn export_deployment(
    State(node): State<Arc<Node>>,
    visitor: Visitor,
    parts: Parts,
) -> Result<Response, Failure> {
    exported(&node, &visitor, None, &parts, "audit.csv").await
}

async fn exported(
    node: &Arc<Node>,
    visitor: &Visitor,
    of: Of,
    parts: &Parts,
    name: &str,
) -> Result<Response, Failure> {
    let filters = AuditFilters::read(&Query::read(parts, known(&of))?);
    let mut export = trail(node, visitor, of, &filters).await?.export()?;
    let mut events = Vec::new();
    while events.len() < MOST_ROWS {
        let more = export.next().await.map_err(ApiError::from)?;
        if more.is_empty() {
            break;
        }
        events.extend(more);
    }
    events.truncate(MOST_ROWS);
    Ok(spreadsheet(name, csv(&events, true).map_err(ApiError::internal)?))
}

/// The parameters of a page of this trail.
fn known(of: &Of) -> &'static [&'static str] {
    if of.is_some() { &KNOWN[..KNOWN.len() - 1] } else { &KNOWN }
}

async fn trail(
    node: &Arc<Node>,
    visitor: &Visitor,
    of: Of,
    filters: &AuditFilters,
) -> Result<Trail, ApiError> {
    // The scope is checked before the filters are parsed, so 403 comes before 400.
    match of {
        Some(organization) => {
            visitor.caller.may_in(&organization, Verb::Read, &["audit"])?;
            Trail::of_organization(&node.records, &visitor.caller, organization, filters.filter()?).await
        }
        None => {
            visitor.caller.may(Verb::Read, &["audit"])?;
            let filter = EventFilter { organization: parsed("org", &filters.org)?, ..filters.filter()? };
            Trail::of_deployment(&node.records, &visitor.caller, filter)
        }
    }
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
            org: text("org"),
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
        let texts = [&self.action, &self.actor, &self.key, &self.from, &self.to, &self.org];
        texts.iter().any(|text| !text.is_empty())
    }

    fn query(&self, cursor: Option<&str>) -> String {
        query([
            ("action", &*self.action),
            ("actor", &*self.actor),
            ("key", &*self.key),
            ("from", &*self.from),
            ("to", &*self.to),
            ("org", &*self.org),
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
