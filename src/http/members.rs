//! `/v1/members` and `/v1/orgs/{org}/members`: the same operations on the members of the deployment and of its
//! organizations.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use super::answer::{self, changed, versioned};
use super::credentials::{AuthenticatedCaller, WithDryRun};
use super::failure::Failure;
use super::json::{IdempotentJson, Json};
use super::list_answer::ListAnswer;
use super::path::{OfMember, OfPlace};
use super::query::{NoQuery, Query, terms};
use crate::domain::names::OrganizationId;
use crate::node::Node;
use crate::use_cases::management::members::{self, Invited, MemberPatch, NewMemberRequest};
use crate::use_cases::management::{Versioned as _, carry_out};

/// `GET /v1/members` and `GET /v1/orgs/{org}/members`.
pub(super) async fn list(
    State(node): State<Arc<Node>>,
    AuthenticatedCaller(caller): AuthenticatedCaller,
    OfPlace(organization): OfPlace,
    parts: Parts,
) -> Result<Response, Failure> {
    let page = Query::read(&parts, &["limit", "cursor"])?.page()?;
    let (found, next_cursor) = members::list(&node.records, &caller, organization.as_ref(), page).await?;
    let now = node.clock.now();
    let data: Vec<_> = found.iter().map(|member| member.view(now)).collect();
    Ok(ListAnswer { data, next_cursor }.into_response())
}

/// `POST /v1/members` and `POST /v1/orgs/{org}/members`.
pub(super) async fn invite(
    State(node): State<Arc<Node>>,
    WithDryRun(caller): WithDryRun,
    OfPlace(organization): OfPlace,
    IdempotentJson(request, idempotent): IdempotentJson<NewMemberRequest>,
) -> Result<Response, Failure> {
    let (server, collection) = (Arc::clone(&node), collection(organization.as_ref()));
    let dry_run = caller.dry_run;
    let made = carry_out(async move {
        let (records, providers) = (&server.records, &server.deployment.sign_in);
        members::invite(records, providers, &caller, organization, request, idempotent).await
    })
    .await?;
    if dry_run {
        return Ok(answer::dry_run());
    }
    Ok(answer::made(&node, &collection, &made, |made| (made.member.id.to_string(), with_link(&node, made))))
}

/// `GET /v1/members/{usr}` and `GET /v1/orgs/{org}/members/{usr}`.
pub(super) async fn read(
    State(node): State<Arc<Node>>,
    AuthenticatedCaller(caller): AuthenticatedCaller,
    _: NoQuery,
    OfMember(path): OfMember,
) -> Result<Response, Failure> {
    let member = members::read(&node.records, &caller, &path).await?;
    Ok(versioned(&member.etag(), &member.view(node.clock.now())))
}

/// `PATCH /v1/members/{usr}` and `PATCH /v1/orgs/{org}/members/{usr}`.
pub(super) async fn change(
    State(node): State<Arc<Node>>,
    AuthenticatedCaller(caller): AuthenticatedCaller,
    OfMember(path): OfMember,
    parts: Parts,
    Json(patch): Json<MemberPatch>,
) -> Result<Response, Failure> {
    let terms = terms(&parts, &["dry_run"])?;
    let server = Arc::clone(&node);
    let done =
        carry_out(async move { members::change(&server.records, &caller, &path, patch, &terms).await })
            .await?;
    let now = node.clock.now();
    Ok(changed(&done, |member| json!(member.view(now))))
}

/// `DELETE /v1/members/{usr}` and `DELETE /v1/orgs/{org}/members/{usr}`.
pub(super) async fn remove(
    State(node): State<Arc<Node>>,
    WithDryRun(caller): WithDryRun,
    OfMember(path): OfMember,
) -> Result<Response, Failure> {
    let dry_run = caller.dry_run;
    carry_out(async move { members::remove(&node.records, &caller, &path).await }).await?;
    Ok(if dry_run { answer::dry_run() } else { StatusCode::NO_CONTENT.into_response() })
}

/// `POST /v1/members/{usr}/invitation` and `POST /v1/orgs/{org}/members/{usr}/invitation`.
pub(super) async fn renew(
    State(node): State<Arc<Node>>,
    WithDryRun(caller): WithDryRun,
    OfMember(path): OfMember,
) -> Result<Response, Failure> {
    let (server, dry_run) = (Arc::clone(&node), caller.dry_run);
    let invited = carry_out(async move { members::renew(&server.records, &caller, &path).await }).await?;
    if dry_run {
        return Ok(answer::dry_run());
    }
    Ok(versioned(&invited.etag(), &with_link(&node, &invited)))
}

/// `GET /v1/members/{usr}/keys` and `GET /v1/orgs/{org}/members/{usr}/keys`.
pub(super) async fn keys(
    State(node): State<Arc<Node>>,
    AuthenticatedCaller(caller): AuthenticatedCaller,
    OfMember(path): OfMember,
    parts: Parts,
) -> Result<Response, Failure> {
    let page = Query::read(&parts, &["limit", "cursor"])?.page()?;
    let (data, next_cursor) = members::held_keys(&node.records, &caller, &path, page).await?;
    Ok(ListAnswer { data, next_cursor }.into_response())
}

/// The member with the link, which is shown only this once.
fn with_link(node: &Node, invited: &Invited) -> Value {
    let mut view = json!(invited.member.view(node.clock.now()));
    view["invitation_url"] = invited.code.link(&node.deployment.issuer).into();
    view
}

fn collection(organization: Option<&OrganizationId>) -> String {
    organization
        .map_or_else(|| "/v1/members".to_owned(), |organization| format!("/v1/orgs/{organization}/members"))
}
