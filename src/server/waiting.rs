//! The router for an empty store: the set-up page, and 503 for every other route.

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::Router;
use axum::routing::{any, get};

use super::issuer_path::at_issuer;
use crate::console;
use crate::http::failure::Failure;
use crate::http::{ROUTES, docs, health};
use crate::use_cases::management::ApiError;
use crate::use_cases::set_up::SetUp;
use crate::use_cases::token::OAuthError;

const CAUSE: &str = "the store has not been set up";

/// The endpoints that answer with OAuth errors.
const OAUTH: [&str; 3] = ["/oauth/token", "/oauth/introspect", "/oauth/revoke"];

/// The router while the store is empty.
pub(super) fn router(set_up: &Arc<SetUp>) -> Router {
    let all = || endpoints().merge(console::set_up_router(set_up));
    let router = at_issuer(&set_up.context.deployment.issuer, all, any(not_yet));
    router.with_state(Arc::clone(set_up))
}

fn endpoints() -> Router<Arc<SetUp>> {
    let here = Router::new()
        .route("/healthz", get(health::alive))
        .route("/openapi.yaml", get(docs::description))
        .route("/llms.txt", get(docs::index))
        .route("/docs", get(docs::page))
        .route("/docs/{file}", get(docs::part))
        .route("/docs/operating/{page}", get(docs::operating));
    let is_here =
        |path: &str| matches!(path, "/healthz" | "/openapi.yaml" | "/llms.txt") || path.starts_with("/docs");
    let others = ROUTES.iter().map(|route| route.path).filter(|path| !is_here(path));
    others.collect::<BTreeSet<_>>().into_iter().fold(here, |router, path| {
        router.route(path, if OAUTH.contains(&path) { any(not_yet_oauth) } else { any(not_yet) })
    })
}

async fn not_yet() -> Failure {
    ApiError::Unavailable(CAUSE.into()).into()
}

async fn not_yet_oauth() -> Failure {
    OAuthError::Unavailable { cause: CAUSE.into() }.into()
}
