//! The routes of the API and of the console as one service, at the issuer's path too.

use std::sync::Arc;

use axum::Router;
use axum::routing::get;

use super::issuer_path::at_issuer;
use super::switch::{Switch, SwitchHandle};
use super::waiting;
use crate::base::entropy::EntropyError;
use crate::console;
use crate::http::{self, Front, discovery};
use crate::node::Node;
use crate::use_cases::set_up::SetUp;

/// The whole server as one service.
///
/// # Errors
/// When the system has no randomness.
pub fn service(node: Arc<Node>) -> Result<Front<Router>, EntropyError> {
    Front::new(full_router(&node, None), &node.deployment.issuer, &node.records.entropy)
}

/// A server whose store has to be set up first: then the [`SwitchHandle`] installs the full router.
///
/// # Errors
/// When the system has no randomness.
pub fn until_set_up(set_up: &Arc<SetUp>) -> Result<(Front<Switch>, SwitchHandle), EntropyError> {
    let (handle, context) = (SwitchHandle::default(), &set_up.context);
    let switch = Switch::new(waiting::router(set_up), handle.clone());
    Ok((Front::new(switch, &context.deployment.issuer, &context.entropy)?, handle))
}

/// Has this node answer all requests from now on, in the place of the page that set it up.
pub fn install_full_router(handle: &SwitchHandle, node: &Arc<Node>, set_up: &Arc<SetUp>) {
    handle.replace_by(full_router(node, Some(set_up)));
}

/// All routes; `set_up` is the set-up that this process began with, if it did.
fn full_router(node: &Arc<Node>, set_up: Option<&Arc<SetUp>>) -> Router {
    let all = || http::endpoints().merge(console::router(node, set_up));
    at_issuer(&node.deployment.issuer, all, get(discovery::metadata)).with_state(Arc::clone(node))
}
