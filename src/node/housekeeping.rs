//! What a node does by itself, beside answering requests.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

use super::Node;
use crate::keyring::Rotation;

/// Changes are kept for so many seconds: longer than any node may rely on its memory, by far.
const CHANGES_KEPT_SECONDS: i64 = 3_600;

const TIDY_EVERY: Duration = Duration::from_secs(60);

impl Node {
    /// Writes use down every `interval`, and once more when `stop` changes.
    pub async fn flush_usage(self: Arc<Self>, interval: Duration, mut stop: watch::Receiver<bool>) {
        let mut stopping = false;
        while !stopping {
            tokio::select! {
                _ = stop.changed() => stopping = true,
                () = tokio::time::sleep(interval) => {}
            }
            if let Err(error) = self.usage.flush(&self.store, self.clock.now()).await {
                tracing::warn!(%error, "use could not be written; it is kept for the next time");
            }
        }
    }

    /// Rotates signing keys on schedule and forgets what nobody needs any more, until `stop` changes.
    pub async fn tidy(self: Arc<Self>, mut stop: watch::Receiver<bool>) {
        loop {
            self.tidy_once().await;
            tokio::select! {
                _ = stop.changed() => return,
                () = tokio::time::sleep(TIDY_EVERY) => {}
            }
        }
    }

    /// One round of [`Node::tidy`]. What fails is logged, and tried again in the next.
    pub async fn tidy_once(&self) {
        let now = self.clock.now();
        match self.rotation(now).if_due().await {
            Ok(true) => {
                tracing::info!("a next signing key is published");
                if let Err(error) = self.keyring.reload(&self.store).await {
                    tracing::warn!(%error, "the new signing key could not be taken in");
                }
            }
            Ok(false) => {}
            Err(error) => tracing::error!(%error, "the signing key could not be rotated"),
        }
        if let Err(error) = self.store.forget_changes(now.plus(-CHANGES_KEPT_SECONDS)).await {
            tracing::warn!(%error, "old changes were not forgotten");
        }
        if let Err(error) = self.store.forget_withdrawals(now.plus(-CHANGES_KEPT_SECONDS)).await {
            tracing::warn!(%error, "old withdrawals were not forgotten");
        }
        if let Err(error) = self.store.forget_revoked_tokens(now.plus(-CHANGES_KEPT_SECONDS)).await {
            tracing::warn!(%error, "dead revoked tokens were not forgotten");
        }
    }

    /// All that a rotation of this node's signing keys needs.
    pub fn rotation(&self, now: crate::clock::Timestamp) -> Rotation<'_> {
        Rotation {
            keyring: &self.keyring,
            store: &self.store,
            policy: &self.deployment.rotation,
            entropy: &self.entropy,
            now,
        }
    }
}
