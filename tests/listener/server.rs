//! A listener on a free port, and a service to talk to.

use std::net::{Ipv4Addr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::rejection::BytesRejection;
use axum::extract::{ConnectInfo, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get, post};
use bytes::Bytes;
use claviger::listener::{BodyTimedOut, Limits, Listener, Report, TlsSettings};
use hyper::body::Frame;
use tokio::sync::{Semaphore, oneshot};
use tokio::task::JoinHandle;

use crate::client::{Client, in_time};

/// Longer than any test takes.
pub(crate) const NEVER: Duration = Duration::from_secs(3600);
/// Long enough for a slow machine to do what a test does within it, short enough to wait for.
pub(crate) const SOON: Duration = Duration::from_millis(300);

/// Limits that never come into effect; each test sets the one that it is about.
pub(crate) fn patient() -> Limits {
    Limits {
        handshake_timeout: NEVER,
        header_timeout: NEVER,
        body_timeout: NEVER,
        write_timeout: NEVER,
        keep_alive: NEVER,
        drain_linger: NEVER,
        drain_deadline: NEVER,
        ..Limits::default()
    }
}

pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    /// Each permit lets one request to `/wait` go on.
    pub(crate) gate: Arc<Semaphore>,
    /// Gets a permit for each request that has arrived at `/wait`.
    pub(crate) waiting: Arc<Semaphore>,
    shutdown: oneshot::Sender<()>,
    draining: Coming,
    ended: JoinHandle<Report>,
}

type Coming = Pin<Box<dyn Future<Output = ()> + Send>>;

impl Server {
    pub(crate) fn start(limits: Limits) -> Self {
        Self::start_with(limits, None)
    }

    pub(crate) fn start_with(limits: Limits, tls: Option<TlsSettings>) -> Self {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let listener = Listener::bind(address, limits, tls).unwrap();
        let (gate, waiting) = (Arc::new(Semaphore::new(0)), Arc::new(Semaphore::new(0)));
        let (shutdown, signal) = oneshot::channel();
        let (address, draining) = (listener.local_addr(), Box::pin(listener.draining()));
        let service = service(Arc::clone(&gate), Arc::clone(&waiting));
        let ended = tokio::spawn(listener.serve(service, async {
            let _ = signal.await;
        }));
        Self { address, gate, waiting, shutdown, draining, ended }
    }

    pub(crate) async fn connect(&self) -> Client {
        Client::connect(self.address).await
    }

    /// Waits for a request to arrive at `/wait`.
    pub(crate) async fn one_waits(&self) {
        in_time(self.waiting.acquire()).await.unwrap().forget();
    }

    /// Gives the shutdown signal.
    pub(crate) fn shut_down(self) -> Ending {
        self.shutdown.send(()).unwrap();
        Ending { draining: self.draining, ended: self.ended }
    }
}

/// A server that has the signal.
pub(crate) struct Ending {
    draining: Coming,
    ended: JoinHandle<Report>,
}

impl Ending {
    /// Waits until the listener has begun to end.
    pub(crate) async fn begun(&mut self) {
        in_time(self.draining.as_mut()).await;
    }

    /// Waits for the end.
    pub(crate) async fn report(self) -> Report {
        in_time(self.ended).await.unwrap()
    }
}

fn service(gate: Arc<Semaphore>, waiting: Arc<Semaphore>) -> Router {
    Router::new()
        .route("/", any(async || "hello"))
        .route("/echo", post(echo))
        .route("/unread", post(async || "unread"))
        .route("/peer", get(async |ConnectInfo(peer): ConnectInfo<SocketAddr>| peer.to_string()))
        .route("/wait", any(wait))
        .route("/wait-at-work", any(wait_at_work))
        .route("/big", get(async || vec![b'x'; 32 * 1024 * 1024]))
        .route("/stuck", get(async || Body::new(Stuck)))
        .with_state((gate, waiting))
}

async fn echo(body: Result<Bytes, BytesRejection>) -> Response {
    match body {
        Ok(body) => body.into_response(),
        Err(error) if BodyTimedOut::caused(&error) => StatusCode::REQUEST_TIMEOUT.into_response(),
        Err(_) => StatusCode::BAD_REQUEST.into_response(),
    }
}

async fn wait(State((gate, waiting)): State<(Arc<Semaphore>, Arc<Semaphore>)>) -> &'static str {
    waiting.add_permits(1);
    gate.acquire().await.unwrap().forget();
    "waited"
}

/// Does not let go of the connection's task.
async fn wait_at_work(State((gate, waiting)): State<(Arc<Semaphore>, Arc<Semaphore>)>) -> &'static str {
    waiting.add_permits(1);
    while gate.try_acquire().is_err() {
        std::thread::yield_now();
    }
    "waited"
}

/// An answer's body that never comes.
struct Stuck;

impl hyper::body::Body for Stuck {
    type Data = Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        Poll::Pending
    }
}
