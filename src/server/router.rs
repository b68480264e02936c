//! Combines the routes of the API and of the console into one service.

use std::sync::Arc;

use axum::Router;
use axum::middleware::from_fn_with_state;
use axum::routing::get;

use super::issuer_path::at_issuer;
use super::metrics::Metrics;
use super::switch::{Switch, SwitchHandle};
use super::waiting;
use crate::base::entropy::EntropyError;
use crate::console;
use crate::http::measure::Measure;
use crate::http::{self, Front, discovery};
use crate::node::{Deployment, Node};
use crate::use_cases::set_up::SetUp;

/// The complete service of a node. With `metrics`, these are about the node, and about all requests.
///
/// # Errors
/// [`EntropyError`] when the system has no randomness.
pub fn service(node: Arc<Node>, metrics: Option<&Arc<Metrics>>) -> Result<Front<Router>, EntropyError> {
    let Deployment { issuer, proofs, .. } = &node.deployment;
    Front::new(full_router(&node, None, metrics), issuer, proofs, &node.records.entropy)
}

/// A service for an empty store. The [`SwitchHandle`] installs the full router after the set-up.
///
/// # Errors
/// [`EntropyError`] when the system has no randomness.
pub fn until_set_up(
    set_up: &Arc<SetUp>,
    metrics: Option<&Arc<Metrics>>,
) -> Result<(Front<Switch>, SwitchHandle), EntropyError> {
    let (handle, context) = (SwitchHandle::default(), &set_up.context);
    let switch = Switch::new(measured(waiting::router(set_up), metrics), handle.clone());
    let Deployment { issuer, proofs, .. } = &context.deployment;
    Ok((Front::new(switch, issuer, proofs, &context.entropy)?, handle))
}

/// Replaces the set-up page: from now on, `node` answers all requests.
pub fn install_full_router(
    handle: &SwitchHandle,
    node: &Arc<Node>,
    set_up: &Arc<SetUp>,
    metrics: Option<&Arc<Metrics>>,
) {
    handle.replace_by(full_router(node, Some(set_up), metrics));
}

/// All routes. `set_up` is present if this process began with an empty store.
fn full_router(node: &Arc<Node>, set_up: Option<&Arc<SetUp>>, metrics: Option<&Arc<Metrics>>) -> Router {
    let endpoints = || match node.deployment.proofs.needs_nonce {
        true => http::endpoints().layer(from_fn_with_state(Arc::clone(node), http::with_nonce)),
        false => http::endpoints(),
    };
    let all = || endpoints().merge(console::router(node, set_up));
    let router = at_issuer(&node.deployment.issuer, all, get(discovery::metadata));
    if let Some(metrics) = metrics {
        metrics.attach(node);
    }
    measured(router, metrics).with_state(Arc::clone(node))
}

fn measured<S: Clone + Send + Sync + 'static>(
    router: Router<S>,
    metrics: Option<&Arc<Metrics>>,
) -> Router<S> {
    match metrics {
        Some(metrics) => router.layer(Measure(Arc::clone(metrics.http()))),
        None => router,
    }
}
