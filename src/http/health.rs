//! Is it alive, and should it get requests?
//!
//! Both answers come from memory. Anybody may ask, as often as they like, so a probe never does the work that it
//! asks about.

use std::sync::Arc;

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde_json::json;

use super::failure::Failure;
use crate::node::Node;
use crate::use_cases::management::ApiError;

/// One thing that a node needs. Reasons give away nothing about the network or the store.
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
    /// Somebody should look. The node takes requests all the same.
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

/// `GET /readyz`: the store could be followed the last time, and there is a key to sign with.
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

/// Nodes of one deployment are told the same. While a change is rolled out, they are not yet.
fn settings(node: &Node) -> CheckState {
    match node.differences.names() {
        names if names.is_empty() => CheckState::Ok,
        names => CheckState::Warning {
            reason: format!("another node was started with another setting: {}", names.join(", ")),
        },
    }
}

/// The follower asks every second. It has logged what went wrong.
fn store(node: &Node) -> CheckState {
    let is_confirmed = node.freshness.holds() && node.freshness.trouble().is_none();
    let age = node.freshness.age().as_secs();
    CheckState::failing((!is_confirmed).then(|| format!("the store was last confirmed {age} s ago")))
}

/// A node that can only read still issues tokens, but takes no key back.
fn writes(node: &Node) -> CheckState {
    let Some(failing) = node.records.store.writes().failing() else { return CheckState::Ok };
    let reason = format!("the store takes no writes: {}", failing.reason);
    if failing.is_lasting() { CheckState::Failing { reason } } else { CheckState::Warning { reason } }
}
