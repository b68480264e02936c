//! `/v1/orgs/{org}/keys` and `/v1/self`.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::credentials::Guarded;
use super::failure::Failure;
use super::page::Page;
use super::query::{InOrganization, Json, NoQuery, OfKey, Query};
use crate::key::KeyView;
use crate::management::ApiError;
use crate::management::keys::{self, KeyListRequest, NewKeyRequest};
use crate::node::Node;
use crate::scope::Verb;
use crate::store::StatusFilter;

const DEFAULT_LIMIT: u16 = 50;
const MAX_LIMIT: u16 = 200;

/// `GET /v1/self`: the caller, as this server sees it.
pub(super) async fn own(Guarded { caller, .. }: Guarded, _: NoQuery) -> Response {
    let key = &caller.key.key;
    axum::Json(json!({
        "id": key.id.to_string(),
        "organization": key.organization,
        "project": key.project,
        "environment": key.environment.as_str(),
        "scopes": caller.scopes,
        "cidrs": key.cidrs,
        "expires_at": key.expires_at.map(crate::clock::Timestamp::rfc3339),
        "address": caller.address.known().map(|address| address.to_string()),
    }))
    .into_response()
}

/// `GET /v1/orgs/{org}/keys`.
pub(super) async fn list(
    State(node): State<Arc<Node>>,
    Guarded { caller, .. }: Guarded,
    InOrganization(organization): InOrganization,
    parts: Parts,
) -> Result<Response, Failure> {
    let query = Query::read(&parts, &["project", "environment", "status", "q", "limit", "cursor"])?;
    let request = KeyListRequest {
        organization,
        project: query.parsed("project")?,
        environment: query.parsed("environment")?,
        status: status(query.text("status"))?,
        search: query.text("q").filter(|search| !search.is_empty()).map(str::to_owned),
        limit: limit(&query)?,
        cursor: query.text("cursor").map(str::to_owned),
    };
    let (keys, next_cursor) = keys::list(&node, &caller, request).await?;
    let now = node.clock.now();
    let data = keys.iter().map(|key| key.view(now)).collect();
    Ok(Page { data, next_cursor }.into_response())
}

/// `POST /v1/orgs/{org}/keys`: the only answer that ever shows the key.
pub(super) async fn create(
    State(node): State<Arc<Node>>,
    Guarded { caller, request_id }: Guarded,
    _: NoQuery,
    InOrganization(organization): InOrganization,
    Json(request): Json<NewKeyRequest>,
) -> Result<Response, Failure> {
    let created = keys::create(&node, &caller, organization, request, request_id).await?;
    let body = CreatedView { view: created.key.view(node.clock.now()), key: created.plain.expose() };
    Ok((StatusCode::CREATED, axum::Json(body)).into_response())
}

/// A key, and the one time that it is shown whole.
#[derive(Serialize)]
struct CreatedView<'a> {
    #[serde(flatten)]
    view: KeyView<'a>,
    key: &'a str,
}

/// `GET /v1/orgs/{org}/keys/{key}`.
pub(super) async fn read(
    State(node): State<Arc<Node>>,
    Guarded { caller, .. }: Guarded,
    _: NoQuery,
    OfKey(path): OfKey,
) -> Result<Response, Failure> {
    let key = keys::find(&node, &caller, &path, Verb::Read).await?;
    Ok(view(&node, &key))
}

/// The body of a revocation.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Revocation {
    reason: Option<String>,
}

/// `POST /v1/orgs/{org}/keys/{key}/revoke`.
pub(super) async fn revoke(
    State(node): State<Arc<Node>>,
    Guarded { caller, request_id }: Guarded,
    _: NoQuery,
    OfKey(path): OfKey,
    Json(body): Json<Option<Revocation>>,
) -> Result<Response, Failure> {
    let reason = body.unwrap_or_default().reason;
    let key = keys::revoke(&node, &caller, path, reason, request_id).await?;
    Ok(view(&node, &key))
}

fn view(node: &Node, key: &crate::key::ApiKey) -> Response {
    axum::Json(key.view(node.clock.now())).into_response()
}

fn status(text: Option<&str>) -> Result<StatusFilter, ApiError> {
    match text {
        None | Some("active") => Ok(StatusFilter::Active),
        Some("expired") => Ok(StatusFilter::Expired),
        Some("revoked") => Ok(StatusFilter::Revoked),
        Some("all") => Ok(StatusFilter::All),
        Some(_) => Err(ApiError::InvalidRequest("status is active, expired, revoked or all".into())),
    }
}

fn limit(query: &Query) -> Result<u16, ApiError> {
    match query.text("limit").map(str::parse) {
        None => Ok(DEFAULT_LIMIT),
        Some(Ok(limit @ 1..=MAX_LIMIT)) => Ok(limit),
        Some(_) => Err(ApiError::InvalidRequest(format!("limit is 1 to {MAX_LIMIT}"))),
    }
}
