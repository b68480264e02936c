//! Accepting connections: a bound socket, and as many connections at once as the limits allow.

use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::sleep;

/// Connections that the kernel completes ahead of `accept`; it lowers this to its own limit.
const BACKLOG: u32 = 4096;

/// The pause after a failed `accept`. What it is out of (open files, memory) comes back when connections end.
const PAUSE: Duration = Duration::from_millis(100);

/// A bound socket whose connections each take a slot before they are accepted.
#[derive(Debug)]
pub(super) struct Acceptor {
    listener: TcpListener,
    slots: Slots,
}

/// A connection just accepted, and the slot that it holds until it ends.
#[derive(Debug)]
pub(super) struct AcceptedConnection {
    pub(super) stream: TcpStream,
    pub(super) peer: SocketAddr,
    pub(super) slot: OwnedSemaphorePermit,
}

impl Acceptor {
    /// Binds and listens.
    pub(super) fn bind(address: SocketAddr, connections: NonZeroU32) -> io::Result<Self> {
        let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
        socket.set_reuseaddr(true)?;
        socket.bind(address)?;
        Ok(Self { listener: socket.listen(BACKLOG)?, slots: Slots::new(connections) })
    }

    pub(super) fn local_addr(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    pub(super) fn slots(&self) -> &Slots {
        &self.slots
    }

    /// The next connection, once there is a slot for it. May be dropped at any point without losing one.
    pub(super) async fn next(&self) -> AcceptedConnection {
        let slot = self.slots.take().await;
        loop {
            match self.listener.accept().await {
                Ok((stream, peer)) => return AcceptedConnection::new(stream, peer, slot),
                Err(error) => recover(&error).await,
            }
        }
    }

    /// Accepts whatever the kernel has accepted, as slots come free, then stops listening.
    ///
    /// The socket is asked itself: the runtime may not have heard yet of its latest connections.
    pub(super) async fn close(self, mut serve: impl FnMut(AcceptedConnection)) {
        let listener = match self.listener.into_std() {
            Ok(listener) => listener,
            Err(error) => return tracing::warn!(%error, "the accept queue is lost"),
        };
        loop {
            let slot = self.slots.take().await;
            match listener.accept().and_then(|(stream, peer)| Ok((into_tokio(stream)?, peer))) {
                Ok((stream, peer)) => serve(AcceptedConnection::new(stream, peer, slot)),
                Err(error) if error.kind() == ErrorKind::WouldBlock => return,
                Err(error) => recover(&error).await,
            }
        }
    }
}

impl AcceptedConnection {
    fn new(stream: TcpStream, peer: SocketAddr, slot: OwnedSemaphorePermit) -> Self {
        // Answers are written whole: waiting to fill a packet only delays them. A socket that refuses this
        // is one that its peer has already left.
        let _ = stream.set_nodelay(true);
        // A dual-stack socket shows IPv4 peers as `::ffff:a.b.c.d`.
        let peer = SocketAddr::new(peer.ip().to_canonical(), peer.port());
        Self { stream, peer, slot }
    }
}

fn into_tokio(stream: std::net::TcpStream) -> io::Result<TcpStream> {
    stream.set_nonblocking(true)?;
    TcpStream::from_std(stream)
}

/// An error of the one connection is that connection's end; any other would come right back.
async fn recover(error: &io::Error) {
    use ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset, Interrupted};

    if !matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset | Interrupted) {
        tracing::warn!(%error, "cannot accept connections");
        sleep(PAUSE).await;
    }
}

/// The places for connections. Clones share them.
#[derive(Clone, Debug)]
pub(super) struct Slots {
    free: Arc<Semaphore>,
    total: NonZeroU32,
}

impl Slots {
    fn new(total: NonZeroU32) -> Self {
        Self { free: Arc::new(Semaphore::new(total.get() as usize)), total }
    }

    async fn take(&self) -> OwnedSemaphorePermit {
        self.free.clone().acquire_owned().await.expect("nobody closes the semaphore")
    }

    /// Waits until no slot is taken.
    pub(super) async fn all_free(&self) {
        let _all = self.free.acquire_many(self.total.get()).await;
    }

    /// How many are taken.
    pub(super) fn taken(&self) -> usize {
        self.total.get() as usize - self.free.available_permits()
    }
}
