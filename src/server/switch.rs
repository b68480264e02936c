//! A service that replaces its router while it runs.

use std::convert::Infallible;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll};

use axum::Router;
use axum::extract::Request;
use axum::response::Response;
use axum::routing::future::RouteFuture;
use tower_service::Service;

/// Answers with the router for an empty store until the full router is installed.
#[derive(Clone, Debug)]
pub struct Switch {
    waiting: Router,
    full: SwitchHandle,
}

/// Installs the full router, once.
#[derive(Clone, Debug, Default)]
pub struct SwitchHandle(Arc<OnceLock<Router>>);

impl Switch {
    pub(super) fn new(waiting: Router, full: SwitchHandle) -> Self {
        Self { waiting, full }
    }
}

impl SwitchHandle {
    /// Routes every later request to `full`.
    pub(super) fn replace_by(&self, full: Router) {
        let _ = self.0.set(full);
    }
}

impl Service<Request> for Switch {
    type Response = Response;
    type Error = Infallible;
    type Future = RouteFuture<Infallible>;

    /// Routers are always ready.
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
