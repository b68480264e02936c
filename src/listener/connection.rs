//! One connection, from the accepted socket to its end.

use std::fmt::Display;
use std::pin::{Pin, pin};
use std::sync::Arc;

use hyper::server::conn::{http1, http2};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::watch;
use tokio_rustls::TlsAcceptor;

use super::HttpService;
use super::accept::AcceptedConnection;
use super::activity::Stage;
use super::connection_state::ConnectionState;
use super::connections::OpenConnection;
use super::drain::Phase;
use super::exchange::exchange;
use super::limits::Limits;
use super::monitored_stream::MonitoredStream;
use super::tls;
use super::watchdog::Watchdog;

/// The size of a connection's read buffer. A longer body reaches the service in parts.
const READ_BUFFER: usize = 64 * 1024;
/// How much an HTTP/2 peer may send of one request's body, and of all bodies, before the service reads it.
const STREAM_WINDOW: u32 = 64 * 1024;
const CONNECTION_WINDOW: u32 = 1024 * 1024;

/// What all connections need to be served. Each connection has a clone.
#[derive(Clone)]
pub(super) struct Host<S> {
    service: S,
    shared: Arc<Shared>,
    phase: watch::Receiver<Phase>,
}

struct Shared {
    limits: Limits,
    handshake_limits: Limits,
    tls: Option<TlsAcceptor>,
    http1: http1::Builder,
    http2: http2::Builder<TokioExecutor>,
}

impl<S: HttpService> Host<S> {
    pub(super) fn new(
        service: S,
        limits: Limits,
        tls: Option<TlsAcceptor>,
        phase: watch::Receiver<Phase>,
    ) -> Self {
        let handshake_limits = Limits {
            header_timeout: limits.handshake_timeout,
            write_timeout: limits.handshake_timeout,
            ..limits.clone()
        };
        let shared = Shared { handshake_limits, tls, http1: http1(&limits), http2: http2(&limits), limits };
        Self { service, shared: Arc::new(shared), phase }
    }

    /// Serves a connection in a task of its own.
    pub(super) fn receive(&self, accepted: AcceptedConnection, open: OpenConnection) {
        let host = self.clone();
        tokio::spawn(async move {
            let AcceptedConnection { stream, peer, slot } = accepted;
            let state = Arc::new(ConnectionState::new(peer, host.phase.clone()));
            let stream = MonitoredStream::new(stream, Arc::clone(&state));
            match host.shared.tls.clone() {
                None => host.serve_http1(stream, state).await,
                // This is boxed, so that connections without TLS need no memory for it.
                Some(tls) => Box::pin(host.serve_tls(stream, state, tls)).await,
            }
            drop((slot, open));
        });
    }

    async fn serve_tls(mut self, stream: MonitoredStream, state: Arc<ConnectionState>, tls: TlsAcceptor) {
        let limits = &self.shared.handshake_limits;
        let Some(stream) = attend(tls.accept(stream), None, &state, limits, &mut self.phase).await else {
            return;
        };
        state.secured();
        match tls::chose_http2(&stream) {
            true => self.serve_http2(stream, state).await,
            false => self.serve_http1(stream, state).await,
        }
    }

    async fn serve_http1<T: AsyncRead + AsyncWrite + Unpin>(
        mut self,
        stream: T,
        state: Arc<ConnectionState>,
    ) {
        let Shared { limits, http1, .. } = &*self.shared;
        let service = exchange(self.service, Arc::clone(&state), limits.body_timeout);
        let connection = http1.serve_connection(TokioIo::new(stream), service);
        attend(connection, None, &state, limits, &mut self.phase).await;
    }

    async fn serve_http2<T: AsyncRead + AsyncWrite + Unpin>(
        mut self,
        stream: T,
        state: Arc<ConnectionState>,
    ) {
        state.activity.http2_chosen();
        let Shared { limits, http2, .. } = &*self.shared;
        let service = exchange(self.service, Arc::clone(&state), limits.body_timeout);
        let connection = http2.serve_connection(TokioIo::new(stream), service);
        let goodbye = |connection: Pin<&mut http2::Connection<_, _, _>>| connection.graceful_shutdown();
        attend(connection, Some(goodbye), &state, limits, &mut self.phase).await;
    }
}

/// Drives a connection, or its handshake, until it completes with a result, fails, or exceeds a time limit, or until it
/// is idle during a shutdown.
///
/// `goodbye` announces the end if the protocol can: HTTP/2 sends GOAWAY (RFC 9113 §6.8).
async fn attend<C, T, E>(
    connection: C,
    mut goodbye: Option<fn(Pin<&mut C>)>,
    state: &ConnectionState,
    limits: &Limits,
    phases: &mut watch::Receiver<Phase>,
) -> Option<T>
where
    C: Future<Output = Result<T, E>>,
    E: Display,
{
    let peer = state.peer;
    let mut connection = pin!(connection);
    let mut watchdog = Watchdog::new(limits, &state.activity);
    loop {
        let phase = *phases.borrow_and_update();
        if phase > Phase::Open
            && let Some(say_goodbye) = goodbye.take()
        {
            say_goodbye(connection.as_mut());
        }
        tokio::select! {
            biased;
            changed = phases.changed() => changed.ok()?,
            done = connection.as_mut() => {
                return done.inspect_err(|error| tracing::debug!(%peer, %error, "connection failed")).ok();
            }
            stage = watchdog.overdue(phase) => match (stage, goodbye.take()) {
                (Stage::Fresh | Stage::Idle, Some(say_goodbye)) => {
                    say_goodbye(connection.as_mut());
                    watchdog.restart();
                }
                _ => {
                    tracing::debug!(%peer, ?stage, ?phase, "connection cut off");
                    return None;
                }
            }
        }
    }
}

fn http1(limits: &Limits) -> http1::Builder {
    let mut http1 = http1::Builder::new();
    http1
        // The watchdog limits this time. hyper's own timer costs each request an allocation.
        .header_read_timeout(None)
        // A peer may close its side after its request, and still receives the answer.
        .half_close(true)
        .max_header_size(limits.max_header_bytes as usize)
        .max_buf_size(READ_BUFFER);
    http1
}

fn http2(limits: &Limits) -> http2::Builder<TokioExecutor> {
    let mut http2 = http2::Builder::new(TokioExecutor::new());
    http2
        .max_concurrent_streams(limits.http2_streams)
        .max_header_list_size(limits.max_header_bytes)
        .initial_stream_window_size(STREAM_WINDOW)
        .initial_connection_window_size(CONNECTION_WINDOW)
        .max_send_buf_size(STREAM_WINDOW as usize);
    http2
}
