//! `/v1/master-key`.

use std::sync::Arc;

use axum::Json as Answer;
use axum::extract::State;
use axum::response::{IntoResponse, Response};

use super::answer;
use super::credentials::{AuthenticatedCaller, WithDryRun};
use super::failure::Failure;
use super::json::Json;
use super::path::OfMasterKey;
use super::query::NoQuery;
use crate::node::Node;
use crate::use_cases::management::master_key::{self, MasterKeyParts, RotateRequest};

/// `GET /v1/master-key`.
pub(super) async fn read(
    State(node): State<Arc<Node>>,
    AuthenticatedCaller(caller): AuthenticatedCaller,
    _: NoQuery,
) -> Result<Response, Failure> {
    Ok(Answer(master_key::read(&parts(&node), &caller).await?).into_response())
}

/// `POST /v1/master-key/rotate`.
pub(super) async fn rotate(
    State(node): State<Arc<Node>>,
    WithDryRun(caller): WithDryRun,
    Json(request): Json<Option<RotateRequest>>,
) -> Result<Response, Failure> {
    let view = master_key::rotate(parts(&node), &caller, request.unwrap_or_default()).await?;
    Ok(if caller.dry_run { answer::dry_run() } else { Answer(view).into_response() })
}

/// `DELETE /v1/master-key/{number}/tags`.
pub(super) async fn end_tags(
    State(node): State<Arc<Node>>,
    WithDryRun(caller): WithDryRun,
    OfMasterKey(number): OfMasterKey,
) -> Result<Response, Failure> {
    let view = master_key::end_tags(parts(&node), &caller, number).await?;
    Ok(if caller.dry_run { answer::dry_run() } else { Answer(view).into_response() })
}

fn parts(node: &Node) -> MasterKeyParts {
    MasterKeyParts {
        node: node.id.clone(),
        records: Arc::clone(&node.records),
        signer: Arc::clone(&node.signer),
        master_keys: Arc::clone(&node.master_keys),
    }
}
