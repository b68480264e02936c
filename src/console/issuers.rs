//! The trusted issuers of an organization: the list, the form that adds one, and the pages of one issuer.

pub(super) mod act;
pub(super) mod check;
pub(super) mod edit;
mod form;
pub(super) mod show;

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::http::request::Parts;
use axum::response::Response;

use self::form::IssuerForm;
use super::notice::{self, Notice};
use super::page::{is_mendable, page, refused};
use super::problem::sentence;
use super::shell::{Section, Shell};
use super::submitted_form::SubmittedForm;
use super::visitor::Visitor;
use super::when::When;
use super::wrong::Wrong;
use crate::domain::names::OrganizationId;
use crate::domain::scope::Verb;
use crate::domain::trust_rule::Preset;
use crate::domain::trusted_issuer::{KeySource, TrustedIssuer};
use crate::http::failure::Failure;
use crate::http::issuers::policy;
use crate::http::path::InOrganization;
use crate::http::query::Query;
use crate::node::Node;
use crate::use_cases::management::issuers::{self, NewIssuerRequest};
use crate::use_cases::management::{ApiError, PageRequest, carry_out};

/// At least as many as an organization can have ([`TrustedIssuer::MAX_COUNT`]).
const ALL: u16 = 100;

#[derive(Template)]
#[template(path = "issuers.html")]
struct IssuersPage {
    shell: Shell,
    root: String,
    rows: Vec<Row>,
    /// Whether the visitor may add an issuer.
    may_create: bool,
    /// Platforms whose issuer everybody shares.
    shared: Vec<Preset>,
    form: IssuerForm,
    field: &'static str,
    error: Option<String>,
    done: Option<&'static str>,
}

struct Row {
    id: String,
    name: String,
    url: String,
    keys: String,
    is_active: bool,
    created: When,
}

/// `GET /console/orgs/{org}/issuers`.
pub(super) async fn list(
    State(node): State<Arc<Node>>,
    visitor: Visitor,
    InOrganization(organization): InOrganization,
    parts: Parts,
) -> Result<Response, Failure> {
    let query = Query::of_page(&parts, &["platform", "issuer"])?;
    let form = IssuerForm::begun(query.text("platform"), query.text("issuer"));
    let listed = IssuersPage::of(&node, &visitor, &organization, form).await?;
    let here = format!("{}/issuers", listed.root);
    let taken = notice::take(&node, &parts.headers, Some(&visitor.session), &here);
    let shown = page(&IssuersPage { done: taken.text(), ..listed })?;
    Ok(taken.shown_on(shown))
}

/// `POST /console/orgs/{org}/issuers`.
pub(super) async fn create(
    State(node): State<Arc<Node>>,
    InOrganization(organization): InOrganization,
    submitted: SubmittedForm,
) -> Result<Response, Failure> {
    let SubmittedForm { visitor, fields, .. } = &submitted;
    let form = IssuerForm::sent(fields);
    if submitted.is_resumed() {
        return page(&IssuersPage::of(&node, visitor, &organization, form).await?);
    }
    match created(&node, visitor, &organization, &form).await {
        Ok(made) => {
            let path = format!("{}/issuers/{}", visitor.shell.root(&organization), made);
            Ok(Notice::IssuerAdded.at(&node, Some(&visitor.session), &path))
        }
        Err(Wrong { field, error }) if is_mendable(&error) => {
            let said = Some(sentence(&error.message()));
            let again = IssuersPage::of(&node, visitor, &organization, form).await?;
            Err(refused(&IssuersPage { field, error: said, ..again }, error))
        }
        Err(Wrong { error, .. }) => Err(error.into()),
    }
}

async fn created(
    node: &Arc<Node>,
    visitor: &Visitor,
    organization: &OrganizationId,
    form: &IssuerForm,
) -> Result<String, Wrong> {
    let request: NewIssuerRequest = form.new_issuer()?;
    let (server, caller, home) = (Arc::clone(node), visitor.caller.clone(), organization.clone());
    let made = carry_out(async move {
        issuers::create(&server.records, policy(&server), &caller, home, request, None).await.map(drop)
    });
    made.await.map_err(|error| form.wrong(error))?;
    Ok(form.id.clone())
}

/// The trusted issuers that the visitor may read, newest first.
///
/// # Errors
/// [`ApiError`].
pub(super) async fn readable(
    node: &Arc<Node>,
    visitor: &Visitor,
    organization: &OrganizationId,
) -> Result<Vec<TrustedIssuer>, ApiError> {
    let all = PageRequest { limit: ALL, cursor: None };
    Ok(issuers::list(&node.records, &visitor.caller, organization, all).await?.0)
}

/// Where an issuer's keys come from, in words.
fn source_of(issuer: &TrustedIssuer) -> String {
    match &issuer.keys {
        KeySource::Discovery => "By discovery".to_owned(),
        KeySource::At(url) => url.to_string(),
        KeySource::Inline(set) => {
            let count = set["keys"].as_array().map_or(0, Vec::len);
            format!("{} in the record", super::when::counted(i64::try_from(count).unwrap_or_default(), "key"))
        }
    }
}

impl IssuersPage {
    async fn of(
        node: &Arc<Node>,
        visitor: &Visitor,
        organization: &OrganizationId,
        form: IssuerForm,
    ) -> Result<Self, ApiError> {
        let now = node.clock.now();
        let row = |issuer: &TrustedIssuer| Row {
            id: issuer.id.to_string(),
            name: issuer.name.clone(),
            url: issuer.url.to_string(),
            keys: source_of(issuer),
            is_active: issuer.is_active(),
            created: When::new(issuer.created_at, now),
        };
        Ok(Self {
            shell: visitor.shell_at(organization, Section::Issuers),
            root: visitor.shell.root(organization),
            rows: readable(node, visitor, organization).await?.iter().map(row).collect(),
            may_create: visitor.caller.may_all_in(organization, Verb::Admin, &["issuers", "*"]).is_ok(),
            shared: Preset::ALL.into_iter().filter(|preset| preset.issuer.is_some()).collect(),
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
