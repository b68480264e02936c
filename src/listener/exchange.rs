//! One request and its answer, between hyper and the service.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::{ConnectInfo, Request};
use axum::response::Response;
use hyper::body::{Body as _, Incoming};
use hyper::header::{CONNECTION, HeaderValue, STRICT_TRANSPORT_SECURITY, X_CONTENT_TYPE_OPTIONS};
use hyper::service::{Service, service_fn};
use hyper::{StatusCode, Version};
use hyper_util::service::TowerToHyperService;

use super::body::{AnswerBody, RequestBody};
use super::connection_state::ConnectionState;
use super::refusal::is_ambiguous;

/// For a year, browsers return only over https (RFC 6797 §6.1). It does not say `includeSubDomains`, because this
/// server does not decide for hosts below its own.
const A_YEAR_OF_TLS: HeaderValue = HeaderValue::from_static("max-age=31536000");

/// Wraps `service` in the form that hyper needs for one connection. It adds the peer's address to each request, limits
/// the time for bodies, refuses ambiguous requests, and sends `Connection: close` with the last answer and
/// `Strict-Transport-Security` with each answer over TLS.
pub(super) fn exchange<S>(
    service: S,
    state: Arc<ConnectionState>,
    body_timeout: Duration,
) -> impl Service<
    hyper::Request<Incoming>,
    Response = Response<AnswerBody>,
    Error = Infallible,
    Future: Send + 'static,
>
where
    S: super::HttpService,
{
    let service = TowerToHyperService::new(service);
    service_fn(move |request: hyper::Request<Incoming>| {
        let working = Working::begin(&state);
        let version = request.version();
        let answer = if is_ambiguous(&request) {
            state.leave_unread();
            None
        } else {
            Some(service.call(admit(request, &state, body_timeout)))
        };
        async move {
            let answer = match answer {
                Some(answer) => answer.await?,
                None => bad_request(),
            };
            Ok(working.answer(answer, version))
        }
    })
}

fn admit(request: hyper::Request<Incoming>, state: &Arc<ConnectionState>, body_timeout: Duration) -> Request {
    let mut request = request.map(|body| match body.is_end_stream() {
        true => Body::empty(),
        false => Body::new(RequestBody::new(body, body_timeout, Arc::clone(state))),
    });
    request.extensions_mut().insert(ConnectInfo(state.peer));
    request
}

fn bad_request() -> Response {
    let mut answer = Response::default();
    *answer.status_mut() = StatusCode::BAD_REQUEST;
    answer.headers_mut().insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    answer
}

/// A request that the service has not answered yet.
struct Working(Arc<ConnectionState>);

impl Working {
    fn begin(state: &Arc<ConnectionState>) -> Self {
        state.activity.request_began();
        Self(Arc::clone(state))
    }

    fn answer(self, mut answer: Response, version: Version) -> Response<AnswerBody> {
        // HTTP/2 forbids this field (RFC 9113 §8.2.2), and sends a GOAWAY frame instead.
        if version <= Version::HTTP_11 && self.0.is_ending() {
            answer.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
        }
        // Only over TLS (RFC 6797 §7.2).
        if self.0.is_secure() {
            answer.headers_mut().insert(STRICT_TRANSPORT_SECURITY, A_YEAR_OF_TLS);
        }
        answer.map(|body| AnswerBody::new(body, Arc::clone(&self.0)))
    }
}

impl Drop for Working {
    fn drop(&mut self) {
        self.0.activity.service_done();
    }
}
