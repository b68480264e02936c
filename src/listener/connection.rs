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
use super::accept::Guest;
use super::drain::Phase;
use super::exchange::exchange;
use super::limits::Limits;
use super::link::Link;
use super::pulse::Stage;
use super::tls;
use super::watchdog::Watchdog;
use super::wire::Wire;

/// What a connection may hold in its read buffer; a longer body reaches the service in parts.
const READ_BUFFER: usize = 64 * 1024;
/// What an HTTP/2 peer may send of one request's body, and of all of them, ahead of the service.
const STREAM_WINDOW: u32 = 64 * 1024;
const CONNECTION_WINDOW: u32 = 1024 * 1024;

/// How connections are served; each has a clone.
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
    pub(super) fn receive(&self, guest: Guest) {
        let host = self.clone();
        tokio::spawn(async move {
            let Guest { stream, peer, slot } = guest;
            let link = Arc::new(Link::new(peer, host.phase.clone()));
            let wire = Wire::new(stream, Arc::clone(&link));
            match host.shared.tls.clone() {
                None => host.serve_http1(wire, link).await,
                // Boxed, so that connections in the clear need no room for it.
                Some(tls) => Box::pin(host.serve_tls(wire, link, tls)).await,
            }
            drop(slot);
        });
    }

    async fn serve_tls(mut self, wire: Wire, link: Arc<Link>, tls: TlsAcceptor) {
        let limits = &self.shared.handshake_limits;
        let Some(stream) = attend(tls.accept(wire), None, &link, limits, &mut self.phase).await else {
            return;
        };
        link.secured();
        match tls::chose_http2(&stream) {
            true => self.serve_http2(stream, link).await,
            false => self.serve_http1(stream, link).await,
        }
    }

    async fn serve_http1<T: AsyncRead + AsyncWrite + Unpin>(mut self, stream: T, link: Arc<Link>) {
        let Shared { limits, http1, .. } = &*self.shared;
        let service = exchange(self.service, Arc::clone(&link), limits.body_timeout);
        let connection = http1.serve_connection(TokioIo::new(stream), service);
        attend(connection, None, &link, limits, &mut self.phase).await;
    }

    async fn serve_http2<T: AsyncRead + AsyncWrite + Unpin>(mut self, stream: T, link: Arc<Link>) {
        link.pulse.multiplexed();
        let Shared { limits, http2, .. } = &*self.shared;
        let service = exchange(self.service, Arc::clone(&link), limits.body_timeout);
        let connection = http2.serve_connection(TokioIo::new(stream), service);
        let goodbye = |connection: Pin<&mut http2::Connection<_, _, _>>| connection.graceful_shutdown();
        attend(connection, Some(goodbye), &link, limits, &mut self.phase).await;
    }
}

/// Drives a connection, or its handshake, until it is done (the result), fails, is overdue, or is at rest in a
/// listener that is ending.
///
/// `goodbye` announces the end in a protocol that can: HTTP/2, by GOAWAY (RFC 9113 §6.8).
async fn attend<C, T, E>(
    connection: C,
    mut goodbye: Option<fn(Pin<&mut C>)>,
    link: &Link,
    limits: &Limits,
    phases: &mut watch::Receiver<Phase>,
) -> Option<T>
where
    C: Future<Output = Result<T, E>>,
    E: Display,
{
    let peer = link.peer;
    let mut connection = pin!(connection);
    let mut watchdog = Watchdog::new(limits, &link.pulse);
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
        // The watchdog's task: hyper's own timer costs each request an allocation.
        .header_read_timeout(None)
        // A peer may close its side once it has asked, and still is answered.
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
