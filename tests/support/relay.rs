//! A network between verifier and issuer that a test can cut.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;

/// Passes connections on to a server, as long as it is whole.
pub struct Relay {
    address: SocketAddr,
    target: watch::Sender<Option<SocketAddr>>,
    connections: Arc<AtomicUsize>,
}

impl Relay {
    /// One that leads nowhere yet.
    pub async fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a listener");
        let address = listener.local_addr().expect("an address");
        let (target, targets) = watch::channel(None);
        let connections = Arc::new(AtomicUsize::new(0));
        tokio::spawn(run(listener, targets, Arc::clone(&connections)));
        Self { address, target, connections }
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Leads to this server from now on.
    pub fn lead_to(&self, server: SocketAddr) {
        self.target.send_replace(Some(server));
    }

    /// Breaks what is connected, and whoever connects from now on.
    pub fn cut(&self) {
        self.target.send_replace(None);
    }

    /// How often somebody connected.
    pub fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }
}

async fn run(
    listener: TcpListener,
    mut targets: watch::Receiver<Option<SocketAddr>>,
    connections: Arc<AtomicUsize>,
) {
    let mut open = JoinSet::new();
    loop {
        let target = *targets.borrow_and_update();
        tokio::select! {
            changed = targets.changed() => {
                open.abort_all();
                if changed.is_err() {
                    return;
                }
            }
            Ok((mut from, _)) = listener.accept() => {
                connections.fetch_add(1, Ordering::SeqCst);
                let Some(target) = target else { continue };
                open.spawn(async move {
                    if let Ok(mut to) = TcpStream::connect(target).await {
                        let _ = copy_bidirectional(&mut from, &mut to).await;
                    }
                });
            }
        }
    }
}
