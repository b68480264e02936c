//! The routes of the API and of the console as one service, at the issuer's path too.

use std::sync::Arc;

use axum::Router;
use axum::response::Redirect;
use axum::routing::{MethodRouter, get};

use super::switch::{FullRouter, Switch};
use super::waiting;
use crate::base::entropy::EntropyError;
use crate::console;
use crate::http::failure::{api_method_not_allowed, not_found};
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

/// A server whose store has to be set up first: then the [`FullRouter`] takes over.
///
/// # Errors
/// When the system has no randomness.
pub fn until_set_up(set_up: &Arc<SetUp>) -> Result<(Front<Switch>, FullRouter), EntropyError> {
    let (full, context) = (FullRouter::default(), &set_up.context);
    let switch = Switch::new(waiting::router(set_up), full.clone());
    Ok((Front::new(switch, &context.deployment.issuer, &context.entropy)?, full))
}

/// All routes; `set_up` is the set-up that this process began with, if it did.
pub(super) fn full_router(node: &Arc<Node>, set_up: Option<&Arc<SetUp>>) -> Router {
    let all = || http::endpoints().merge(console::router(node, set_up));
    at_issuer(&node.deployment.issuer, all, get(discovery::metadata)).with_state(Arc::clone(node))
}

/// `all` the routes, where a server of this issuer is asked for them.
pub(super) fn at_issuer<S: Clone + Send + Sync + 'static>(
    issuer: &str,
    all: impl Fn() -> Router<S>,
    metadata: MethodRouter<S>,
) -> Router<S> {
    let path = discovery::path_of(issuer);
    let mut router = with_addresses_as_typed(all(), "", path);
    if !path.is_empty() {
        router = with_addresses_as_typed(router, path, path);
        // Both with a proxy that strips the issuer's path and with one that passes it on.
        router = router.nest(path, all());
        for well_known in [discovery::OAUTH_METADATA, discovery::OPENID_METADATA] {
            // RFC 8414 §3.1: inserted between the host and the issuer's path.
            router = router.route(&format!("{well_known}{path}"), metadata.clone());
        }
    }
    router.fallback(not_found).method_not_allowed_fallback(api_method_not_allowed)
}

/// What people type into a browser leads to the pages that they mean. The server may be asked `below` another path than
/// the one that it has `outside`.
fn with_addresses_as_typed<S: Clone + Send + Sync + 'static>(
    router: Router<S>,
    below: &str,
    outside: &str,
) -> Router<S> {
    let mut typed = vec![("/", "/console"), ("/console/", "/console"), ("/docs/", "/docs")];
    if !below.is_empty() {
        typed.push(("", "/console"));
    }
    typed.into_iter().fold(router, |router, (typed, meant)| {
        let meant = format!("{outside}{meant}");
        router.route(&format!("{below}{typed}"), get(async move || Redirect::to(&meant)))
    })
}
