//! `/v1/orgs/{org}/configuration`.

use std::sync::Arc;

use axum::extract::State;
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use serde_json::json;

use super::body_permit::holding;
use super::credentials::AuthenticatedCaller;
use super::failure::Failure;
use super::issuers;
use super::json::Json;
use super::path::InOrganization;
use super::query::{NoQuery, Query};
use crate::domain::api_key::PlainKey;
use crate::node::Node;
use crate::use_cases::management::configuration::{self, Applied, ApplyTerms, Configuration};
use crate::use_cases::management::keys::CreatedKey;
use crate::use_cases::management::{ApiError, carry_out};

/// The size limit of a document in bytes. 8 MiB hold some 5,000 keys.
const MAX_DOCUMENT: usize = 8 * 1024 * 1024;

/// `GET /v1/orgs/{org}/configuration`.
pub(super) async fn export(
    State(node): State<Arc<Node>>,
    AuthenticatedCaller(caller): AuthenticatedCaller,
    _: NoQuery,
    InOrganization(organization): InOrganization,
) -> Result<Response, Failure> {
    // The permit lasts until the response is sent: a document is large, and a client may read slowly.
    let permit = node.records.exports.try_acquire(&caller.principal()).map_err(ApiError::from)?;
    let document = configuration::export(&node.records, &caller, &organization).await?;
    Ok(holding(axum::Json(document).into_response(), permit))
}

/// `PUT /v1/orgs/{org}/configuration`.
pub(super) async fn apply(
    State(node): State<Arc<Node>>,
    AuthenticatedCaller(caller): AuthenticatedCaller,
    InOrganization(organization): InOrganization,
    parts: Parts,
    Json(document): Json<Configuration, MAX_DOCUMENT>,
) -> Result<Response, Failure> {
    let query = Query::read(&parts, &["dry_run", "prune", "prune_all", "force"])?;
    let terms = ApplyTerms {
        dry_run: query.flag("dry_run")?,
        prune: query.flag("prune")?,
        prune_all: query.flag("prune_all")?,
        force: query.flag("force")?.into(),
    };
    let applied = carry_out(async move {
        let keys = (&node.minter, &*node.authenticator);
        let policy = issuers::policy(&node);
        configuration::apply(&node.records, keys, policy, &caller, &organization, &document, terms).await
    });
    Ok(answer(&applied.await?))
}

fn answer(applied: &Applied) -> Response {
    let keys: Vec<_> = applied
        .created
        .iter()
        .map(|CreatedKey { key, plain }| {
            json!({
                "id": key.id,
                "name": key.name,
                "project": key.project,
                "environment": key.environment,
                "key": plain.as_ref().map(PlainKey::expose),
            })
        })
        .collect();
    axum::Json(json!({ "dry_run": applied.dry_run, "changes": applied.changes, "keys": keys }))
        .into_response()
}
