//! `/v1/orgs/{org}/issuers`.

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
use super::path::{InOrganization, OfIssuer};
use super::query::{NoQuery, Query, terms};
use crate::node::Node;
use crate::use_cases::management::issuers::{
    self, IssuerCheckRequest, IssuerPatch, IssuerPolicy, NewIssuerRequest,
};
use crate::use_cases::management::{Versioned as _, carry_out};

/// `GET /v1/orgs/{org}/issuers`.
pub(super) async fn list(
    State(node): State<Arc<Node>>,
    AuthenticatedCaller(caller): AuthenticatedCaller,
    InOrganization(organization): InOrganization,
    parts: Parts,
) -> Result<Response, Failure> {
    let page = Query::read(&parts, &["limit", "cursor"])?.page()?;
    let (data, next_cursor) = issuers::list(&node.records, &caller, &organization, page).await?;
    Ok(ListAnswer { data, next_cursor }.into_response())
}

/// `POST /v1/orgs/{org}/issuers`.
pub(super) async fn create(
    State(node): State<Arc<Node>>,
    WithDryRun(caller): WithDryRun,
    InOrganization(organization): InOrganization,
    IdempotentJson(request, idempotent): IdempotentJson<NewIssuerRequest>,
) -> Result<Response, Failure> {
    let (server, collection) = (Arc::clone(&node), format!("/v1/orgs/{organization}/issuers"));
    let dry_run = caller.dry_run;
    let made = carry_out(async move {
        issuers::create(&server.records, policy(&server), &caller, organization, request, idempotent).await
    })
    .await?;
    if dry_run {
        return Ok(answer::dry_run());
    }
    Ok(answer::made(&node, &collection, &made, |made| (made.id.to_string(), made)))
}

/// `GET /v1/orgs/{org}/issuers/{issuer}`.
pub(super) async fn read(
    State(node): State<Arc<Node>>,
    AuthenticatedCaller(caller): AuthenticatedCaller,
    _: NoQuery,
    OfIssuer(path): OfIssuer,
) -> Result<Response, Failure> {
    let issuer = issuers::read(&node.records, &caller, &path).await?;
    Ok(versioned(&issuer.etag(), &issuer))
}

/// `PATCH /v1/orgs/{org}/issuers/{issuer}`.
pub(super) async fn change(
    State(node): State<Arc<Node>>,
    AuthenticatedCaller(caller): AuthenticatedCaller,
    OfIssuer(path): OfIssuer,
    parts: Parts,
    Json(patch): Json<IssuerPatch>,
) -> Result<Response, Failure> {
    let terms = terms(&parts, &["dry_run"])?;
    let done = carry_out(async move {
        issuers::change(&node.records, policy(&node), &caller, &path, patch, &terms).await
    })
    .await?;
    Ok(changed(&done, Clone::clone))
}

/// `DELETE /v1/orgs/{org}/issuers/{issuer}`.
pub(super) async fn delete(
    State(node): State<Arc<Node>>,
    WithDryRun(caller): WithDryRun,
    OfIssuer(path): OfIssuer,
) -> Result<Response, Failure> {
    let dry_run = caller.dry_run;
    carry_out(async move { issuers::delete(&node.records, &caller, &path).await }).await?;
    Ok(if dry_run { answer::dry_run() } else { StatusCode::NO_CONTENT.into_response() })
}

/// `POST /v1/orgs/{org}/issuers/{issuer}/check`.
pub(super) async fn check(
    State(node): State<Arc<Node>>,
    AuthenticatedCaller(caller): AuthenticatedCaller,
    _: NoQuery,
    OfIssuer(path): OfIssuer,
    Json(request): Json<IssuerCheckRequest>,
) -> Result<Response, Failure> {
    let (records, federation) = (&node.records, &node.authenticator.federation);
    let found = issuers::check(records, federation, &caller, &path, request).await?;
    Ok(axum::Json(found).into_response())
}

/// What this deployment says about whom its organizations may trust.
pub(crate) fn policy(node: &Node) -> IssuerPolicy<'_> {
    IssuerPolicy {
        own_issuer: &node.deployment.issuer,
        allows_http: node.authenticator.federation.issuer_keys.allows_http(),
    }
}
