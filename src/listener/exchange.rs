//! One request and its answer, between hyper and the service.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::{ConnectInfo, Request};
use axum::response::Response;
use hyper::body::{Body as _, Incoming};
use hyper::header::{CONNECTION, HeaderValue};
use hyper::service::{Service, service_fn};
use hyper::{StatusCode, Version};
use hyper_util::service::TowerToHyperService;

use super::body::{AnswerBody, RequestBody};
use super::link::Link;
use super::refusal::is_ambiguous;

/// `service` as hyper wants it for one connection: with the peer's address in each request, time limits on
/// bodies, ambiguous requests refused, and `Connection: close` on the last answer.
pub(super) fn exchange<S>(
    service: S,
    link: Arc<Link>,
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
        let working = Working::begin(&link);
        let version = request.version();
        let answer = if is_ambiguous(&request) {
            link.leave_unread();
            None
        } else {
            Some(service.call(admit(request, &link, body_timeout)))
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

fn admit(request: hyper::Request<Incoming>, link: &Arc<Link>, body_timeout: Duration) -> Request {
    let mut request = request.map(|body| match body.is_end_stream() {
        true => Body::empty(),
        false => Body::new(RequestBody::new(body, body_timeout, Arc::clone(link))),
    });
    request.extensions_mut().insert(ConnectInfo(link.peer));
    request
}

fn bad_request() -> Response {
    let mut answer = Response::default();
    *answer.status_mut() = StatusCode::BAD_REQUEST;
    answer
}

/// A request that the service has not answered yet.
struct Working(Arc<Link>);

impl Working {
    fn begin(link: &Arc<Link>) -> Self {
        link.pulse.begin();
        Self(Arc::clone(link))
    }

    fn answer(self, mut answer: Response, version: Version) -> Response<AnswerBody> {
        // In HTTP/2 the field is malformed (RFC 9113 §8.2.2); there a GOAWAY frame says it.
        if version <= Version::HTTP_11 && self.0.is_ending() {
            answer.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
        }
        answer.map(|body| AnswerBody::new(body, Arc::clone(&self.0)))
    }
}

impl Drop for Working {
    fn drop(&mut self) {
        self.0.pulse.worked();
    }
}
