//! A server that is some way off.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until};

/// The way to a server.
pub struct Distance {
    /// Where it begins.
    pub address: SocketAddr,
    sent: Arc<AtomicUsize>,
}

impl Distance {
    /// How many pieces were sent to the server: one at least for each round trip.
    pub fn sent(&self) -> usize {
        self.sent.load(Ordering::SeqCst)
    }
}

/// A way that leads to `server`, and takes `each_way` to get there and as long to come back.
pub async fn far_from(server: SocketAddr, each_way: Duration) -> Distance {
    let sent = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&sent);
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a listener");
    let address = listener.local_addr().expect("an address");
    tokio::spawn(async move {
        while let Ok((from, _)) = listener.accept().await {
            let (sent, returned) = (Arc::clone(&counted), Arc::default());
            tokio::spawn(async move {
                let Ok(to) = TcpStream::connect(server).await else { return };
                let _ = (from.set_nodelay(true), to.set_nodelay(true));
                let ((from_read, from_write), (to_read, to_write)) = (from.into_split(), to.into_split());
                tokio::join!(
                    carry(from_read, to_write, each_way, sent),
                    carry(to_read, from_write, each_way, returned)
                );
            });
        }
    });
    Distance { address, sent }
}

/// Carries bytes on, each piece so much later. The way is long, and not narrow: pieces travel one behind the other.
async fn carry(
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
    delay: Duration,
    pieces: Arc<AtomicUsize>,
) {
    let (send, mut travelling) = mpsc::unbounded_channel::<(Instant, Vec<u8>)>();
    let leaving = async move {
        let mut piece = vec![0; 64 * 1024];
        while let Ok(length @ 1..) = from.read(&mut piece).await {
            pieces.fetch_add(1, Ordering::SeqCst);
            let _ = send.send((Instant::now() + delay, piece[..length].to_vec()));
        }
    };
    let arriving = async move {
        while let Some((due, piece)) = travelling.recv().await {
            sleep_until(due).await;
            if to.write_all(&piece).await.is_err() {
                return;
            }
        }
        let _ = to.shutdown().await;
    };
    tokio::join!(leaving, arriving);
}
