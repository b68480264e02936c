//! Liveness and readiness.
//!
//! Both answers come from memory. Probes are unauthenticated and unlimited, so a probe never does the work that it
//! reports on.

use std::sync::Arc;

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde_json::json;

use super::failure::Failure;
use crate::node::Node;
use crate::use_cases::management::ApiError;

/// One condition that a node depends on. Reasons reveal nothing about the network or the store.
#[derive(Serialize)]
struct Check {
    name: &'static str,
    #[serde(flatten)]
    state: CheckState,
}

#[derive(Serialize)]
#[serde(tag = "status", rename_all = "lowercase")]
enum CheckState {
    Ok,
    /// An operator should look. The node still takes requests.
    Warning {
        reason: String,
    },
    /// The node should get no requests.
    Failing {
        reason: String,
    },
}

impl CheckState {
    fn failing(reason: Option<String>) -> Self {
        reason.map_or(Self::Ok, |reason| Self::Failing { reason })
    }
}

/// `GET /healthz`: the process answers.
pub(crate) async fn alive() -> Response {
    axum::Json(json!({ "status": "ok" })).into_response()
}

/// `GET /readyz`: the node has an active signing key and has confirmed the store recently.
pub(crate) async fn ready(State(node): State<Arc<Node>>) -> Result<Response, Failure> {
    let checks = [
        Check { name: "signing_key", state: signing_key(&node) },
        Check { name: "store", state: store(&node) },
        Check { name: "writes", state: writes(&node) },
        Check { name: "settings", state: settings(&node) },
    ];
    let failing = checks.iter().filter_map(|check| match &check.state {
        CheckState::Failing { reason } => Some(reason.as_str()),
        CheckState::Ok | CheckState::Warning { .. } => None,
    });
    let failing: Vec<_> = failing.collect();
    if !failing.is_empty() {
        return Err(ApiError::NotReady(failing.join("; ")).into());
    }
    Ok(axum::Json(json!({ "status": "ready", "checks": checks })).into_response())
}

fn signing_key(node: &Node) -> CheckState {
    let signs = node.signer.keyring.ring().signing(node.clock.now()).is_some();
    CheckState::failing((!signs).then(|| "no signing key is active".into()))
}

/// Nodes of one deployment should have the same settings. They differ while a change is rolled out.
fn settings(node: &Node) -> CheckState {
    match node.differences.names() {
        names if names.is_empty() => CheckState::Ok,
        names => CheckState::Warning {
            reason: format!("another node was started with another setting: {}", names.join(", ")),
        },
    }
}

/// The follower polls the store every second, and logs its failures.
fn store(node: &Node) -> CheckState {
    let is_confirmed = node.freshness.holds() && node.freshness.trouble().is_none();
    let age = node.freshness.age().as_secs();
    CheckState::failing((!is_confirmed).then(|| format!("the store was last confirmed {age} s ago")))
}

/// A node without writes still issues tokens, but can't revoke a key.
fn writes(node: &Node) -> CheckState {
    let Some(failing) = node.records.store.writes().failing() else { return CheckState::Ok };
    let reason = format!("the store takes no writes: {}", failing.reason);
    if failing.is_lasting() { CheckState::Failing { reason } } else { CheckState::Warning { reason } }
}
