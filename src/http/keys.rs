//! `/v1/orgs/{org}/keys` and `/v1/self`.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::json;

use super::answer::{self, changed, versioned};
use super::credentials::{AuthenticatedCaller, WithDryRun};
use super::failure::Failure;
use super::json::{IdempotentJson, Json};
use super::list_answer::ListAnswer;
use super::path::{InOrganization, OfKey, OfPublicKey, OfSecret};
use super::query::{NoQuery, Query, terms};
use crate::domain::api_key::{KeyClue, PlainKey};
use crate::domain::key::ApiKey;
use crate::domain::names::OrganizationId;
use crate::domain::scope::Verb;
use crate::node::Node;
use crate::use_cases::access::Caller;
use crate::use_cases::management::keys::{
    self, BulkDisabling, BulkRevocation, CreatedKey, KeyPatch, NewKeyRequest, NewPublicKey, Rescoping,
    Retirement, Rotation, Suspension,
};
use crate::use_cases::management::{ApiError, Idempotent, InvalidRequest, Terms, Versioned as _, carry_out};

/// `GET /v1/self`: the caller, as this server sees it.
pub(super) async fn own(AuthenticatedCaller(caller): AuthenticatedCaller, _: NoQuery) -> Response {
    let Some(key) = caller.own_key() else { return Failure::from(ApiError::NotFound).into_response() };
    axum::Json(json!({
        "id": key.id.to_string(),
        "organization": key.organization,
        "project": key.project,
        "environment": key.environment.as_str(),
        "scopes": caller.scopes,
        "cidrs": key.cidrs,
        "expires_at": key.expires_at,
        "address": caller.address.known().map(|address| address.to_string()),
    }))
    .into_response()
}

/// `GET /v1/keys`.
pub(super) async fn search(
    State(node): State<Arc<Node>>,
    AuthenticatedCaller(caller): AuthenticatedCaller,
    parts: Parts,
) -> Result<Response, Failure> {
    let query = Query::read(&parts, &["prefix", "limit", "cursor"])?;
    let clue = query.parsed::<KeyClue>("prefix")?;
    let clue = clue.ok_or(ApiError::from(InvalidRequest::NoPrefix))?;
    let (keys, next_cursor) = keys::search(&node.records, &caller, &clue, query.page()?).await?;
    let now = node.clock.now();
    let data = keys.iter().map(|key| key.view(now)).collect();
    Ok(ListAnswer { data, next_cursor }.into_response())
}

/// `POST /v1/orgs/{org}/keys`. Besides a rotation's, this is the only response that shows a key.
pub(super) async fn create(
    State(node): State<Arc<Node>>,
    WithDryRun(caller): WithDryRun,
    InOrganization(organization): InOrganization,
    IdempotentJson(request, idempotent): IdempotentJson<NewKeyRequest>,
) -> Result<Response, Failure> {
    let (server, collection, dry_run) = (Arc::clone(&node), keys_of(&organization), caller.dry_run);
    let made = carry_out(async move {
        let makers = (&server.minter, &*server.authenticator);
        keys::create(&server.records, makers, &caller, organization, request, idempotent).await
    })
    .await?;
    Ok(if dry_run { answer::dry_run() } else { whole(&node, &collection, &made) })
}

/// `GET /v1/orgs/{org}/keys/{key}`.
pub(super) async fn read(
    State(node): State<Arc<Node>>,
    AuthenticatedCaller(caller): AuthenticatedCaller,
    _: NoQuery,
    OfKey(path): OfKey,
) -> Result<Response, Failure> {
    let key = keys::find(&node.records, &caller, &path, Verb::Read).await?;
    Ok(shown(&node, &key))
}

/// `PATCH /v1/orgs/{org}/keys/{key}`.
pub(super) async fn change(
    State(node): State<Arc<Node>>,
    AuthenticatedCaller(caller): AuthenticatedCaller,
    OfKey(path): OfKey,
    parts: Parts,
    Json(patch): Json<KeyPatch>,
) -> Result<Response, Failure> {
    let terms = terms(&parts, &["dry_run", "force"])?;
    let now = node.clock.now();
    let done =
        carry_out(async move { keys::change(&node.records, &caller, &path, patch, &terms).await }).await?;
    Ok(changed(&done, |key| key.json(now)))
}

/// `POST /v1/orgs/{org}/keys/{key}/rotate`.
pub(super) async fn rotate(
    State(node): State<Arc<Node>>,
    WithDryRun(caller): WithDryRun,
    OfKey(path): OfKey,
    IdempotentJson(rotation, idempotent): IdempotentJson<Rotation>,
) -> Result<Response, Failure> {
    let (server, collection, dry_run) = (Arc::clone(&node), keys_of(&path.organization), caller.dry_run);
    let made = carry_out(async move {
        keys::rotate(&server.records, &server.minter, &caller, &path, &rotation, idempotent).await
    })
    .await?;
    Ok(if dry_run { answer::dry_run() } else { whole(&node, &collection, &made) })
}

/// `DELETE /v1/orgs/{org}/keys/{key}/secrets/{secret}`. The response has a body only if the retirement extends another
/// secret's life.
pub(super) async fn retire(
    State(node): State<Arc<Node>>,
    WithDryRun(caller): WithDryRun,
    OfSecret(path, secret): OfSecret,
) -> Result<Response, Failure> {
    let (server, dry_run) = (Arc::clone(&node), caller.dry_run);
    let retired =
        carry_out(async move { keys::retire(&server.records, &caller, &path, secret).await }).await?;
    Ok(match retired {
        _ if dry_run => answer::dry_run(),
        Retirement { kept: None, .. } => StatusCode::NO_CONTENT.into_response(),
        Retirement { kept: Some(_), key } => shown(&node, &key),
    })
}

/// `POST /v1/orgs/{org}/keys/{key}/public-keys`.
pub(super) async fn register(
    State(node): State<Arc<Node>>,
    WithDryRun(caller): WithDryRun,
    OfKey(path): OfKey,
    Json(public_key): Json<NewPublicKey>,
) -> Result<Response, Failure> {
    let dry_run = caller.dry_run;
    let registered = carry_out(async move {
        keys::register(&node.records, &node.authenticator, &caller, &path, public_key).await
    })
    .await?;
    if dry_run {
        return Ok(answer::dry_run());
    }
    Ok((StatusCode::CREATED, axum::Json(registered.view())).into_response())
}

/// `DELETE /v1/orgs/{org}/keys/{key}/public-keys/{public_key}`.
pub(super) async fn remove_public_key(
    State(node): State<Arc<Node>>,
    AuthenticatedCaller(caller): AuthenticatedCaller,
    OfPublicKey(path, public_key): OfPublicKey,
    parts: Parts,
) -> Result<Response, Failure> {
    let Terms { dry_run, force, .. } = terms(&parts, &["dry_run", "force"])?;
    let caller = Caller { dry_run, ..caller };
    carry_out(async move { keys::remove_public_key(&node.records, &caller, &path, public_key, force).await })
        .await?;
    Ok(if dry_run { answer::dry_run() } else { StatusCode::NO_CONTENT.into_response() })
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
    AuthenticatedCaller(caller): AuthenticatedCaller,
    OfKey(path): OfKey,
    parts: Parts,
    Json(body): Json<Option<Revocation>>,
) -> Result<Response, Failure> {
    let Terms { dry_run, force, .. } = terms(&parts, &["dry_run", "force"])?;
    let (server, caller) = (Arc::clone(&node), Caller { dry_run, ..caller });
    let reason = body.unwrap_or_default().reason;
    let key =
        carry_out(async move { keys::revoke(&server.records, &caller, &path, reason, force).await }).await?;
    Ok(if dry_run { answer::dry_run() } else { shown(&node, &key) })
}

/// `DELETE /v1/orgs/{org}/keys/{key}`.
pub(super) async fn delete(
    State(node): State<Arc<Node>>,
    AuthenticatedCaller(caller): AuthenticatedCaller,
    OfKey(path): OfKey,
    parts: Parts,
) -> Result<Response, Failure> {
    let Terms { dry_run, force, .. } = terms(&parts, &["dry_run", "force"])?;
    let caller = Caller { dry_run, ..caller };
    carry_out(async move { keys::delete(&node.records, &caller, &path, force).await }).await?;
    Ok(if dry_run { answer::dry_run() } else { StatusCode::NO_CONTENT.into_response() })
}

/// `POST /v1/orgs/{org}/keys/revoke`.
pub(super) async fn revoke_all(
    State(node): State<Arc<Node>>,
    AuthenticatedCaller(caller): AuthenticatedCaller,
    InOrganization(organization): InOrganization,
    parts: Parts,
    Json(request): Json<BulkRevocation>,
) -> Result<Response, Failure> {
    let terms = terms(&parts, &["dry_run", "force"])?;
    let done =
        carry_out(
            async move { keys::revoke_all(&node.records, &caller, organization, request, &terms).await },
        );
    Ok(axum::Json(done.await?).into_response())
}

/// `POST /v1/orgs/{org}/keys/disable`.
pub(super) async fn disable_all(
    node: State<Arc<Node>>,
    caller: AuthenticatedCaller,
    organization: InOrganization,
    parts: Parts,
    body: Json<BulkDisabling>,
) -> Result<Response, Failure> {
    suspend(node, caller, organization, &parts, body, Suspension::Disable).await
}

/// `POST /v1/orgs/{org}/keys/enable`.
pub(super) async fn enable_all(
    node: State<Arc<Node>>,
    caller: AuthenticatedCaller,
    organization: InOrganization,
    parts: Parts,
    body: Json<BulkDisabling>,
) -> Result<Response, Failure> {
    suspend(node, caller, organization, &parts, body, Suspension::Enable).await
}

async fn suspend(
    State(node): State<Arc<Node>>,
    AuthenticatedCaller(caller): AuthenticatedCaller,
    InOrganization(organization): InOrganization,
    parts: &Parts,
    Json(request): Json<BulkDisabling>,
    suspension: Suspension,
) -> Result<Response, Failure> {
    let terms = terms(parts, &["dry_run", "force"])?;
    let done = carry_out(async move {
        keys::suspend_all(&node.records, &caller, organization, request, suspension, &terms).await
    });
    Ok(axum::Json(done.await?).into_response())
}

/// `POST /v1/orgs/{org}/keys/rescope`.
pub(super) async fn rescope_all(
    State(node): State<Arc<Node>>,
    AuthenticatedCaller(caller): AuthenticatedCaller,
    InOrganization(organization): InOrganization,
    parts: Parts,
    Json(request): Json<Rescoping>,
) -> Result<Response, Failure> {
    let terms = terms(&parts, &["dry_run", "force"])?;
    let done =
        carry_out(
            async move { keys::rescope_all(&node.records, &caller, organization, request, &terms).await },
        );
    Ok(axum::Json(done.await?).into_response())
}

fn keys_of(organization: &OrganizationId) -> String {
    format!("/v1/orgs/{organization}/keys")
}

fn shown(node: &Node, key: &ApiKey) -> Response {
    versioned(&key.etag(), &key.view(node.clock.now()))
}

/// A key with its new secret, which no later response shows.
fn whole<'m>(node: &Node, collection: &str, made: &'m Idempotent<CreatedKey>) -> Response {
    let now = node.clock.now();
    let shown = |CreatedKey { key, plain }: &'m CreatedKey| {
        (key.id.to_string(), key.view_with(now, plain.as_ref().map(PlainKey::expose)))
    };
    answer::made(node, collection, made, shown)
}
