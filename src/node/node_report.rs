//! Reports this node in the store, so that others know which master keys it holds.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

use super::Node;
use super::master_keys::hex;
use crate::base::master_key::MasterKey;
use crate::sharing::background;
use crate::store::StoreError;

/// How often a node reports itself, and looks for the next master key.
const REPORT_EVERY: Duration = Duration::from_secs(5);

impl Node {
    /// Looks for the next master key with `find`, and reports this node, until `stop` changes. Then it withdraws the
    /// report.
    pub async fn report_repeatedly(
        self: Arc<Self>,
        find: impl Fn() -> Option<MasterKey> + Send + 'static,
        mut stop: watch::Receiver<bool>,
    ) {
        let node = self;
        let reports = async move {
            let mut is_reported = true;
            loop {
                let reported = node.report(find().as_ref()).await;
                match (&reported, is_reported) {
                    (Err(error), true) => {
                        tracing::warn!(%error, "this node can't be reported to the other nodes");
                    }
                    (Ok(()), false) => tracing::info!("this node is reported to the other nodes again"),
                    _ => {}
                }
                is_reported = reported.is_ok();
                tokio::select! {
                    _ = stop.changed() => break,
                    () = tokio::time::sleep(REPORT_EVERY) => {}
                }
            }
            if let Err(error) = node.records.store.forget_node(&node.id).await {
                tracing::debug!(%error, "the report of this node could not be withdrawn");
            }
        };
        background::run(reports).await;
    }

    /// Holds the master key that is to take over, if there is one, and reports this node.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn report(&self, next: Option<&MasterKey>) -> Result<(), StoreError> {
        if self.master_keys.hold_next(next)
            && let Some(next) = self.master_keys.next()
        {
            tracing::info!(check = hex(&next.check), "the next master key is at hand");
        }
        let (version, master_keys) = (env!("CARGO_PKG_VERSION"), self.master_keys.checks());
        self.records.store.report_node(&self.id, version, &master_keys).await
    }
}
