//! `/v1/orgs/{org}/projects`.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};

use super::answer::{self, changed, versioned};
use super::credentials::{AuthenticatedCaller, WithDryRun};
use super::failure::Failure;
use super::json::{IdempotentJson, Json};
use super::list_answer::ListAnswer;
use super::path::{InOrganization, OfProject};
use super::query::{NoQuery, Query, terms};
use crate::node::Node;
use crate::use_cases::management::projects::{self, NewProjectRequest, ProjectPatch};
use crate::use_cases::management::{Versioned as _, carry_out};

/// `GET /v1/orgs/{org}/projects`.
pub(super) async fn list(
    State(node): State<Arc<Node>>,
    AuthenticatedCaller(caller): AuthenticatedCaller,
    InOrganization(organization): InOrganization,
    parts: Parts,
) -> Result<Response, Failure> {
    let page = Query::read(&parts, &["limit", "cursor"])?.page()?;
    let (data, next_cursor) = projects::list(&node.records, &caller, &organization, page).await?;
    Ok(ListAnswer { data, next_cursor }.into_response())
}

/// `POST /v1/orgs/{org}/projects`.
pub(super) async fn create(
    State(node): State<Arc<Node>>,
    WithDryRun(caller): WithDryRun,
    InOrganization(organization): InOrganization,
    IdempotentJson(request, idempotent): IdempotentJson<NewProjectRequest>,
) -> Result<Response, Failure> {
    let (server, collection) = (Arc::clone(&node), format!("/v1/orgs/{organization}/projects"));
    let dry_run = caller.dry_run;
    let made = carry_out(async move {
        projects::create(&server.records, &caller, organization, request, idempotent).await
    })
    .await?;
    if dry_run {
        return Ok(answer::dry_run());
    }
    Ok(answer::made(&node, &collection, &made, |made| (made.id.to_string(), made)))
}

/// `GET /v1/orgs/{org}/projects/{project}`.
pub(super) async fn read(
    State(node): State<Arc<Node>>,
    AuthenticatedCaller(caller): AuthenticatedCaller,
    _: NoQuery,
    OfProject(path): OfProject,
) -> Result<Response, Failure> {
    let project = projects::read(&node.records, &caller, &path).await?;
    Ok(versioned(&project.etag(), &project))
}

/// `PATCH /v1/orgs/{org}/projects/{project}`.
pub(super) async fn change(
    State(node): State<Arc<Node>>,
    AuthenticatedCaller(caller): AuthenticatedCaller,
    OfProject(path): OfProject,
    parts: Parts,
    Json(patch): Json<ProjectPatch>,
) -> Result<Response, Failure> {
    let terms = terms(&parts, &["dry_run"])?;
    let done = carry_out(async move { projects::change(&node.records, &caller, &path, patch, &terms).await })
        .await?;
    Ok(changed(&done, Clone::clone))
}

/// `DELETE /v1/orgs/{org}/projects/{project}`.
pub(super) async fn delete(
    State(node): State<Arc<Node>>,
    WithDryRun(caller): WithDryRun,
    OfProject(path): OfProject,
) -> Result<Response, Failure> {
    let dry_run = caller.dry_run;
    carry_out(async move { projects::delete(&node.records, &caller, &path).await }).await?;
    Ok(if dry_run { answer::dry_run() } else { StatusCode::NO_CONTENT.into_response() })
}
