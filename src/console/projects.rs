//! The list of projects and their environments, and the form that creates a project.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::http::request::Parts;
use axum::response::Response;
use serde_json::json;

use super::fields::Fields;
use super::page::{is_mendable, page, refused, see_other};
use super::problem::sentence;
use super::shell::{Section, Shell};
use super::submitted_form::SubmittedForm;
use super::visitor::Visitor;
use super::wrong::malformed;
use crate::domain::names::OrganizationId;
use crate::domain::scope::Verb;
use crate::domain::tenant::Project;
use crate::http::failure::Failure;
use crate::http::path::InOrganization;
use crate::http::query::Query;
use crate::node::Node;
use crate::use_cases::management::projects::{self, NewProjectRequest};
use crate::use_cases::management::{ApiError, PageRequest, carry_out};

const PER_PAGE: u16 = 50;

#[derive(Template)]
#[template(path = "projects.html")]
struct ProjectsPage {
    shell: Shell,
    root: String,
    rows: Vec<Row>,
    next: Option<String>,
    is_first: bool,
    /// Whether the visitor may create a project.
    may_create: bool,
    form: Typed,
    error: Option<String>,
}

struct Row {
    id: String,
    name: String,
    environments: Vec<String>,
    may_write: bool,
}

/// The form's input.
#[derive(Default)]
pub(super) struct Typed {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) environments: String,
}

/// `GET /console/orgs/{org}/projects`.
pub(super) async fn list(
    State(node): State<Arc<Node>>,
    visitor: Visitor,
    InOrganization(organization): InOrganization,
    parts: Parts,
) -> Result<Response, Failure> {
    let cursor = Query::of_page(&parts, &["cursor"])?.text("cursor").map(str::to_owned);
    let form = Typed { environments: "dev stg prd".into(), ..Typed::default() };
    page(&listed(&node, &visitor, &organization, form, cursor).await?)
}

/// `POST /console/orgs/{org}/projects`.
pub(super) async fn create(
    State(node): State<Arc<Node>>,
    InOrganization(organization): InOrganization,
    submitted: SubmittedForm,
) -> Result<Response, Failure> {
    let SubmittedForm { visitor, fields, .. } = &submitted;
    let form = Typed::sent(fields);
    if submitted.is_resumed() {
        return page(&listed(&node, visitor, &organization, form, None).await?);
    }
    let mut body = json!({ "id": form.id, "environments": form.slugs() });
    if !form.name.is_empty() {
        body["name"] = json!(form.name);
    }
    let (server, caller, home) = (Arc::clone(&node), visitor.caller.clone(), organization.clone());
    let made = match serde_json::from_value::<NewProjectRequest>(body) {
        Ok(request) => {
            carry_out(async move { projects::create(&server.records, &caller, home, request, None).await })
                .await
                .map(drop)
        }
        Err(error) => Err(malformed(error)),
    };
    let listed = listed(&node, visitor, &organization, form, None).await?;
    match made {
        Ok(()) => Ok(see_other(&format!("{}/projects", listed.root))),
        Err(error) if is_mendable(&error) => {
            let said = Some(sentence(&error.message()));
            Err(refused(&ProjectsPage { error: said, ..listed }, error))
        }
        Err(error) => Err(error.into()),
    }
}

async fn listed(
    node: &Arc<Node>,
    visitor: &Visitor,
    organization: &OrganizationId,
    form: Typed,
    cursor: Option<String>,
) -> Result<ProjectsPage, ApiError> {
    let (caller, is_first) = (&visitor.caller, cursor.is_none());
    let request = PageRequest { limit: PER_PAGE, cursor };
    let (found, next) = projects::list(&node.records, caller, organization, request).await?;
    let row = |project: &Project| Row {
        id: project.id.to_string(),
        name: project.name.clone(),
        environments: project.environments.iter().map(ToString::to_string).collect(),
        may_write: caller.may_in(organization, Verb::Write, &["projects", project.id.as_str()]).is_ok(),
    };
    let root = visitor.shell.root(organization);
    Ok(ProjectsPage {
        shell: visitor.shell_at(organization, Section::Projects),
        next: next.map(|cursor| format!("{root}/projects?cursor={cursor}")),
        is_first,
        root,
        rows: found.iter().map(row).collect(),
        may_create: caller.may_all_in(organization, Verb::Write, &["projects", "*"]).is_ok(),
        form,
        error: None,
    })
}

impl Typed {
    pub(super) fn sent(fields: &Fields) -> Self {
        let text = |name| fields.text(name).to_owned();
        Self { id: text("id"), name: text("name"), environments: text("environments") }
    }

    pub(super) fn of(project: &Project) -> Self {
        Self {
            id: project.id.to_string(),
            name: project.name.clone(),
            environments: project.environments.to_string(),
        }
    }

    pub(super) fn slugs(&self) -> Vec<&str> {
        self.environments.split([' ', ',']).filter(|slug| !slug.is_empty()).collect()
    }
}
