//! Changes a project, after a preview if anything ends by the change, and deletes it.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use serde_json::{Value, json};

use super::confirm;
use super::page::{is_mendable, page, refused, see_other};
use super::problem::sentence;
use super::projects::Typed;
use super::review::{Item, Review, ReviewedChange};
use super::shell::{Section, Shell};
use super::submitted_form::SubmittedForm;
use super::visitor::Visitor;
use crate::domain::scope::Verb;
use crate::domain::tenant::Project;
use crate::http::failure::Failure;
use crate::http::path::OfProject;
use crate::node::Node;
use crate::use_cases::management::projects::{self, ProjectPatch, ProjectPath};
use crate::use_cases::management::{
    ApiError, Force, IfMatch, InvalidRequest, Terms, Versioned as _, carry_out,
};

#[derive(Template)]
#[template(path = "project.html")]
struct ProjectPage {
    shell: Shell,
    root: String,
    id: String,
    form: Typed,
    /// The project's state when the form was first shown. It reveals a change by somebody else in the meantime.
    base: String,
    /// Changes by somebody else since then.
    changed: Review,
    error: Option<String>,
}

#[derive(Template)]
#[template(path = "project_preview.html")]
struct PreviewPage {
    shell: Shell,
    root: String,
    name: String,
    id: String,
    form: Typed,
    base: String,
    review: Review,
}

#[derive(Template)]
#[template(path = "project_delete.html")]
struct DeletePage {
    shell: Shell,
    root: String,
    id: String,
    name: String,
    typed: String,
    error: Option<String>,
}

/// `GET /console/orgs/{org}/projects/{project}`.
pub(super) async fn edit(
    State(node): State<Arc<Node>>,
    visitor: Visitor,
    OfProject(path): OfProject,
) -> Result<Response, Failure> {
    let project = found(&node, &visitor, &path).await?;
    page(&ProjectPage::of(&visitor, &path, Typed::of(&project), base(&project)))
}

/// `POST /console/orgs/{org}/projects/{project}`.
pub(super) async fn change(
    State(node): State<Arc<Node>>,
    OfProject(path): OfProject,
    submitted: SubmittedForm,
) -> Result<Response, Failure> {
    let SubmittedForm { visitor, fields, .. } = &submitted;
    let project = found(&node, visitor, &path).await?;
    let (form, began) = (Typed::sent(fields), fields.text("base"));
    if submitted.is_resumed() || fields.has("back") {
        return page(&ProjectPage::of(visitor, &path, form, began.to_owned()));
    }
    if !began.is_empty() && began != base(&project) {
        return Err(overtaken(visitor, &path, form, began, &project));
    }
    let gone = project.environments.iter().any(|slug| !form.slugs().contains(&slug.as_str()));
    let is_reviewed = fields.has("reviewed");
    let terms = Terms {
        dry_run: gone && !is_reviewed,
        force: Force::No,
        if_match: Some(IfMatch::parse([project.etag().to_string().as_bytes()])?),
    };
    let body = json!({ "name": form.name, "environments": form.slugs() });
    let patch: ProjectPatch = serde_json::from_value(body).map_err(ApiError::internal)?;
    let (server, caller, of) = (Arc::clone(&node), visitor.caller.clone(), path.clone());
    match carry_out(async move { projects::change(&server.records, &caller, &of, patch, &terms).await }).await
    {
        Ok(done) if done.dry_run => page(&PreviewPage {
            shell: visitor.shell_at(&path.organization, Section::Projects),
            root: visitor.shell.root(&path.organization),
            id: path.project.to_string(),
            name: project.name.clone(),
            form,
            base: base(&project),
            review: Review::of(&json!(done.before), &json!(done.after)),
        }),
        Ok(_) => Ok(see_other(&format!("{}/projects", visitor.shell.root(&path.organization)))),
        Err(ApiError::PreconditionFailed) => {
            let now = found(&node, visitor, &path).await?;
            Err(overtaken(visitor, &path, form, &base(&project), &now))
        }
        Err(error) if is_mendable(&error) => {
            let said = Some(sentence(&error.message()));
            let again = ProjectPage::of(visitor, &path, form, base(&project));
            Err(refused(&ProjectPage { error: said, ..again }, error))
        }
        Err(error) => Err(error.into()),
    }
}

/// `GET /console/orgs/{org}/projects/{project}/delete`.
pub(super) async fn ask_delete(
    State(node): State<Arc<Node>>,
    visitor: Visitor,
    OfProject(path): OfProject,
) -> Result<Response, Failure> {
    let project = found(&node, &visitor, &path).await?;
    page(&DeletePage::of(&visitor, &project, ""))
}

/// `POST /console/orgs/{org}/projects/{project}/delete`.
pub(super) async fn delete(
    State(node): State<Arc<Node>>,
    OfProject(path): OfProject,
    submitted: SubmittedForm,
) -> Result<Response, Failure> {
    let SubmittedForm { visitor, fields, .. } = &submitted;
    let (project, typed) = (found(&node, visitor, &path).await?, fields.text("name"));
    let asked = DeletePage::of(visitor, &project, typed);
    if submitted.is_resumed() {
        return page(&asked);
    }
    let done = if confirm::names(typed, &project.name, project.id.as_str()) {
        let (server, caller) = (Arc::clone(&node), visitor.caller.clone());
        carry_out(async move { projects::delete(&server.records, &caller, &path).await }).await
    } else {
        Err(InvalidRequest::NameMismatch.into())
    };
    match done {
        Ok(()) => Ok(see_other(&format!("{}/projects", asked.root))),
        Err(error) if is_mendable(&error) => {
            let said = Some(sentence(&error.message()));
            Err(refused(&DeletePage { error: said, ..asked }, error))
        }
        Err(error) => Err(error.into()),
    }
}

/// The project, if the visitor may change it.
async fn found(node: &Arc<Node>, visitor: &Visitor, path: &ProjectPath) -> Result<Project, ApiError> {
    let project = projects::read(&node.records, &visitor.caller, path).await?;
    let below = ["projects", path.project.as_str()];
    visitor.caller.may_in(&path.organization, Verb::Write, &below).map_err(ApiError::from)?;
    Ok(project)
}

/// The members of a project that the form edits, as JSON.
fn base(project: &Project) -> String {
    let environments: Vec<_> = project.environments.iter().map(ToString::to_string).collect();
    json!({ "name": project.name, "environments": environments }).to_string()
}

/// The form again, with the changes by somebody else since it was first shown.
fn overtaken(visitor: &Visitor, path: &ProjectPath, form: Typed, began: &str, now: &Project) -> Failure {
    let read = |text: &str| serde_json::from_str::<Value>(text).unwrap_or_default();
    let again = ProjectPage::of(visitor, path, form, base(now));
    let changed = Review::of(&read(began), &read(&again.base));
    refused(&ProjectPage { changed, ..again }, ApiError::PreconditionFailed)
}

impl ProjectPage {
    fn of(visitor: &Visitor, path: &ProjectPath, form: Typed, base: String) -> Self {
        Self {
            shell: visitor.shell_at(&path.organization, Section::Projects),
            root: visitor.shell.root(&path.organization),
            id: path.project.to_string(),
            form,
            base,
            changed: Review::default(),
            error: None,
        }
    }
}

impl DeletePage {
    fn of(visitor: &Visitor, project: &Project, typed: &str) -> Self {
        Self {
            shell: visitor.shell_at(&project.organization, Section::Projects),
            root: visitor.shell.root(&project.organization),
            id: project.id.to_string(),
            name: project.name.clone(),
            typed: typed.to_owned(),
            error: None,
        }
    }
}
