//! A node at work.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;

use crate::base::master_key::MasterKey;
use crate::cli::CliError;
use crate::cli::output::announce;
use crate::node::Node;
use crate::node::keyring::Reconciled;
use crate::use_cases::bootstrap::BootstrapContext;

/// A node, and what it does besides answering.
pub(super) struct Running {
    pub(super) node: Arc<Node>,
    background: JoinSet<()>,
    stop: watch::Sender<bool>,
}

impl Running {
    /// Over a store that has been filled.
    pub(super) async fn start(
        context: &BootstrapContext,
        master_key: &MasterKey,
        flush_every: Duration,
    ) -> Result<Self, CliError> {
        let BootstrapContext { store, deployment, clock, entropy, .. } = context;
        context.agree().await.map_err(CliError::failed)?;
        let node =
            Node::over(store.clone(), deployment.clone(), master_key, clock.clone(), entropy.clone()).await;
        let node = node.map_err(CliError::failed)?;
        follow_settings(&node).await?;
        let (stop, stopped) = watch::channel(false);
        Ok(Self { background: background(&node, flush_every, &stopped), node, stop })
    }

    /// Says that it serves, and comes back when it should no more. Whoever waits for news is answered once the
    /// listener is `draining`, so that the answer says that it is the last.
    pub(super) async fn until_the_end(
        &self,
        listener: SocketAddr,
        draining: impl Future<Output = ()> + Send + 'static,
        ends: &mut mpsc::Receiver<()>,
    ) {
        let node = Arc::clone(&self.node);
        tokio::spawn(async move {
            draining.await;
            node.revocations.feed.close();
        });
        let issuer = &self.node.deployment.issuer;
        tracing::info!(address = %listener, issuer, "serving");
        announce(&format!("Claviger serves {issuer} on {listener}"));
        ends.recv().await;
    }

    /// Ends what it does besides answering.
    pub(super) async fn stop(&mut self) {
        let _ = self.stop.send(true);
        while self.background.join_next().await.is_some() {}
    }
}

/// Sees to it that the configured signing key signs, and says so where it is not the one that signs now.
async fn follow_settings(node: &Arc<Node>) -> Result<(), CliError> {
    let now = node.clock.now();
    let reconciled =
        node.signer.rotation(&node.records.store, now).reconcile().await.map_err(CliError::failed)?;
    node.signer.keyring.reload(&node.records.store).await.map_err(CliError::failed)?;
    if reconciled != Reconciled::Fits {
        let signing = node.signer.keyring.ring().signing(now).map(|key| key.kid().to_owned());
        tracing::warn!(signing, "{reconciled}");
    }
    Ok(())
}

fn background(node: &Arc<Node>, flush_every: Duration, stopped: &watch::Receiver<bool>) -> JoinSet<()> {
    let mut tasks = JoinSet::new();
    tasks.spawn(Arc::clone(node).follow(stopped.clone()));
    tasks.spawn(Arc::clone(node).listen(stopped.clone()));
    tasks.spawn(Arc::clone(node).flush_usage(flush_every, stopped.clone()));
    tasks.spawn(Arc::clone(node).tidy(stopped.clone()));
    tasks.spawn(Arc::clone(node).watch_writes(stopped.clone()));
    tasks
}
