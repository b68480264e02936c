//! Watching whether the store takes writes, also while nobody has anything to write.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

use super::Node;

/// How soon it is noticed that a file has gone, or that a store takes writes again.
const LOOK_EVERY: Duration = Duration::from_secs(1);

impl Node {
    /// Looks until `stop` changes.
    pub async fn watch_writes(self: Arc<Self>, mut stop: watch::Receiver<bool>) {
        loop {
            let round = async {
                tokio::time::sleep(LOOK_EVERY).await;
                self.records.store.check_writes(self.clock.now()).await;
            };
            tokio::select! {
                _ = stop.changed() => return,
                () = round => {}
            }
        }
    }
}
