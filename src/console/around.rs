//! What every answer of the console's goes through: errors become pages, refusals are noted, and a browser is told
//! what it may do with the answer.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::{HeaderName, HeaderValue, header};
use axum::middleware::Next;
use axum::response::Response;

use super::problem;
use super::shell::Shell;
use super::visitor::KnownShell;
use crate::http::denials;
use crate::http::failure::Failure;
use crate::http::request_id::RequestId;
use crate::node::Node;

/// Everything from here, and no script or style in a page itself: what a name or a note holds stays text.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
    font-src 'self'; connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'";

/// Under `no-referrer` browsers would send `Origin: null` with forms of the console's own.
const HEADERS: [(HeaderName, &str); 5] = [
    (header::CONTENT_SECURITY_POLICY, POLICY),
    (header::REFERRER_POLICY, "same-origin"),
    (header::X_FRAME_OPTIONS, "DENY"),
    (
        HeaderName::from_static("permissions-policy"),
        "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    ),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
];

/// Around every route of the console's.
pub(super) async fn around(State(node): State<Arc<Node>>, mut request: Request, next: Next) -> Response {
    let known = KnownShell::default();
    request.extensions_mut().insert(known.clone());
    let id = request.extensions().get::<RequestId>().copied();
    let response = denials::noted(request, next).await;
    dressed(response, id, || known.shell().unwrap_or_else(|| Shell::of_nobody(&node)))
}

/// The answer as a browser gets it: an error is a page in its surroundings.
pub(super) fn dressed(
    mut response: Response,
    id: Option<RequestId>,
    shell: impl FnOnce() -> Shell,
) -> Response {
    if let Some(Failure::Api(error)) = response.extensions().get::<Failure>().cloned() {
        response.extensions_mut().insert(problem::page(shell(), error, id));
    }
    for (name, value) in HEADERS {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}
