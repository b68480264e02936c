//! `/v1/signing-keys`.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};

use super::answer;
use super::credentials::{AuthenticatedCaller, WithDryRun};
use super::failure::Failure;
use super::json::Json;
use super::list_answer::ListAnswer;
use super::query::NoQuery;
use crate::node::Node;
use crate::use_cases::management::signing_keys::{self, RotateRequest, SigningKeyView};

/// `GET /v1/signing-keys`.
pub(super) async fn list(
    State(node): State<Arc<Node>>,
    AuthenticatedCaller(caller): AuthenticatedCaller,
    _: NoQuery,
) -> Result<Response, Failure> {
    Ok(page(signing_keys::list(&node.signer, &caller, node.clock.now())?).into_response())
}

/// `POST /v1/signing-keys/rotate`.
pub(super) async fn rotate(
    State(node): State<Arc<Node>>,
    WithDryRun(caller): WithDryRun,
    Json(request): Json<Option<RotateRequest>>,
) -> Result<Response, Failure> {
    let keys =
        signing_keys::rotate(&node.records, &node.signer, &caller, request.unwrap_or_default()).await?;
    Ok(if caller.dry_run { answer::dry_run() } else { (StatusCode::CREATED, page(keys)).into_response() })
}

/// One page is enough, since there are never more than a few signing keys.
fn page(keys: Vec<SigningKeyView>) -> ListAnswer<SigningKeyView> {
    ListAnswer { data: keys, next_cursor: None }
}
