//! The list of an organization's keys.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::http::request::Parts;
use axum::response::Response;

use super::row::{Row, STALE_SECONDS};
use super::sort::{SORTS, Sort};
use crate::console::page::{address, page, query, see_other};
use crate::console::plot::Plot;
use crate::console::shell::{LIST, Section, Shell};
use crate::console::visitor::Visitor;
use crate::domain::api_key::{EnvironmentSlug, sought_key};
use crate::domain::names::{NameError, OrganizationId};
use crate::domain::scope::Verb;
use crate::domain::tenant::Project;
use crate::domain::usage::Interval;
use crate::http::failure::Failure;
use crate::http::path::InOrganization;
use crate::http::query::Query;
use crate::node::Node;
use crate::store::{KeyFilter, KeySort, StatusFilter};
use crate::use_cases::access::Caller;
use crate::use_cases::management::usage::{self, PeriodRequest};
use crate::use_cases::management::{ApiError, InvalidRequest, PageRequest, keys, projects};

const PER_PAGE: u16 = 50;

/// The maximum number of projects in a select box. Beyond it, the visitor types the id.
const MOST_PROJECTS: u16 = 200;

/// Days of use that a row shows.
const SPARK_DAYS: i64 = 14;

const KNOWN: [&str; 7] = ["q", "status", "project", "environment", "sort", "stale", "cursor"];

#[derive(Template)]
#[template(path = "keys.html")]
struct KeysPage {
    shell: Shell,
    root: String,
    filters: ListFilters,
    projects: Vec<String>,
    environments: Vec<String>,
    /// Whether `projects` is incomplete.
    are_some: bool,
    sorts: &'static [Sort],
    rows: Vec<Row>,
    next: Option<String>,
    is_first: bool,
    /// The link to the form for a new key, if the visitor may create one.
    create: Option<String>,
}

/// The filters and the order in the page's query.
#[derive(Clone, Debug)]
struct ListFilters {
    search: String,
    status: String,
    project: String,
    environment: String,
    sort: &'static Sort,
    is_stale: bool,
}

/// `GET /console/orgs/{org}/keys`.
pub(in crate::console) async fn list(
    State(node): State<Arc<Node>>,
    visitor: Visitor,
    InOrganization(organization): InOrganization,
    parts: Parts,
) -> Result<Response, Failure> {
    let query = Query::of_page(&parts, &KNOWN)?;
    let (filters, caller, now) = (ListFilters::read(&query), &visitor.caller, node.clock.now());
    if let Some(key) = sought_key(&filters.search)
        && filters.search != key.to_string()
    {
        // A whole key was sent. Nothing of its secret stays in the address or on the page.
        let cleaned = ListFilters { search: key.to_string(), ..filters };
        return Ok(see_other(&cleaned.link(&visitor.shell.root(&organization), "")));
    }
    let search = keys::KeySearch::new(filters.filter(&organization, now)?)?.sorted(filters.sort.order);
    let cursor = query.text("cursor").map(str::to_owned);
    let is_first = cursor.is_none();
    let (listed, next) =
        keys::list(&node.records, caller, search, PageRequest { limit: PER_PAGE, cursor }).await?;

    let request = PeriodRequest {
        interval: Interval::Day,
        from: Some(now.plus(-(SPARK_DAYS - 1) * Interval::Day.seconds())),
        to: None,
    };
    let used = usage::of_keys(&node.records, caller, &listed, request).await?;
    let span = format!("{SPARK_DAYS} days");
    let root = visitor.shell.root(&organization);
    let cursor_here = query.text("cursor").unwrap_or_default();
    let here = filters.query(cursor_here);
    let row = |key: &crate::domain::key::ApiKey| {
        Row::of(key, used.get(&key.id).map(|usage| Plot::spark(usage, &span)), (&root, &here), now)
    };
    let choices = choices(&node, caller, &organization).await?;
    page(&KeysPage {
        shell: visitor.shell_at(&organization, Section::Keys),
        rows: listed.iter().map(row).collect(),
        next: next.map(|cursor| filters.link(&root, &cursor)),
        create: may_create(caller, &organization).then(|| filters.create(&root, cursor_here)),
        root,
        filters,
        environments: all_environments(&choices.projects),
        are_some: choices.are_some,
        projects: choices.projects.into_iter().map(|choice| choice.id).collect(),
        sorts: &SORTS,
        is_first,
    })
}

/// Whether the visitor may create a key in any project.
fn may_create(caller: &Caller, organization: &OrganizationId) -> bool {
    crate::use_cases::access::reachable_keys(caller, Verb::Write, organization)
        != crate::store::VisibleKeys::Only(Vec::new())
}

/// A project to choose, with its environments in order.
#[derive(Clone, Debug)]
pub(super) struct Choice {
    pub(super) id: String,
    pub(super) environments: Vec<String>,
}

/// Names of environments that are never the default, so that nobody creates a production key by mistake.
const PRODUCTION: [&str; 4] = ["prd", "prod", "production", "live"];

impl Choice {
    /// The default environment of a new key. It is production only if there is no other.
    pub(super) fn first(&self) -> &str {
        let is_production = |slug: &&String| PRODUCTION.contains(&slug.as_str());
        let first = self.environments.iter().find(|slug| !is_production(slug));
        first.or(self.environments.first()).map_or("", String::as_str)
    }
}

/// The projects to choose from.
#[derive(Debug)]
pub(super) struct Choices {
    pub(super) projects: Vec<Choice>,
    /// Whether `projects` is incomplete, so that the visitor types the id.
    pub(super) are_some: bool,
}

pub(super) async fn choices(
    node: &Arc<Node>,
    caller: &Caller,
    organization: &OrganizationId,
) -> Result<Choices, ApiError> {
    let request = PageRequest { limit: MOST_PROJECTS, cursor: None };
    let (found, next) = projects::list(&node.records, caller, organization, request).await?;
    let choice = |project: &Project| Choice {
        id: project.id.to_string(),
        environments: project.environments.iter().map(ToString::to_string).collect(),
    };
    let mut projects: Vec<Choice> = found.iter().map(choice).collect();
    projects.sort_unstable_by(|one, other| one.id.cmp(&other.id));
    Ok(Choices { projects, are_some: next.is_some() })
}

/// All environments of these projects, without duplicates.
pub(super) fn all_environments(choices: &[Choice]) -> Vec<String> {
    let mut all: Vec<String> = choices.iter().flat_map(|choice| choice.environments.clone()).collect();
    all.sort_unstable();
    all.dedup();
    all
}

impl KeysPage {
    /// Whether the page is not full although more keys remain to be searched.
    fn is_cut(&self) -> bool {
        self.next.is_some() && self.rows.len() < usize::from(PER_PAGE)
    }
}

impl ListFilters {
    fn read(query: &Query) -> Self {
        let text = |name| query.text(name).unwrap_or_default().to_owned();
        Self {
            search: text("q").trim().to_owned(),
            status: text("status"),
            project: text("project"),
            environment: text("environment"),
            sort: Sort::read(&text("sort")),
            is_stale: query.text("stale").is_some(),
        }
    }

    fn filter(
        &self,
        organization: &OrganizationId,
        now: crate::base::clock::Timestamp,
    ) -> Result<KeyFilter, ApiError> {
        let key = sought_key(&self.search);
        let given = |text: &String| (!text.is_empty()).then(|| text.clone());
        let project = given(&self.project).map(|project| project.parse()).transpose();
        let environment = given(&self.environment).map(|slug| slug.parse::<EnvironmentSlug>()).transpose();
        Ok(KeyFilter {
            project: project.map_err(|error: NameError| InvalidRequest::Value(error.into()))?,
            environment: environment.map_err(|error| InvalidRequest::Value(error.into()))?,
            status: self.status(),
            ids: key.map(|key| vec![key]),
            name_contains: given(&self.search).filter(|_| key.is_none()),
            or_elsewhere: true,
            unused_since: self.is_stale.then(|| now.plus(-STALE_SECONDS)),
            ..KeyFilter::all_of(organization.clone())
        })
    }

    fn status(&self) -> StatusFilter {
        match self.status.as_str() {
            "disabled" => StatusFilter::Disabled,
            "expired" => StatusFilter::Expired,
            "revoked" => StatusFilter::Revoked,
            "unrevoked" => StatusFilter::Unrevoked,
            "all" => StatusFilter::All,
            _ => StatusFilter::Active,
        }
    }

    /// Whether any filter differs from the default.
    fn is_narrowed(&self) -> bool {
        let texts = [&self.search, &self.project, &self.environment];
        self.is_stale || self.status() != StatusFilter::Active || texts.iter().any(|text| !text.is_empty())
    }

    fn hides_revoked(&self) -> bool {
        !matches!(self.status(), StatusFilter::All | StatusFilter::Revoked)
    }

    /// The link that shows or hides revoked keys.
    fn toggled(&self, root: &str) -> String {
        let status = if self.hides_revoked() { "all" } else { "unrevoked" };
        Self { status: status.into(), ..self.clone() }.link(root, "")
    }

    /// The link that sorts by the column `by`.
    fn sorted(&self, root: &str, by: KeySort) -> String {
        Self { sort: self.sort.after_click(by), ..self.clone() }.link(root, "")
    }

    /// The address of the list's page at `cursor`.
    fn link(&self, root: &str, cursor: &str) -> String {
        address(&format!("{root}/keys"), self.pairs(cursor))
    }

    /// The query of that address.
    fn query(&self, cursor: &str) -> String {
        query(self.pairs(cursor))
    }

    /// The address of the form for a new key, with the project and the environment of the filters.
    fn create(&self, root: &str, cursor: &str) -> String {
        let list = self.query(cursor);
        let here = [("project", &*self.project), ("environment", &*self.environment), (LIST, &*list)];
        address(&format!("{root}/keys/new"), here)
    }

    fn pairs<'a>(&'a self, cursor: &'a str) -> [(&'static str, &'a str); 7] {
        [
            ("q", &*self.search),
            ("status", &*self.status),
            ("project", &*self.project),
            ("environment", &*self.environment),
            ("sort", self.sort.word),
            ("stale", if self.is_stale { "yes" } else { "" }),
            ("cursor", cursor),
        ]
    }
}
