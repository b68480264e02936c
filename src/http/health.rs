//! Is it alive, and should it get requests?

use std::sync::Arc;

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use serde_json::json;

use super::failure::Failure;
use crate::management::ApiError;
use crate::node::Node;

/// `GET /healthz`: the process answers.
pub(super) async fn alive() -> Response {
    axum::Json(json!({ "status": "ok" })).into_response()
}

/// `GET /readyz`: the store answers now, and there is a key to sign with.
pub(super) async fn ready(State(node): State<Arc<Node>>) -> Result<Response, Failure> {
    let now = node.clock.now();
    if node.keyring.ring().signing(now).is_none() {
        return Err(ApiError::Unavailable("no signing key is active".into()).into());
    }
    node.catch_up().await.map_err(|error| ApiError::Unavailable(error.to_string()))?;
    Ok(axum::Json(json!({ "status": "ready" })).into_response())
}
