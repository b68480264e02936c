//! `/v1/orgs/{org}/keys/{key}/trust-rules`.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};

use super::answer;
use super::credentials::{AuthenticatedCaller, WithDryRun};
use super::failure::Failure;
use super::json::Json;
use super::path::{OfKey, OfTrustRule};
use super::query::terms;
use crate::domain::trust_rule::TrustRule;
use crate::node::Node;
use crate::use_cases::access::Caller;
use crate::use_cases::management::{Terms, carry_out, keys};

/// `POST /v1/orgs/{org}/keys/{key}/trust-rules`.
pub(super) async fn add(
    State(node): State<Arc<Node>>,
    WithDryRun(caller): WithDryRun,
    OfKey(path): OfKey,
    Json(rule): Json<TrustRule>,
) -> Result<Response, Failure> {
    let dry_run = caller.dry_run;
    let added = carry_out(async move { keys::add_rule(&node.records, &caller, &path, rule).await }).await?;
    if dry_run {
        return Ok(answer::dry_run());
    }
    Ok((StatusCode::CREATED, axum::Json(added.view())).into_response())
}

/// `DELETE /v1/orgs/{org}/keys/{key}/trust-rules/{trust_rule}`.
pub(super) async fn remove(
    State(node): State<Arc<Node>>,
    AuthenticatedCaller(caller): AuthenticatedCaller,
    OfTrustRule(path, rule): OfTrustRule,
    parts: Parts,
) -> Result<Response, Failure> {
    let Terms { dry_run, force, .. } = terms(&parts, &["dry_run", "force"])?;
    let caller = Caller { dry_run, ..caller };
    carry_out(async move { keys::remove_rule(&node.records, &caller, &path, rule, force).await }).await?;
    Ok(if dry_run { answer::dry_run() } else { StatusCode::NO_CONTENT.into_response() })
}
