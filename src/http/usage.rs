//! `/v1/orgs/{org}/usage` and `/v1/orgs/{org}/keys/{key}/usage`.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::request::Parts;

use super::credentials::AuthenticatedCaller;
use super::failure::Failure;
use super::path::{InOrganization, OfKey};
use super::query::Query;
use crate::node::Node;
use crate::use_cases::management::ApiError;
use crate::use_cases::management::usage::{self, PeriodRequest, Usage};

/// `GET /v1/orgs/{org}/keys/{key}/usage`.
pub(super) async fn of_key(
    State(node): State<Arc<Node>>,
    AuthenticatedCaller(caller): AuthenticatedCaller,
    OfKey(path): OfKey,
    parts: Parts,
) -> Result<Json<Usage>, Failure> {
    let query = Query::read(&parts, &["interval", "from", "to"])?;
    Ok(Json(usage::of_key(&node.records, &caller, &path, period(&query)?).await?))
}

/// `GET /v1/orgs/{org}/usage`.
pub(super) async fn of_organization(
    State(node): State<Arc<Node>>,
    AuthenticatedCaller(caller): AuthenticatedCaller,
    InOrganization(organization): InOrganization,
    parts: Parts,
) -> Result<Json<Usage>, Failure> {
    let query = Query::read(&parts, &["interval", "from", "to", "project"])?;
    let (project, period) = (query.parsed("project")?, period(&query)?);
    Ok(Json(usage::of_organization(&node.records, &caller, &organization, project.as_ref(), period).await?))
}

fn period(query: &Query) -> Result<PeriodRequest, ApiError> {
    Ok(PeriodRequest {
        interval: query.parsed("interval")?.unwrap_or_default(),
        from: query.moment("from")?,
        to: query.moment("to")?,
    })
}
