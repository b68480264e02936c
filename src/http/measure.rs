//! A layer that measures every request, by its route, method and status.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Instant;

use axum::extract::{MatchedPath, Request};
use axum::response::Response;
use pin_project_lite::pin_project;
use tower_layer::Layer;
use tower_service::Service;

use super::failure::Failure;
use crate::base::clock::monotonic_now;
use crate::metrics::{HttpDurations, MethodLabel, RouteLabel};

/// Measures the requests that a router has routed. It must be the outermost layer of that router.
#[derive(Clone, Debug)]
pub(crate) struct Measure(pub(crate) Arc<HttpDurations>);

impl<S> Layer<S> for Measure {
    type Service = Measured<S>;

    fn layer(&self, inner: S) -> Measured<S> {
        Measured { inner, durations: Arc::clone(&self.0) }
    }
}

/// A service whose requests are measured.
#[derive(Clone, Debug)]
pub(crate) struct Measured<S> {
    inner: S,
    durations: Arc<HttpDurations>,
}

impl<S: Service<Request, Response = Response, Error = Infallible>> Service<Request> for Measured<S> {
    type Response = Response;
    type Error = Infallible;
    type Future = MeasuredFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request) -> MeasuredFuture<S::Future> {
        let path = request.extensions().get().map(MatchedPath::as_str);
        let span = Span {
            route: self.durations.route(path),
            method: request.method().as_str().into(),
            begun: monotonic_now(),
            durations: Arc::clone(&self.durations),
        };
        MeasuredFuture { answer: self.inner.call(request), span }
    }
}

#[derive(Debug)]
struct Span {
    durations: Arc<HttpDurations>,
    route: RouteLabel,
    method: MethodLabel,
    begun: Instant,
}

impl Span {
    fn ended(&self, status: u16) {
        self.durations.record(self.route, self.method, status, self.begun.elapsed());
    }
}

pin_project! {
    /// The future of a response, which measures how long it takes.
    pub(crate) struct MeasuredFuture<F> {
        #[pin]
        answer: F,
        span: Span,
    }
}

impl<F: Future<Output = Result<Response, Infallible>>> Future for MeasuredFuture<F> {
    type Output = Result<Response, Infallible>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let panic = Panic(this.span);
        let polled = this.answer.poll(cx);
        drop(panic);
        let Ok(response) = ready!(polled);
        // An error has no status of its own before the front renders it.
        let failure = response.extensions().get().map(Failure::status);
        this.span.ended(failure.unwrap_or(response.status()).as_u16());
        Poll::Ready(Ok(response))
    }
}

/// Measures a request whose handler panics. The front answers it with 500.
struct Panic<'a>(&'a Span);

impl Drop for Panic<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.ended(500);
        }
    }
}

#[cfg(test)]
mod tests {
    use axum::Router;
    use axum::body::Body;
    use axum::routing::get;

    use super::*;
    use crate::use_cases::management::ApiError;

    async fn panics() -> &'static str {
        panic!("on purpose")
    }

    #[tokio::test]
    async fn the_measured_status_is_that_of_the_response() {
        let durations = Arc::new(HttpDurations::new(
            ["/good", "/refused", "/panics"].map(|path| (path.to_owned(), path)),
        ));
        let router = Router::new()
            .route("/good", get(async || "good"))
            .route("/refused", get(async || Failure::from(ApiError::NotFound)))
            .route("/panics", get(panics))
            .layer(Measure(Arc::clone(&durations)))
            .with_state(());
        for path in ["/good", "/refused", "/panics", "/other"] {
            let request = Request::builder().uri(path).body(Body::empty()).unwrap();
            // The front catches panics in the same way.
            let mut router = router.clone();
            let _ = tokio::spawn(async move { router.call(request).await }).await;
        }
        let labels: Vec<_> = durations.read().map(|(labels, _)| labels).collect();
        assert_eq!(
            labels,
            [
                ["_OTHER", "GET", "404"],
                ["/good", "GET", "200"],
                ["/refused", "GET", "404"],
                ["/panics", "GET", "500"]
            ]
        );
    }
}
