//! The catalogues of scopes, of the deployment and of an organization: the list, the form that adds an entry, and the
//! pages that change and remove one.

pub(super) mod edit;
mod form;
pub(super) mod remove;

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::http::request::Parts;
use axum::response::Response;

use self::form::ScopeForm;
use super::explain;
use super::notice::{self, Notice};
use super::page::{is_mendable, page, refused};
use super::problem::sentence;
use super::shell::{DeploymentSection, Section, Shell};
use super::submitted_form::SubmittedForm;
use super::visitor::Visitor;
use super::wrong::Wrong;
use crate::domain::named_scope::{Catalogue, NamedScope};
use crate::domain::names::NamedScopeId;
use crate::domain::scope::Verb;
use crate::http::failure::Failure;
use crate::http::path::InCatalogue;
use crate::http::query::Query;
use crate::node::Node;
use crate::store::Visible;
use crate::use_cases::access::visible_named_scopes;
use crate::use_cases::management::scopes::{self, NamedScopePath};
use crate::use_cases::management::{ApiError, PageRequest, carry_out};

/// As many as an organization's catalogue and the deployment's can have together.
const ALL: u16 = 2 * Catalogue::MAX_COUNT as u16;

#[derive(Template)]
#[template(path = "scopes.html")]
struct ScopesPage {
    shell: Shell,
    /// The path of the list.
    list: String,
    is_of_deployment: bool,
    rows: Vec<Row>,
    /// What an organization inherits.
    inherited: Vec<Row>,
    /// The path of the deployment's list, if the visitor may see it there.
    above: Option<String>,
    /// Whether the visitor may add an entry.
    may_create: bool,
    /// The groups that exist.
    groups: Vec<String>,
    form: ScopeForm,
    field: &'static str,
    error: Option<String>,
    done: Option<&'static str>,
}

struct Row {
    id: NamedScopeId,
    name: String,
    description: Option<String>,
    group: Option<String>,
    scope: String,
    /// What the scope allows, in words.
    words: String,
    may_change: bool,
    /// The name by which the organization itself calls the same scope.
    instead: Option<String>,
}

/// `GET /console/scopes` and `GET /console/orgs/{org}/scopes`.
pub(super) async fn list(
    State(node): State<Arc<Node>>,
    visitor: Visitor,
    InCatalogue(catalogue): InCatalogue,
    parts: Parts,
) -> Result<Response, Failure> {
    Query::of_page(&parts, &[])?;
    let listed = ScopesPage::of(&node, &visitor, &catalogue, ScopeForm::default()).await?;
    let taken = notice::take(&node, &parts.headers, Some(&visitor.session), &listed.list);
    let shown = page(&ScopesPage { done: taken.text(), ..listed })?;
    Ok(taken.shown_on(shown))
}

/// `POST /console/scopes` and `POST /console/orgs/{org}/scopes`.
pub(super) async fn create(
    State(node): State<Arc<Node>>,
    InCatalogue(catalogue): InCatalogue,
    submitted: SubmittedForm,
) -> Result<Response, Failure> {
    let SubmittedForm { visitor, fields, .. } = &submitted;
    let form = ScopeForm::sent(fields);
    if submitted.is_resumed() {
        return page(&ScopesPage::of(&node, visitor, &catalogue, form).await?);
    }
    match created(&node, visitor, &catalogue, &form).await {
        Ok(()) => {
            let path = list_path(&visitor.shell, &catalogue);
            Ok(Notice::ScopeAdded.at(&node, Some(&visitor.session), &path))
        }
        Err(Wrong { field, error }) if is_mendable(&error) => {
            let said = Some(sentence(&error.message()));
            let again = ScopesPage::of(&node, visitor, &catalogue, form).await?;
            Err(refused(&ScopesPage { field, error: said, ..again }, error))
        }
        Err(Wrong { error, .. }) => Err(error.into()),
    }
}

async fn created(
    node: &Arc<Node>,
    visitor: &Visitor,
    catalogue: &Catalogue,
    form: &ScopeForm,
) -> Result<(), Wrong> {
    let request = form.new_scope()?;
    let (server, caller, of) = (Arc::clone(node), visitor.caller.clone(), catalogue.clone());
    let made =
        carry_out(async move { scopes::create(&server.records, &caller, of, request, None).await.map(drop) });
    made.await.map_err(form::wrong)
}

/// The path of a catalogue's list.
fn list_path(shell: &Shell, catalogue: &Catalogue) -> String {
    let root = catalogue.organization().map_or_else(|| shell.base.clone(), |id| shell.root(id));
    format!("{root}/scopes")
}

/// The path above an entry's pages.
fn href(shell: &Shell, path: &NamedScopePath) -> String {
    format!("{}/{}", list_path(shell, &path.catalogue), path.scope)
}

/// The shell of a catalogue's pages.
fn shell_of(visitor: &Visitor, catalogue: &Catalogue) -> Shell {
    match catalogue {
        Catalogue::Deployment => visitor.shell.at_deployment(&visitor.caller, DeploymentSection::Scopes),
        Catalogue::Of(organization) => visitor.shell_at(organization, Section::Scopes),
    }
}

/// Whether the visitor may do `verb` to every entry of a catalogue.
fn may_all(visitor: &Visitor, catalogue: &Catalogue, verb: Verb) -> bool {
    let allowed = match catalogue {
        Catalogue::Deployment => visitor.caller.may_all(verb, &["scopes", "*"]),
        Catalogue::Of(organization) => visitor.caller.may_all_in(organization, verb, &["scopes", "*"]),
    };
    allowed.is_ok()
}

impl ScopesPage {
    async fn of(
        node: &Arc<Node>,
        visitor: &Visitor,
        catalogue: &Catalogue,
        form: ScopeForm,
    ) -> Result<Self, ApiError> {
        let (caller, of, all) =
            (&visitor.caller, catalogue.clone(), PageRequest { limit: ALL, cursor: None });
        let inherits = *catalogue != Catalogue::Deployment;
        let (mut found, _) = scopes::list(&node.records, caller, of, inherits, all).await?;
        scopes::sort(&mut found);
        let mut groups: Vec<String> = found.iter().filter_map(|entry| entry.group.clone()).collect();
        groups.dedup();
        let (own, inherited): (Vec<_>, Vec<_>) =
            found.into_iter().partition(|entry| entry.catalogue == *catalogue);
        let same = |entry: &NamedScope| own.iter().find(|named| named.scope == entry.scope);
        let inherited = inherited.iter().map(|entry| Row {
            instead: same(entry).map(|named| named.name.clone()),
            ..Row::of(entry, false)
        });
        let inherited = inherited.collect();
        let may_change = |entry: &NamedScope| {
            let path = NamedScopePath { catalogue: catalogue.clone(), scope: entry.id.clone() };
            scopes::may(caller, &path, Verb::Write).is_ok()
        };
        let sees_above = visible_named_scopes(caller, &Catalogue::Deployment) != Visible::Only(Vec::new());
        Ok(Self {
            shell: shell_of(visitor, catalogue),
            list: list_path(&visitor.shell, catalogue),
            is_of_deployment: !inherits,
            rows: own.iter().map(|entry| Row::of(entry, may_change(entry))).collect(),
            inherited,
            above: sees_above.then(|| list_path(&visitor.shell, &Catalogue::Deployment)),
            may_create: may_all(visitor, catalogue, Verb::Write),
            groups,
            form,
            field: "",
            error: None,
            done: None,
        })
    }

    /// The error, if it is about this field.
    fn wrong(&self, field: &str) -> Option<&str> {
        self.error.as_deref().filter(|_| self.field == field)
    }
}

impl Row {
    fn of(entry: &NamedScope, may_change: bool) -> Self {
        Self {
            id: entry.id.clone(),
            name: entry.name.clone(),
            description: entry.description.clone(),
            group: entry.group.clone(),
            scope: entry.scope.to_string(),
            words: explain::in_few_words(entry.scope.scope()),
            may_change,
            instead: None,
        }
    }
}
