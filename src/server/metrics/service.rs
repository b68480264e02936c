//! The routes of the listener for metrics.

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderValue, header};
use axum::middleware::from_fn;
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;

use super::Metrics;
use crate::base::entropy::{Entropy, EntropyError};
use crate::http::failure::{Failure, api_method_not_allowed, not_found};
use crate::http::{Front, background, health};
use crate::node::ProofRules;
use crate::use_cases::management::ApiError;

const OPENMETRICS: HeaderValue =
    HeaderValue::from_static("application/openmetrics-text; version=1.0.0; charset=utf-8");

/// The service of the listener for metrics: scrapes and health checks, and nothing else.
///
/// # Errors
/// [`EntropyError`] when the system has no randomness.
pub fn metrics_service(
    metrics: &Arc<Metrics>,
    issuer: &str,
    entropy: &Entropy,
) -> Result<Front<Router>, EntropyError> {
    // A scrape takes a while. Health checks answer at once, whatever the background threads do.
    let scrape = get(scrape).layer(from_fn(background::in_background));
    let router = Router::new()
        .route("/metrics", scrape)
        .route("/healthz", get(health::alive))
        .route("/readyz", get(ready))
        .fallback(not_found)
        .method_not_allowed_fallback(api_method_not_allowed)
        .with_state(Arc::clone(metrics));
    Front::new(router, issuer, &ProofRules::default(), entropy)
}

async fn scrape(State(metrics): State<Arc<Metrics>>) -> Result<Response, Failure> {
    let text = metrics.text().map_err(ApiError::internal)?;
    Ok(([(header::CONTENT_TYPE, OPENMETRICS)], text).into_response())
}

async fn ready(State(metrics): State<Arc<Metrics>>) -> Result<Response, Failure> {
    match metrics.node.get() {
        Some(node) => health::ready(State(Arc::clone(node))).await,
        None => Err(ApiError::NotReady("the store has not been set up".into()).into()),
    }
}
