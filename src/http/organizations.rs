//! `/v1/orgs`.

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
use super::path::InOrganization;
use super::query::{NoQuery, Query, terms};
use crate::node::Node;
use crate::use_cases::management::organizations::{self, NewOrganizationRequest, OrganizationPatch};
use crate::use_cases::management::{Versioned as _, carry_out};

/// `GET /v1/orgs`.
pub(super) async fn list(
    State(node): State<Arc<Node>>,
    AuthenticatedCaller(caller): AuthenticatedCaller,
    parts: Parts,
) -> Result<Response, Failure> {
    let page = Query::read(&parts, &["limit", "cursor"])?.page()?;
    let (data, next_cursor) = organizations::list(&node.records, &caller, page).await?;
    Ok(ListAnswer { data, next_cursor }.into_response())
}

/// `POST /v1/orgs`.
pub(super) async fn create(
    State(node): State<Arc<Node>>,
    WithDryRun(caller): WithDryRun,
    IdempotentJson(request, idempotent): IdempotentJson<NewOrganizationRequest>,
) -> Result<Response, Failure> {
    let (server, dry_run) = (Arc::clone(&node), caller.dry_run);
    let made =
        carry_out(async move { organizations::create(&server.records, &caller, request, idempotent).await })
            .await?;
    if dry_run {
        return Ok(answer::dry_run());
    }
    Ok(answer::made(&node, "/v1/orgs", &made, |made| (made.id.to_string(), made)))
}

/// `GET /v1/orgs/{org}`.
pub(super) async fn read(
    State(node): State<Arc<Node>>,
    AuthenticatedCaller(caller): AuthenticatedCaller,
    _: NoQuery,
    InOrganization(id): InOrganization,
) -> Result<Response, Failure> {
    let organization = organizations::read(&node.records, &caller, &id).await?;
    Ok(versioned(&organization.etag(), &organization))
}

/// `PATCH /v1/orgs/{org}`.
pub(super) async fn change(
    State(node): State<Arc<Node>>,
    AuthenticatedCaller(caller): AuthenticatedCaller,
    InOrganization(id): InOrganization,
    parts: Parts,
    Json(patch): Json<OrganizationPatch>,
) -> Result<Response, Failure> {
    let terms = terms(&parts, &["dry_run"])?;
    let done =
        carry_out(async move { organizations::change(&node.records, &caller, &id, patch, &terms).await })
            .await?;
    Ok(changed(&done, Clone::clone))
}

/// `DELETE /v1/orgs/{org}`.
pub(super) async fn delete(
    State(node): State<Arc<Node>>,
    WithDryRun(caller): WithDryRun,
    InOrganization(id): InOrganization,
) -> Result<Response, Failure> {
    let dry_run = caller.dry_run;
    carry_out(async move { organizations::delete(&node.records, &caller, &id).await }).await?;
    Ok(if dry_run { answer::dry_run() } else { StatusCode::NO_CONTENT.into_response() })
}
