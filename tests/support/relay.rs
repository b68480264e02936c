//! A network between two ends that a test can cut, slow down, or make silent.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};

/// Passes connections on to a server, as long as it is whole.
pub struct Relay {
    address: SocketAddr,
    way: watch::Sender<Way>,
    connections: Arc<AtomicUsize>,
}

/// Where a relay leads, and how.
#[derive(Clone, Copy, Default)]
struct Way {
    target: Option<SocketAddr>,
    /// How long a byte is on its way, in either direction.
    delay: Duration,
    /// Connections from before the last of these stay open and carry nothing any more.
    silences: usize,
    /// Connections from before the last of these are broken.
    cuts: usize,
}

impl Relay {
    /// One that leads nowhere yet.
    pub async fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a listener");
        let address = listener.local_addr().expect("an address");
        let (way, ways) = watch::channel(Way::default());
        let connections = Arc::new(AtomicUsize::new(0));
        tokio::spawn(run(listener, ways, Arc::clone(&connections)));
        Self { address, way, connections }
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub fn port(&self) -> u16 {
        self.address.port()
    }

    /// Leads to this server from now on, and breaks what is connected to another one.
    pub fn lead_to(&self, server: SocketAddr) {
        self.way.send_modify(|way| *way = Way { target: Some(server), cuts: way.cuts + 1, ..*way });
    }

    /// Leads whoever connects from now on to this server, and leaves what is connected where it is.
    pub fn lead_newcomers_to(&self, server: SocketAddr) {
        self.way.send_modify(|way| way.target = Some(server));
    }

    /// Breaks what is connected, and whoever connects from now on.
    pub fn cut(&self) {
        self.way.send_modify(|way| *way = Way { target: None, cuts: way.cuts + 1, ..*way });
    }

    /// Lets every byte of new connections be on its way for so long.
    pub fn slow_down(&self, delay: Duration) {
        self.way.send_modify(|way| way.delay = delay);
    }

    /// Lets what is connected stay open and carry nothing any more. New connections work.
    pub fn silence(&self) {
        self.way.send_modify(|way| way.silences += 1);
    }

    /// How often somebody connected.
    pub fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }
}

async fn run(listener: TcpListener, mut ways: watch::Receiver<Way>, connections: Arc<AtomicUsize>) {
    let mut open = JoinSet::new();
    let mut cuts = 0;
    loop {
        let cuts_by_now = ways.borrow_and_update().cuts;
        if cuts_by_now != cuts {
            cuts = cuts_by_now;
            open.abort_all();
        }
        tokio::select! {
            changed = ways.changed() => if changed.is_err() { return },
            Ok((from, _)) = listener.accept() => {
                connections.fetch_add(1, Ordering::SeqCst);
                // As it is now: it may have changed since the loop began, and what was connected before is broken first.
                let way = *ways.borrow_and_update();
                if way.cuts != cuts {
                    cuts = way.cuts;
                    open.abort_all();
                }
                let Some(target) = way.target else { continue };
                let ways = ways.clone();
                open.spawn(async move {
                    if let Ok(to) = TcpStream::connect(target).await {
                        let _ = from.set_nodelay(true).and_then(|()| to.set_nodelay(true));
                        carry(from, to, way, ways).await;
                    }
                });
            }
        }
    }
}

/// Carries bytes both ways until one end closes.
async fn carry(from: TcpStream, to: TcpStream, way: Way, mut ways: watch::Receiver<Way>) {
    let ((from_read, from_write), (to_read, to_write)) = (from.into_split(), to.into_split());
    let carried = async {
        tokio::join!(pass(from_read, to_write, way.delay), pass(to_read, from_write, way.delay));
    };
    let mut carried = std::pin::pin!(carried);
    tokio::select! {
        () = &mut carried => {}
        () = silenced(&mut ways, way) => std::future::pending().await,
    }
}

async fn silenced(ways: &mut watch::Receiver<Way>, way: Way) {
    let _ = ways.wait_for(|now| now.silences != way.silences).await;
}

async fn pass(mut from: impl AsyncRead + Unpin, mut to: impl AsyncWrite + Unpin, delay: Duration) {
    let (sender, mut under_way) = mpsc::channel::<(Instant, Vec<u8>)>(1_024);
    let read = async move {
        let mut buffer = vec![0; 16 * 1024];
        while let Ok(read @ 1..) = from.read(&mut buffer).await {
            if sender.send((Instant::now() + delay, buffer[..read].to_vec())).await.is_err() {
                break;
            }
        }
    };
    let write = async move {
        while let Some((arrives, bytes)) = under_way.recv().await {
            if !delay.is_zero() {
                sleep_until(arrives).await;
            }
            if to.write_all(&bytes).await.is_err() {
                break;
            }
        }
        let _ = to.shutdown().await;
    };
    tokio::join!(read, write);
}
