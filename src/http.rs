//! The HTTP face: every route on this page, handlers of a few lines, one place that turns errors into
//! responses ([`failure`]).

mod body;
mod client_auth;
mod credentials;
mod discovery;
mod failure;
mod form;
mod front;
mod health;
mod keys;
mod oauth;
mod page;
mod query;
mod request_id;
mod signing_keys;

use std::sync::Arc;

use axum::Router;
use axum::routing::{get, post};

use self::failure::{api_method_not_allowed, not_found, oauth_method_not_allowed};
use crate::entropy::EntropyError;
use crate::node::Node;

pub use front::Front;

/// The whole server as one service.
///
/// # Errors
/// When the system has no randomness.
pub fn service(node: Arc<Node>) -> Result<Front<Router>, EntropyError> {
    let issuer_path = discovery::path_of(&node.deployment.issuer).to_owned();
    let mut router = endpoints();
    if !issuer_path.is_empty() {
        // Both with a proxy that strips the issuer's path and with one that passes it on.
        router = router.nest(&issuer_path, endpoints());
        for well_known in [discovery::OAUTH_METADATA, discovery::OPENID_METADATA] {
            // RFC 8414 §3.1: inserted between the host and the issuer's path.
            router = router.route(&format!("{well_known}{issuer_path}"), get(discovery::metadata));
        }
    }
    let router = router.fallback(not_found).method_not_allowed_fallback(api_method_not_allowed);
    Front::new(router.with_state(Arc::clone(&node)), &node)
}

fn endpoints() -> Router<Arc<Node>> {
    Router::new()
        .route("/oauth/token", post(oauth::token).fallback(oauth_method_not_allowed))
        .route("/oauth/introspect", post(oauth::introspect).fallback(oauth_method_not_allowed))
        .route("/oauth/revoke", post(oauth::revoke).fallback(oauth_method_not_allowed))
        .route("/.well-known/jwks.json", get(discovery::jwks))
        .route(discovery::OAUTH_METADATA, get(discovery::metadata))
        .route(discovery::OPENID_METADATA, get(discovery::metadata))
        .route("/v1/self", get(keys::own))
        .route("/v1/orgs/{org}/keys", get(keys::list).post(keys::create))
        .route("/v1/orgs/{org}/keys/{key}", get(keys::read))
        .route("/v1/orgs/{org}/keys/{key}/revoke", post(keys::revoke))
        .route("/v1/signing-keys", get(signing_keys::list))
        .route("/v1/signing-keys/rotate", post(signing_keys::rotate))
        .route("/healthz", get(health::alive))
        .route("/readyz", get(health::ready))
}
