//! Chooses the responses that are compressed.
//!
//! The length of a compressed page reveals repetition in it. An attacker who can place text in a page (by a link, or by
//! a key's name) and can see the page's length could guess a secret in it letter by letter (BREACH). So compression is
//! limited to public content that includes nothing from the request: files, and pages that need no sign-in.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

use axum::extract::Request;
use axum::http::{Extensions, HeaderMap, HeaderValue, Method, StatusCode, Version, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use tower_http::compression::predicate::Predicate;
use tower_http::compression::{CompressionLayer, CompressionLevel};
use tower_layer::Layer as _;
use tower_service::Service;

/// In bytes. Compression does not pay below this size.
const SHORTEST: u64 = 1_024;

/// Marks a response that may be compressed.
#[derive(Clone, Copy, Debug)]
struct Compressible;

/// Marks a response that holds no secret, if it shows nothing of its request either: 200 to a GET without a query.
/// Errors and redirects repeat parts of the request.
pub(crate) fn mark(method: &Method, has_query: bool, response: &mut Response) {
    let is_encoded = response.headers().contains_key(header::CONTENT_ENCODING);
    if *method == Method::GET && !has_query && response.status() == StatusCode::OK && !is_encoded {
        response.extensions_mut().insert(Compressible);
    }
}

/// Compresses marked responses for clients that accept it.
pub(crate) fn layer() -> CompressionLayer<impl Predicate> {
    CompressionLayer::new().quality(CompressionLevel::Fastest).compress_when(is_marked)
}

/// Middleware for public content, which holds no secret.
pub(crate) async fn published(request: Request, next: Next) -> Response {
    match layer().layer(MarkingService(next)).call(request).await {
        Ok(response) => weakened(response.into_response()),
        Err(never) => match never {},
    }
}

/// Marks responses whatever the query of the request, since no part of the query is in the response.
#[derive(Clone)]
struct MarkingService(Next);

impl Service<Request> for MarkingService {
    type Response = Response;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request) -> Self::Future {
        let (next, method) = (self.0.clone(), request.method().clone());
        Box::pin(async move {
            let mut response = next.run(request).await;
            mark(&method, false, &mut response);
            Ok(response)
        })
    }
}

/// RFC 9110 §8.8.1: a strong tag would claim that the compressed and the plain response have the same bytes, so the tag
/// becomes weak.
fn weakened(mut response: Response) -> Response {
    let headers = response.headers();
    let tag = headers.get(header::ETAG).and_then(|tag| tag.to_str().ok()).map(|tag| format!("W/{tag}"));
    let is_compressed_here = response.extensions().get::<Compressible>().is_some()
        && headers.contains_key(header::CONTENT_ENCODING);
    if is_compressed_here && let Some(weak) = tag.and_then(|tag| HeaderValue::try_from(tag).ok()) {
        response.headers_mut().insert(header::ETAG, weak);
    }
    response
}

fn is_marked(_: StatusCode, _: Version, headers: &HeaderMap, extensions: &Extensions) -> bool {
    let length = headers.get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse().ok());
    extensions.get::<Compressible>().is_some() && length.is_none_or(|length: u64| length >= SHORTEST)
}
