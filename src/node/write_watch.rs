//! Checks whether the store accepts writes, even while nothing is to be written.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

use super::Node;

/// How often the store is checked. This bounds how long a missing database file goes unnoticed, or the end of a
/// failure.
const LOOK_EVERY: Duration = Duration::from_secs(1);

impl Node {
    /// Checks until `stop` changes.
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
