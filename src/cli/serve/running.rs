//! A running node.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;

use crate::base::lock::Mutex;
use crate::base::master_key::MasterKey;
use crate::cli::CliError;
use crate::cli::output::announce;
use crate::node::Node;
use crate::node::keyring::Reconciled;
use crate::use_cases::bootstrap::{BootstrapContext, MasterKeySources};

/// A node and its background tasks.
pub(super) struct Running {
    pub(super) node: Arc<Node>,
    background: JoinSet<()>,
    stop: watch::Sender<bool>,
}

impl Running {
    /// Starts a node on a store that is not empty.
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
        warn_of_groups(&node).await?;
        let (stop, stopped) = watch::channel(false);
        let mut background = background(&node, flush_every, &stopped);
        let find = next_master_key(context.master_key.clone());
        background.spawn(Arc::clone(&node).report_repeatedly(find, stopped));
        Ok(Self { background, node, stop })
    }

    /// Announces that the node serves, and returns at a signal. Once the listener is `draining`, the node answers
    /// clients that wait for the revocation feed, because that response closes the connection.
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

    /// Stops the background tasks.
    pub(super) async fn stop(&mut self) {
        let _ = self.stop.send(true);
        while self.background.join_next().await.is_some() {}
    }
}

/// Applies the settings of the signing key, and logs a warning if the configured key does not sign yet.
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

/// Logs a warning for each group that is for an organization or a project that does not exist. The next start and the doctor
/// look again; a sign-in always knows.
async fn warn_of_groups(node: &Node) -> Result<(), CliError> {
    for provider in node.sign_in.providers() {
        let Some(groups) = &provider.settings.groups else { continue };
        let existing =
            node.records.store.existing_places(&groups.places()).await.map_err(CliError::failed)?;
        for missing in groups.without_effect(&existing) {
            tracing::warn!(provider = provider.settings.name, "{missing}");
        }
    }
    Ok(())
}

/// Finds the next master key, and logs once why it can't.
fn next_master_key(sources: MasterKeySources) -> impl Fn() -> Option<MasterKey> {
    let last = Mutex::new(None);
    move || match sources.next() {
        Ok(next) => next,
        Err(error) => {
            let error = error.to_string();
            let mut last = last.lock();
            if last.as_ref() != Some(&error) {
                tracing::warn!(error, "the next master key can't be used");
            }
            *last = Some(error);
            None
        }
    }
}

fn background(node: &Arc<Node>, flush_every: Duration, stopped: &watch::Receiver<bool>) -> JoinSet<()> {
    let mut tasks = JoinSet::new();
    tasks.spawn(Arc::clone(node).follow(stopped.clone()));
    tasks.spawn(Arc::clone(node).listen(stopped.clone()));
    tasks.spawn(Arc::clone(node).flush_usage(flush_every, stopped.clone()));
    tasks.spawn(Arc::clone(node).tidy(stopped.clone()));
    tasks.spawn(Arc::clone(node).watch_writes(stopped.clone()));
    tasks.spawn(Arc::clone(&node.authenticator.federation.issuer_keys).refresh(stopped.clone()));
    tasks.spawn(Arc::clone(&node.sign_in.issuer_keys).refresh(stopped.clone()));
    tasks
}
