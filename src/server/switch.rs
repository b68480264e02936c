//! A server that becomes another one, between two requests.

use std::convert::Infallible;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll};

use axum::Router;
use axum::extract::Request;
use axum::response::Response;
use axum::routing::future::RouteFuture;
use tower_service::Service;

/// Answers as it does in front of an empty store, and from one moment on as the full server.
#[derive(Clone, Debug)]
pub struct Switch {
    waiting: Router,
    full: SwitchHandle,
}

/// What replaces the router of a switch, once.
#[derive(Clone, Debug, Default)]
pub struct SwitchHandle(Arc<OnceLock<Router>>);

impl Switch {
    pub(super) fn new(waiting: Router, full: SwitchHandle) -> Self {
        Self { waiting, full }
    }
}

impl SwitchHandle {
    /// From now on, this router answers every request.
    pub(super) fn replace_by(&self, full: Router) {
        let _ = self.0.set(full);
    }
}

impl Service<Request> for Switch {
    type Response = Response;
    type Error = Infallible;
    type Future = RouteFuture<Infallible>;

    /// A router is always ready.
    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request) -> RouteFuture<Infallible> {
        match self.full.0.get() {
            Some(full) => full.clone().call(request),
            None => self.waiting.call(request),
        }
    }
}
