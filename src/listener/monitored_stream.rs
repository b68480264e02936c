//! Passes the bytes of a connection, and records them in its activity.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

use super::connection_state::ConnectionState;

/// A socket that records the traffic, and closes in two steps if necessary.
#[derive(Debug)]
pub(super) struct MonitoredStream {
    socket: TcpStream,
    state: Arc<ConnectionState>,
    /// Whether this side is closed.
    is_shut: bool,
}

impl MonitoredStream {
    pub(super) fn new(socket: TcpStream, state: Arc<ConnectionState>) -> Self {
        Self { socket, state, is_shut: false }
    }

    fn report<R>(&self, write: Poll<R>) -> Poll<R> {
        match write {
            Poll::Ready(_) => self.state.activity.write_done(),
            Poll::Pending => self.state.activity.write_blocked(),
        }
        write
    }
}

impl AsyncRead for MonitoredStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let read = Pin::new(&mut self.socket).poll_read(cx, buffer);
        if buffer.filled().len() > before {
            self.state.activity.bytes_received();
        }
        read
    }
}

impl AsyncWrite for MonitoredStream {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let write = Pin::new(&mut self.socket).poll_write(cx, bytes);
        self.report(write)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let write = Pin::new(&mut self.socket).poll_write_vectored(cx, bytes);
        self.report(write)
    }

    fn is_write_vectored(&self) -> bool {
        self.socket.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flush = Pin::new(&mut self.socket).poll_flush(cx);
        self.report(flush)
    }

    /// Closes this side. If the peer may still be sending, reads on until it has closed its own side (RFC 9112 §9.6). A
    /// socket that is closed with unread bytes is reset, and a reset can overtake the answer that the peer has not read
    /// yet. The watchdog limits the wait.
    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if !self.is_shut {
            let shutdown = Pin::new(&mut self.socket).poll_shutdown(cx);
            ready!(self.report(shutdown))?;
            self.is_shut = true;
            self.state.activity.close_began();
        }
        loop {
            let mut scratch = [0; 4096];
            let mut buffer = ReadBuf::new(&mut scratch);
            match Pin::new(&mut self.socket).poll_read(cx, &mut buffer) {
                Poll::Ready(Ok(())) if !buffer.filled().is_empty() => self.state.leave_unread(),
                Poll::Pending if self.state.has_unread() => return Poll::Pending,
                _ => return Poll::Ready(Ok(())),
            }
        }
    }
}
