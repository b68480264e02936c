//! Projects and their environments.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use serde_json::json;

use super::page::{is_mendable, page, refused, see_other};
use super::posted::Posted;
use super::problem::sentence;
use super::shell::{Room, Shell};
use super::visitor::Visitor;
use crate::http::failure::Failure;
use crate::http::path::{InOrganization, OfProject};
use crate::management::projects::{self, NewProjectRequest, ProjectPatch, ProjectPath};
use crate::management::{ApiError, PageRequest, Terms, carry_out};
use crate::names::OrganizationId;
use crate::node::Node;
use crate::scope::Verb;
use crate::tenant::Project;
use crate::text::without_values;

/// More are in the management API.
const MOST: u16 = 200;

#[derive(Template)]
#[template(path = "projects.html")]
struct ProjectsPage {
    shell: Shell,
    root: String,
    rows: Vec<Row>,
    /// Whether the person may make any project.
    may_create: bool,
    form: Typed,
    error: Option<String>,
}

#[derive(Template)]
#[template(path = "project.html")]
struct ProjectPage {
    shell: Shell,
    root: String,
    id: String,
    form: Typed,
    error: Option<String>,
}

struct Row {
    id: String,
    name: String,
    environments: Vec<String>,
    may_write: bool,
}

/// What was typed.
#[derive(Default)]
struct Typed {
    id: String,
    name: String,
    environments: String,
}

/// `GET /console/orgs/{org}/projects`.
pub(super) async fn list(
    State(node): State<Arc<Node>>,
    visitor: Visitor,
    InOrganization(organization): InOrganization,
) -> Result<Response, Failure> {
    let form = Typed { environments: "dev stg prd".into(), ..Typed::default() };
    page(&listed(&node, &visitor, &organization, form).await?)
}

/// `POST /console/orgs/{org}/projects`.
pub(super) async fn create(
    State(node): State<Arc<Node>>,
    InOrganization(organization): InOrganization,
    posted: Posted,
) -> Result<Response, Failure> {
    let Posted { visitor, fields, .. } = posted;
    let form = Typed::sent(&fields);
    let mut body = json!({ "id": form.id, "environments": form.slugs() });
    if !form.name.is_empty() {
        body["name"] = json!(form.name);
    }
    let (server, caller, home) = (Arc::clone(&node), visitor.caller.clone(), organization.clone());
    let made = match serde_json::from_value::<NewProjectRequest>(body) {
        Ok(request) => {
            carry_out(async move { projects::create(&server, &caller, home, request, None).await })
                .await
                .map(drop)
        }
        Err(error) => Err(ApiError::invalid(without_values(&error.to_string()))),
    };
    let listed = listed(&node, &visitor, &organization, form).await?;
    match made {
        Ok(()) => Ok(see_other(&format!("{}/projects", listed.root))),
        Err(error) if is_mendable(&error) => {
            let said = Some(sentence(&error.message()));
            Err(refused(&ProjectsPage { error: said, ..listed }, error))
        }
        Err(error) => Err(error.into()),
    }
}

/// `GET /console/orgs/{org}/projects/{project}`.
pub(super) async fn edit(
    State(node): State<Arc<Node>>,
    visitor: Visitor,
    OfProject(path): OfProject,
) -> Result<Response, Failure> {
    let project = projects::read(&node, &visitor.caller, &path).await?;
    visitor
        .caller
        .may_in(&path.organization, Verb::Write, &["projects", path.project.as_str()])
        .map_err(ApiError::from)?;
    page(&ProjectPage::of(&visitor, &path, Typed::of(&project)))
}

/// `POST /console/orgs/{org}/projects/{project}`.
pub(super) async fn change(
    State(node): State<Arc<Node>>,
    OfProject(path): OfProject,
    posted: Posted,
) -> Result<Response, Failure> {
    let Posted { visitor, fields, .. } = posted;
    let form = Typed::sent(&fields);
    let body = json!({ "name": form.name, "environments": form.slugs() });
    let patch: ProjectPatch = serde_json::from_value(body).map_err(ApiError::internal)?;
    let (caller, of) = (visitor.caller.clone(), path.clone());
    let done =
        carry_out(
            async move { projects::change(&node, &caller, &of, patch, &Terms::default()).await.map(drop) },
        );
    finished(&visitor, &path, form, done.await)
}

/// `POST /console/orgs/{org}/projects/{project}/delete`.
pub(super) async fn delete(
    State(node): State<Arc<Node>>,
    OfProject(path): OfProject,
    posted: Posted,
) -> Result<Response, Failure> {
    let visitor = posted.visitor;
    let form = Typed::of(&projects::read(&node, &visitor.caller, &path).await?);
    let (caller, of) = (visitor.caller.clone(), path.clone());
    let done = carry_out(async move { projects::delete(&node, &caller, &of).await });
    finished(&visitor, &path, form, done.await)
}

fn finished(
    visitor: &Visitor,
    path: &ProjectPath,
    form: Typed,
    done: Result<(), ApiError>,
) -> Result<Response, Failure> {
    let shown = ProjectPage::of(visitor, path, form);
    match done {
        Ok(()) => Ok(see_other(&format!("{}/projects", shown.root))),
        Err(error) if is_mendable(&error) => {
            let said = Some(sentence(&error.message()));
            Err(refused(&ProjectPage { error: said, ..shown }, error))
        }
        Err(error) => Err(error.into()),
    }
}

async fn listed(
    node: &Arc<Node>,
    visitor: &Visitor,
    organization: &OrganizationId,
    form: Typed,
) -> Result<ProjectsPage, ApiError> {
    let caller = &visitor.caller;
    let request = PageRequest { limit: MOST, cursor: None };
    let (found, _) = projects::list(node, caller, organization, request).await?;
    let row = |project: &Project| Row {
        id: project.id.to_string(),
        name: project.name.clone(),
        environments: project.environments.iter().map(ToString::to_string).collect(),
        may_write: caller.may_in(organization, Verb::Write, &["projects", project.id.as_str()]).is_ok(),
    };
    Ok(ProjectsPage {
        shell: visitor.shell_at(organization, Room::Projects),
        root: visitor.shell.root(organization),
        rows: found.iter().map(row).collect(),
        may_create: caller.may_all_in(organization, Verb::Write, &["projects", "*"]).is_ok(),
        form,
        error: None,
    })
}

impl ProjectPage {
    fn of(visitor: &Visitor, path: &ProjectPath, form: Typed) -> Self {
        Self {
            shell: visitor.shell_at(&path.organization, Room::Projects),
            root: visitor.shell.root(&path.organization),
            id: path.project.to_string(),
            form,
            error: None,
        }
    }
}

impl Typed {
    fn sent(fields: &super::fields::Fields) -> Self {
        let text = |name| fields.text(name).to_owned();
        Self { id: text("id"), name: text("name"), environments: text("environments") }
    }

    fn of(project: &Project) -> Self {
        Self {
            id: project.id.to_string(),
            name: project.name.clone(),
            environments: project.environments.to_string(),
        }
    }

    fn slugs(&self) -> Vec<&str> {
        self.environments.split([' ', ',']).filter(|slug| !slug.is_empty()).collect()
    }
}
