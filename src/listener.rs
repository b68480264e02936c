//! The HTTP listener: sockets, TLS, time limits, and a shutdown that loses no request.
//!
//! It serves HTTP/1.1. Over TLS, it also serves HTTP/2 if the client selects it by ALPN. Each connection is a task:
//! `accept` gives it a slot and `connection` drives it. `exchange` stands between hyper and the service, and
//! `monitored_stream` between hyper and the socket. Both record what happens in `activity`. The `watchdog` reads there
//! whether a stage has lasted for too long. `drain` ends all connections.

mod accept;
mod activity;
mod body;
mod connection;
mod connection_state;
mod connections;
mod drain;
mod exchange;
mod limits;
mod monitored_stream;
mod refusal;
mod tls;
mod watchdog;

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;

use axum::extract::Request;
use axum::response::Response;
use tokio::sync::watch;
use tokio_rustls::TlsAcceptor;
use tower_service::Service;

pub use body::BodyTimedOut;
pub use connections::Connections;
pub use limits::Limits;
pub use tls::{Renewal, RenewedCertificate, TlsError, TlsSettings};

use accept::Acceptor;
use connection::Host;
use connections::OpenConnection;
use drain::Phase;

/// A bound socket, ready to serve.
pub struct Listener {
    acceptor: Acceptor,
    address: SocketAddr,
    limits: Limits,
    tls: Option<(TlsAcceptor, Arc<RenewedCertificate>)>,
    connections: Connections,
    phase: watch::Sender<Phase>,
}

/// Why a listener can't start.
#[derive(Debug, thiserror::Error)]
pub enum ListenError {
    /// The address is in use, is not one of this machine's, or is not permitted.
    #[error("cannot listen on {address}: {source}")]
    Bind {
        /// The address to bind.
        address: SocketAddr,
        /// The error of the system.
        source: io::Error,
    },
    /// The certificate can't be used.
    #[error(transparent)]
    Tls(#[from] TlsError),
}

/// How a listener ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Report {
    /// The connections that were accepted in total.
    pub connections: u64,
    /// The connections that were cut off at [`Limits::drain_deadline`], with an unanswered request or an unread answer.
    pub aborted: usize,
}

/// The service behind a listener: an [`axum::Router`], or any similar service.
///
/// Call `with_state` on a `Router` first, or `with_state(())` if it has no state. This prepares its routes once instead
/// of for every request.
pub trait HttpService:
    Service<Request, Response = Response, Error = Infallible, Future: Send> + Clone + Send + 'static
{
}

impl<S> HttpService for S where
    S: Service<Request, Response = Response, Error = Infallible, Future: Send> + Clone + Send + 'static
{
}

impl Listener {
    /// Binds `address`. Port 0 lets the system choose a free port. Call it within a Tokio runtime.
    ///
    /// # Errors
    /// [`ListenError`].
    pub fn bind(address: SocketAddr, limits: Limits, tls: Option<TlsSettings>) -> Result<Self, ListenError> {
        let phase = watch::Sender::new(Phase::Open);
        let tls = tls.map(tls::acceptor).transpose()?;
        let certificate = tls.as_ref().map(|(_, certificate)| Arc::clone(certificate));
        let connections = Connections::new(limits.connections, certificate);
        let bind_error = |source| ListenError::Bind { address, source };
        let acceptor = Acceptor::bind(address, limits.connections).map_err(bind_error)?;
        let address = acceptor.local_addr().map_err(bind_error)?;
        Ok(Self { acceptor, address, limits, tls, connections, phase })
    }

    /// Shows how busy the listener is while it serves.
    pub fn connections(&self) -> Connections {
        self.connections.clone()
    }

    /// The bound address. For port 0, it has the port that the system chose.
    pub fn local_addr(&self) -> SocketAddr {
        self.address
    }

    /// The certificate, if TLS ends here.
    pub fn certificate(&self) -> Option<Arc<RenewedCertificate>> {
        self.tls.as_ref().map(|(_, certificate)| Arc::clone(certificate))
    }

    /// Completes when the shutdown begins. From then on, each answer is the last one of its connection and carries
    /// `Connection: close`.
    pub fn draining(&self) -> impl Future<Output = ()> + Send + 'static {
        let mut phases = self.phase.subscribe();
        async move {
            // An error means that the listener is gone, so it has ended as well.
            let _ = phases.wait_for(|phase| *phase > Phase::Open).await;
        }
    }

    /// Serves until `shutdown`, then drains. A request is answered if a byte of it had arrived by then, or arrives
    /// while its connection is kept, unless it takes longer than [`Limits::drain_deadline`].
    ///
    /// Requests carry the peer's address as `ConnectInfo<SocketAddr>` in their extensions. An IPv4 address always has
    /// its IPv4 form. Requests that are not valid HTTP get 400 or 431 without a body, and never reach the service.
    /// Dropping the future cuts off all connections.
    pub async fn serve<S: HttpService>(self, service: S, shutdown: impl Future<Output = ()>) -> Report {
        let tls = self.tls.map(|(acceptor, _)| acceptor);
        let host = Host::new(service, self.limits.clone(), tls, self.phase.subscribe());
        let counts = self.connections.counts;
        let mut connections = 0;
        let mut serve = |accepted| {
            connections += 1;
            host.receive(accepted, OpenConnection::accepted(&counts));
        };
        let mut shutdown = pin!(shutdown);
        loop {
            tokio::select! {
                biased;
                () = &mut shutdown => break,
                accepted = self.acceptor.next() => serve(accepted),
            }
        }
        let aborted = drain::drain(self.acceptor, &self.phase, &self.limits, serve).await;
        Report { connections, aborted }
    }
}
