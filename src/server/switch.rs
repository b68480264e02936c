//! A server that becomes another one, between two requests.

use std::convert::Infallible;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll};

use axum::Router;
use axum::extract::Request;
use axum::response::Response;
use axum::routing::future::RouteFuture;
use tower_service::Service;

use crate::node::Node;
use crate::use_cases::set_up::SetUp;

/// Answers as it does in front of an empty store, and from one moment on as the whole server.
#[derive(Clone, Debug)]
pub struct Switch {
    waiting: Router,
    full: FullRouter,
}

/// The router of the full server, once its store is set up.
#[derive(Clone, Debug, Default)]
pub struct FullRouter(Arc<OnceLock<Router>>);

impl Switch {
    pub(super) fn new(waiting: Router, full: FullRouter) -> Self {
        Self { waiting, full }
    }
}

impl FullRouter {
    /// From now on every request is this node's.
    pub fn install(&self, node: &Arc<Node>, set_up: &Arc<SetUp>) {
        self.0.get_or_init(|| super::router::full_router(node, Some(set_up)));
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
