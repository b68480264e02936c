//! `/v1/orgs/{org}/portal-sessions`.

use std::sync::Arc;

use axum::Json as JsonAnswer;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::json;

use super::answer;
use super::credentials::WithDryRun;
use super::failure::Failure;
use super::json::{IdempotentJson, Json};
use super::path::InOrganization;
use crate::node::Node;
use crate::use_cases::management::portal_sessions::{self, NewPortalSession, PortalPolicy, PortalSessionsOf};
use crate::use_cases::management::{Idempotent, carry_out};

/// `POST /v1/orgs/{org}/portal-sessions`.
pub(super) async fn create(
    State(node): State<Arc<Node>>,
    WithDryRun(caller): WithDryRun,
    InOrganization(organization): InOrganization,
    IdempotentJson(request, idempotent): IdempotentJson<NewPortalSession>,
) -> Result<Response, Failure> {
    let dry_run = caller.dry_run;
    let made = carry_out(async move {
        let (records, policy) = (&node.records, policy(&node));
        portal_sessions::create(
            records,
            &node.authenticator,
            policy,
            &caller,
            organization,
            request,
            idempotent,
        )
        .await
    });
    let made = made.await?;
    if dry_run {
        return Ok(answer::dry_run());
    }
    Ok(match made {
        Idempotent::New(made) => (StatusCode::CREATED, JsonAnswer(made)).into_response(),
        Idempotent::Replayed(answer) => (StatusCode::CREATED, JsonAnswer(answer)).into_response(),
    })
}

/// `POST /v1/orgs/{org}/portal-sessions/end`.
pub(super) async fn end(
    State(node): State<Arc<Node>>,
    WithDryRun(caller): WithDryRun,
    InOrganization(organization): InOrganization,
    Json(request): Json<PortalSessionsOf>,
) -> Result<Response, Failure> {
    let dry_run = caller.dry_run;
    let count =
        carry_out(
            async move { portal_sessions::end_all(&node.records, &caller, &organization, &request).await },
        );
    Ok(JsonAnswer(json!({ "dry_run": dry_run, "count": count.await? })).into_response())
}

/// What this deployment says about the portal.
fn policy(node: &Node) -> PortalPolicy<'_> {
    PortalPolicy { issuer: &node.deployment.issuer, origins: &node.deployment.portal.frame_origins }
}
