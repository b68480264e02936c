//! The HTTP listener: sockets, TLS, time limits, and an end that loses no request.
//!
//! It serves HTTP/1.1, and over TLS also HTTP/2 where the client asks for it by ALPN. A connection is a task:
//! `accept` gives it a slot, `connection` drives it, `exchange` stands between hyper and the service,
//! `monitored_stream` between hyper and the socket. Both note in the `activity` what happens, and the `watchdog` reads
//! there whether it has been happening for too long. `drain` is how all of them end.

mod accept;
mod activity;
mod body;
mod connection;
mod connection_state;
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

use axum::extract::Request;
use axum::response::Response;
use tokio::sync::watch;
use tokio_rustls::TlsAcceptor;
use tower_service::Service;

pub use body::BodyTimedOut;
pub use limits::Limits;
pub use tls::{TlsError, TlsSettings};

use accept::Acceptor;
use connection::Host;
use drain::Phase;

/// A bound socket, ready to serve.
pub struct Listener {
    acceptor: Acceptor,
    address: SocketAddr,
    limits: Limits,
    tls: Option<TlsAcceptor>,
    phase: watch::Sender<Phase>,
}

/// Why a listener cannot start.
#[derive(Debug, thiserror::Error)]
pub enum ListenError {
    /// The address is taken, not this machine's, or not allowed.
    #[error("cannot listen on {address}: {source}")]
    Bind {
        /// The address.
        address: SocketAddr,
        /// What the system says.
        source: io::Error,
    },
    /// The certificate cannot be used.
    #[error(transparent)]
    Tls(#[from] TlsError),
}

/// How a listener ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Report {
    /// Connections accepted over its life.
    pub connections: u64,
    /// Connections cut off at [`Limits::drain_deadline`], with a request unanswered or an answer unread.
    pub aborted: usize,
}

/// What a listener serves: an [`axum::Router`], or any service like it.
///
/// A `Router` does best after `with_state`, `with_state(())` if it has none, which prepares its routes once
/// instead of at every request.
pub trait HttpService:
    Service<Request, Response = Response, Error = Infallible, Future: Send> + Clone + Send + 'static
{
}

impl<S> HttpService for S where
    S: Service<Request, Response = Response, Error = Infallible, Future: Send> + Clone + Send + 'static
{
}

impl Listener {
    /// Binds `address`; port 0 is any free port. Must be called within a Tokio runtime.
    ///
    /// # Errors
    /// [`ListenError`].
    pub fn bind(address: SocketAddr, limits: Limits, tls: Option<TlsSettings>) -> Result<Self, ListenError> {
        let phase = watch::Sender::new(Phase::Open);
        let tls = tls.map(tls::acceptor).transpose()?;
        let bind_error = |source| ListenError::Bind { address, source };
        let acceptor = Acceptor::bind(address, limits.connections).map_err(bind_error)?;
        let address = acceptor.local_addr().map_err(bind_error)?;
        Ok(Self { acceptor, address, limits, tls, phase })
    }

    /// The address bound, with the port that the system chose if it was left to it.
    pub fn local_addr(&self) -> SocketAddr {
        self.address
    }

    /// Comes when the listener has begun to end: an answer that is given from then on is its connection's last, and
    /// says so.
    pub fn draining(&self) -> impl Future<Output = ()> + Send + 'static {
        let mut phases = self.phase.subscribe();
        async move {
            // A listener that is gone has ended as well.
            let _ = phases.wait_for(|phase| *phase > Phase::Open).await;
        }
    }

    /// Serves until `shutdown`, then drains: every request is answered of which a byte had arrived by then,
    /// or arrives while its connection is kept, unless it takes longer than [`Limits::drain_deadline`].
    ///
    /// Requests carry the peer's address as `ConnectInfo<SocketAddr>` in their extensions, IPv4 addresses
    /// always as such. Requests that are not valid HTTP are answered with 400 or 431 and no body, and never
    /// reach the service. Dropping the future cuts everything off.
    pub async fn serve<S: HttpService>(self, service: S, shutdown: impl Future<Output = ()>) -> Report {
        let host = Host::new(service, self.limits.clone(), self.tls, self.phase.subscribe());
        let mut connections = 0;
        let mut serve = |accepted| {
            connections += 1;
            host.receive(accepted);
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
