//! `/v1/scopes` and `/v1/orgs/{org}/scopes`: the same operations on the catalogue of the deployment and on those of its
//! organizations.

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
use super::path::{InCatalogue, OfNamedScope};
use super::query::{NoQuery, Query, terms};
use crate::domain::named_scope::Catalogue;
use crate::node::Node;
use crate::use_cases::management::scopes::{self, NamedScopePatch, NewNamedScopeRequest};
use crate::use_cases::management::{Versioned as _, carry_out};

/// `GET /v1/scopes` and `GET /v1/orgs/{org}/scopes`.
pub(super) async fn list(
    State(node): State<Arc<Node>>,
    AuthenticatedCaller(caller): AuthenticatedCaller,
    InCatalogue(catalogue): InCatalogue,
    parts: Parts,
) -> Result<Response, Failure> {
    // The deployment inherits nothing.
    let known: &[&str] = match catalogue {
        Catalogue::Deployment => &["limit", "cursor"],
        Catalogue::Of(_) => &["inherited", "limit", "cursor"],
    };
    let query = Query::read(&parts, known)?;
    let (inherited, page) = (query.flag("inherited")?, query.page()?);
    let (data, next_cursor) = scopes::list(&node.records, &caller, catalogue, inherited, page).await?;
    Ok(ListAnswer { data, next_cursor }.into_response())
}

/// `POST /v1/scopes` and `POST /v1/orgs/{org}/scopes`.
pub(super) async fn create(
    State(node): State<Arc<Node>>,
    WithDryRun(caller): WithDryRun,
    InCatalogue(catalogue): InCatalogue,
    IdempotentJson(request, idempotent): IdempotentJson<NewNamedScopeRequest>,
) -> Result<Response, Failure> {
    let (server, collection) = (Arc::clone(&node), collection(&catalogue));
    let dry_run = caller.dry_run;
    let made =
        carry_out(
            async move { scopes::create(&server.records, &caller, catalogue, request, idempotent).await },
        )
        .await?;
    if dry_run {
        return Ok(answer::dry_run());
    }
    Ok(answer::made(&node, &collection, &made, |made| (made.id.to_string(), made)))
}

/// `GET /v1/scopes/{scope}` and `GET /v1/orgs/{org}/scopes/{scope}`.
pub(super) async fn read(
    State(node): State<Arc<Node>>,
    AuthenticatedCaller(caller): AuthenticatedCaller,
    _: NoQuery,
    OfNamedScope(path): OfNamedScope,
) -> Result<Response, Failure> {
    let entry = scopes::read(&node.records, &caller, &path).await?;
    Ok(versioned(&entry.etag(), &entry))
}

/// `PATCH /v1/scopes/{scope}` and `PATCH /v1/orgs/{org}/scopes/{scope}`.
pub(super) async fn change(
    State(node): State<Arc<Node>>,
    AuthenticatedCaller(caller): AuthenticatedCaller,
    OfNamedScope(path): OfNamedScope,
    parts: Parts,
    Json(patch): Json<NamedScopePatch>,
) -> Result<Response, Failure> {
    let terms = terms(&parts, &["dry_run"])?;
    let done =
        carry_out(async move { scopes::change(&node.records, &caller, &path, patch, &terms).await }).await?;
    Ok(changed(&done, Clone::clone))
}

/// `DELETE /v1/scopes/{scope}` and `DELETE /v1/orgs/{org}/scopes/{scope}`.
pub(super) async fn delete(
    State(node): State<Arc<Node>>,
    WithDryRun(caller): WithDryRun,
    OfNamedScope(path): OfNamedScope,
) -> Result<Response, Failure> {
    let dry_run = caller.dry_run;
    carry_out(async move { scopes::delete(&node.records, &caller, &path).await }).await?;
    Ok(if dry_run { answer::dry_run() } else { StatusCode::NO_CONTENT.into_response() })
}

fn collection(catalogue: &Catalogue) -> String {
    match catalogue {
        Catalogue::Deployment => "/v1/scopes".to_owned(),
        Catalogue::Of(organization) => format!("/v1/orgs/{organization}/scopes"),
    }
}
