//! Accepts connections on a bound socket, as many at once as the limits allow.

use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::sleep;

/// The connections that the kernel completes ahead of `accept`. The kernel lowers this to its own limit.
const BACKLOG: u32 = 4096;

/// The pause after a failed `accept`. Ending connections free the resource that is exhausted: open files or memory.
const PAUSE: Duration = Duration::from_millis(100);

/// A bound socket. Each connection takes a slot before it is accepted.
#[derive(Debug)]
pub(super) struct Acceptor {
    listener: TcpListener,
    slots: Slots,
}

/// An accepted connection, and the slot that it holds until it ends.
#[derive(Debug)]
pub(super) struct AcceptedConnection {
    pub(super) stream: TcpStream,
    pub(super) peer: SocketAddr,
    pub(super) slot: OwnedSemaphorePermit,
}

impl Acceptor {
    /// Binds the address and listens.
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

    /// The next connection, once a slot is free. Dropping the future at any point loses no connection.
    pub(super) async fn next(&self) -> AcceptedConnection {
        let slot = self.slots.take().await;
        loop {
            match self.listener.accept().await {
                Ok((stream, peer)) => return AcceptedConnection::new(stream, peer, slot),
                Err(error) => recover(&error).await,
            }
        }
    }

    /// Accepts the connections that the kernel has already accepted, as slots become free, and then stops listening.
    ///
    /// This calls the socket directly, because the runtime may not know yet about the latest connections.
    pub(super) async fn close(self, mut serve: impl FnMut(AcceptedConnection)) {
        let listener = match self.listener.into_std() {
            Ok(listener) => listener,
            Err(error) => {
                return tracing::warn!(%error, "connections that the kernel had already accepted are lost");
            }
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
        // Answers are written as a whole, so waiting to fill a packet only delays them. The call fails only if the peer
        // has already left.
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

/// An error of one connection concerns only that connection. Any other error would recur at once, so a pause follows
/// it.
async fn recover(error: &io::Error) {
    use ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset, Interrupted};

    if !matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset | Interrupted) {
        tracing::warn!(%error, "cannot accept connections");
        sleep(PAUSE).await;
    }
}

/// The slots for connections. Clones share them.
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

    /// The number of taken slots.
    pub(super) fn taken(&self) -> usize {
        self.total.get() as usize - self.free.available_permits()
    }
}
