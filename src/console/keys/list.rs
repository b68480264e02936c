//! The list of an organization's keys.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::http::request::Parts;
use axum::response::Response;

use super::filters::ListFilters;
use super::owners::{MemberChoice, OwnerShown, Owners};
use super::row::{Row, RowRights};
use super::selected_act::SelectedAct;
use super::sort::{SORTS, Sort};
use crate::console::page::{address, page, see_other};
use crate::console::plot::Plot;
use crate::console::shell::{LIST, Section, Shell};
use crate::console::visitor::Visitor;
use crate::domain::api_key::sought_key;
use crate::domain::names::OrganizationId;
use crate::domain::tenant::Project;
use crate::domain::usage::Interval;
use crate::http::failure::Failure;
use crate::http::path::InOrganization;
use crate::node::Node;
use crate::store::{BoundedCount, KeySort};
use crate::use_cases::access::Caller;
use crate::use_cases::management::usage::{self, PeriodRequest};
use crate::use_cases::management::{ApiError, KeyAct, PageRequest, keys, projects};

const PER_PAGE: u16 = 50;

/// The maximum number of projects in a select box. Beyond it, the visitor types the id.
const MOST_PROJECTS: u16 = 200;

/// Days of use that a row shows.
const SPARK_DAYS: i64 = 14;

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
    /// The members to choose from as owners.
    members: Vec<MemberChoice>,
    /// The name of the member that is the owner in the filters.
    owner_name: Option<String>,
    rows: Vec<Row>,
    /// How many keys match, in words.
    count: Option<String>,
    next: Option<String>,
    is_first: bool,
    /// The link to the form for a new key, if the visitor may create one.
    create: Option<String>,
    /// What can be done with several keys. The portal has nothing of it.
    bar: Option<Bar>,
    /// The spreadsheet with all keys that match.
    export: String,
}

/// The bar for what is done with several keys at once.
struct Bar {
    /// The address of the confirmation.
    action: String,
    /// The filters of the list, as the form carries them.
    filters: String,
    /// What all keys that match are called, unless all of them are on this page.
    matching: Option<String>,
    /// What the visitor may do to keys.
    acts: &'static [SelectedAct],
}

/// `GET /console/orgs/{org}/keys`.
pub(in crate::console) async fn list(
    State(node): State<Arc<Node>>,
    visitor: Visitor,
    InOrganization(organization): InOrganization,
    parts: Parts,
) -> Result<Response, Failure> {
    let query = ListFilters::query_of(&parts)?;
    let (filters, caller, now) = (ListFilters::read(&query), &visitor.caller, node.clock.now());
    if let Some(key) = sought_key(&filters.search)
        && filters.search != key.to_string()
    {
        // A whole key was sent. Nothing of its secret stays in the address or on the page.
        let cleaned = ListFilters { search: key.to_string(), ..filters };
        return Ok(see_other(&cleaned.link(&visitor.shell.root(&organization), "")));
    }
    let search = filters.search(&organization, now)?;
    let cursor = query.text("cursor").map(str::to_owned);
    let is_first = cursor.is_none();
    let (listed, next) =
        keys::list(&node.records, caller, search.clone(), PageRequest { limit: PER_PAGE, cursor }).await?;
    let count = if is_first && next.is_none() {
        BoundedCount { number: listed.len() as u64, or_more: false }
    } else {
        keys::count(&node.records, caller, &search).await?
    };

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
    let may_create = keys::may_begin(caller, &organization).is_ok();
    let place = (&*visitor.shell.base, &organization);
    let owners = listed.iter().filter_map(|key| key.owner.as_ref());
    let owners = Owners::read(&node, caller, place, owners).await?;
    let members = MemberChoice::all(&node, caller, &organization).await?;
    let row = |key: &crate::domain::key::ApiKey| {
        let spark = used.get(&key.id).map(|usage| Plot::spark(usage, &span));
        let may = RowRights {
            acts: KeyAct::ALL.into_iter().filter(|act| keys::permits(caller, *act, key, now)).collect(),
            create: may_create,
        };
        Row::of(key, spark, (&root, &here), (may, &owners), now)
    };
    let choices = choices(&node, caller, &organization).await?;
    let is_whole = is_first && next.is_none();
    let count = in_words(count);
    page(&KeysPage {
        bar: caller.portal().is_none().then(|| Bar {
            action: address(&format!("{root}/keys/selected"), [(LIST, &*here)]),
            filters: filters.query(""),
            matching: (!is_whole).then(|| matching(count.as_deref())),
            acts: SelectedAct::offered_to(caller, &organization),
        }),
        export: address(&format!("{root}/keys.csv"), filters.pairs("")),
        shell: visitor.shell_at(&organization, Section::Keys),
        rows: listed.iter().map(row).collect(),
        next: next.map(|cursor| filters.link(&root, &cursor)),
        count,
        create: may_create.then(|| filters.create(&root, cursor_here)),
        root,
        owner_name: MemberChoice::name_in(&members, &filters.owner).map(str::to_owned),
        members,
        filters,
        environments: all_environments(&choices.projects),
        are_some: choices.are_some,
        projects: choices.projects.into_iter().map(|choice| choice.id).collect(),
        sorts: &SORTS,
        is_first,
    })
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

/// `128 keys`, or `10,000+ keys` when there may be more. `None` if nothing is known.
fn in_words(count: BoundedCount) -> Option<String> {
    let number = grouped(count.number);
    match count {
        BoundedCount { number: 0, .. } => None,
        BoundedCount { number: 1, or_more: false } => Some("1 key".into()),
        BoundedCount { or_more, .. } => Some(format!("{number}{} keys", if or_more { "+" } else { "" })),
    }
}

/// What all keys that match are called.
fn matching(count: Option<&str>) -> String {
    count.map_or_else(|| "All keys that match".into(), |count| format!("All {count} that match"))
}

/// `12345` as `12,345`.
pub(super) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_count_is_said_in_words() {
        let said = |number, or_more| in_words(BoundedCount { number, or_more });
        assert_eq!(said(0, false), None);
        assert_eq!(said(0, true), None);
        assert_eq!(said(1, false).unwrap(), "1 key");
        assert_eq!(said(1, true).unwrap(), "1+ keys");
        assert_eq!(said(128, false).unwrap(), "128 keys");
        assert_eq!(said(10_000, true).unwrap(), "10,000+ keys");
    }
}
