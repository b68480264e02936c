//! The outermost middleware of every route: it assigns the request id, writes the log, and renders errors.

use std::convert::Infallible;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Instant;

use axum::extract::Request;
use axum::http::header::{CACHE_CONTROL, X_CONTENT_TYPE_OPTIONS};
use axum::http::{HeaderName, HeaderValue, Method, Uri};
use axum::response::{IntoResponse as _, Response};
use pin_project_lite::pin_project;
use tower_service::Service;
use tracing::{Level, Span};

use super::denials::Identified;
use super::failure::Failure;
use super::request_id::{RequestId, RequestIds};
use super::schemes::{Schemes, is_dpop};
use crate::base::clock::monotonic_now;
use crate::base::entropy::{Entropy, EntropyError};
use crate::base::text::redacted;
use crate::domain::trace_context::TraceContext;
use crate::node::{Cause, LogSampler, ProofRules};
use crate::use_cases::management::ApiError;

const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The service that wraps the router.
#[derive(Clone, Debug)]
pub struct Front<S> {
    inner: S,
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    ids: RequestIds,
    realm: String,
    /// The algorithms of proofs of possession, separated by spaces.
    algorithms: String,
    log_sampler: LogSampler,
}

impl<S> Front<S> {
    pub(crate) fn new(
        inner: S,
        issuer: &str,
        proofs: &ProofRules,
        entropy: &Entropy,
    ) -> Result<Self, EntropyError> {
        let ids = RequestIds::new(entropy)?;
        let shared = Shared {
            ids,
            realm: issuer.to_owned(),
            algorithms: proofs.algorithms().join(" "),
            log_sampler: LogSampler::default(),
        };
        Ok(Self { inner, shared: Arc::new(shared) })
    }
}

impl<S> Service<Request> for Front<S>
where
    S: Service<Request, Response = Response, Error = Infallible>,
{
    type Response = Response;
    type Error = Infallible;
    type Future = Answer<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request) -> Answer<S::Future> {
        let id = self.shared.ids.next();
        // Anybody can send a trace, so nothing depends on it: not the level, and not the sampling.
        let trace = TraceContext::of(request.headers());
        let trace_id = trace.as_ref().map(TraceContext::trace_id);
        let span = tracing::error_span!("request", request_id = id.as_str(), trace_id);
        let seen = ReceivedRequest {
            method: request.method().clone(),
            uri: request.uri().clone(),
            at: monotonic_now(),
        };
        let is_dpop = is_dpop(request.headers());
        request.extensions_mut().insert(id);
        let answer = span.in_scope(|| self.inner.call(request));
        Answer { answer, id, span, seen, is_dpop, shared: Arc::clone(&self.shared) }
    }
}

/// What the log needs from a request after the router has consumed it.
#[derive(Debug)]
struct ReceivedRequest {
    method: Method,
    uri: Uri,
    at: Instant,
}

pin_project! {
    /// The future of a response, to which it adds the request id.
    pub struct Answer<F> {
        #[pin]
        answer: F,
        id: RequestId,
        span: Span,
        seen: ReceivedRequest,
        is_dpop: bool,
        shared: Arc<Shared>,
    }
}

impl<F: Future<Output = Result<Response, Infallible>>> Future for Answer<F> {
    type Output = Result<Response, Infallible>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let _entered = this.span.enter();
        let answer = this.answer;
        let polled = catch_unwind(AssertUnwindSafe(|| answer.poll(cx)));
        let mut response = match polled {
            Ok(polled) => {
                let Ok(response) = ready!(polled);
                response
            }
            // A panic fails only this request. Other requests on the connection go on.
            Err(_) => Failure::from(ApiError::internal("the handler panicked")).into_response(),
        };
        let failure = response.extensions_mut().remove::<Failure>();
        if let Some(failure) = &failure {
            let Shared { realm, algorithms, .. } = &**this.shared;
            let schemes = Schemes { realm, algorithms, is_dpop: *this.is_dpop };
            failure.render(&mut response, *this.id, &schemes);
        }
        let headers = response.headers_mut();
        headers.insert(X_REQUEST_ID, this.id.header());
        // Responses without a policy of their own concern somebody's keys. RFC 9111 §3.5 protects only requests with
        // `Authorization`; a shared cache could store the answer to an `X-Api-Key`.
        headers.entry(CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
        // Browsers must not guess another type than the declared one.
        headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
        this.seen.log(&response, failure.as_ref(), &this.shared.log_sampler);
        Poll::Ready(Ok(response))
    }
}

impl ReceivedRequest {
    /// Writes a line for each refused or failed request, and for the others only at level `debug`. Failures that
    /// anonymous clients can cause get one line per code and second.
    fn log(&self, response: &Response, failure: Option<&Failure>, sampler: &LogSampler) {
        let status = response.status().as_u16();
        if status < 400 && !tracing::enabled!(Level::DEBUG) {
            return;
        }
        let is_anonymous = response.extensions().get::<Identified>().is_none()
            && failure.is_none_or(Failure::is_anonymous)
            && matches!(status, 400..=499 | 503);
        let (warns, code) = (status == 503, failure.map_or("none", Failure::code));
        let cause = Cause { what: if warns { "unavailable" } else { "refused" }, code, warns };
        if is_anonymous && !sampler.admits(cause) {
            return;
        }
        // The query is never logged, since it may hold a secret.
        let (method, path) = (&self.method, redacted(self.uri.path()));
        let micros = u64::try_from(self.at.elapsed().as_micros()).unwrap_or(u64::MAX);
        let code = failure.map(Failure::code);
        let why = failure.map(Failure::log_line);
        let why = why.as_deref();
        match status {
            // A dependency is down or the server is overloaded, and both pass.
            503 => tracing::warn!(%method, path, status, micros, code, why, "unavailable"),
            500.. => tracing::error!(%method, path, status, micros, code, why, "failed"),
            400.. => tracing::info!(%method, path, status, micros, code, why, "refused"),
            _ => tracing::debug!(%method, path, status, micros, "answered"),
        }
    }
}
