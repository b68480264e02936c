//! Proofs of possession in requests (RFC 9449), and nonces in responses.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use axum::middleware::Next;
use axum::response::Response;

use crate::domain::credential;
use crate::node::{Node, PresentedProof, ProofRefused, Site};

const DPOP: HeaderName = HeaderName::from_static("dpop");
const DPOP_NONCE: HeaderName = HeaderName::from_static("dpop-nonce");

/// The proof in a request for a token, if there is one.
///
/// # Errors
/// [`ProofRefused::Header`] when there are two, or the only one is not text.
pub(super) fn at_token_endpoint(headers: &HeaderMap) -> Result<Option<PresentedProof<'_>>, ProofRefused> {
    let text = credential::proof(headers).map_err(ProofRefused::Header)?;
    Ok(text.map(|text| PresentedProof { text, method: "POST", target: "/oauth/token", site: Site::Issuer }))
}

/// Middleware: whoever sends a proof learns the nonce for the next one (RFC 9449 §8.2).
pub(crate) async fn with_nonce(State(node): State<Arc<Node>>, request: Request, next: Next) -> Response {
    let has_proof = request.headers().contains_key(DPOP);
    let mut response = next.run(request).await;
    if has_proof
        && let Some(nonce) = node.authenticator.proofs.nonce(node.clock.now())
        && let Ok(nonce) = HeaderValue::try_from(nonce)
    {
        response.headers_mut().insert(DPOP_NONCE, nonce);
    }
    response
}
