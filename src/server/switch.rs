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
    whole: Doors,
}

/// What lets the whole server begin.
#[derive(Clone, Debug, Default)]
pub struct Doors(Arc<OnceLock<Router>>);

impl Switch {
    pub(super) fn new(waiting: Router, whole: Doors) -> Self {
        Self { waiting, whole }
    }
}

impl Doors {
    /// From now on every request is this node's.
    pub fn open(&self, node: &Arc<Node>, set_up: &Arc<SetUp>) {
        self.0.get_or_init(|| super::router::whole(node, Some(set_up)));
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
        match self.whole.0.get() {
            Some(whole) => whole.clone().call(request),
            None => self.waiting.call(request),
        }
    }
}
