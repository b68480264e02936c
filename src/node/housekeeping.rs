//! The background tasks of a node.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

use super::Node;
use crate::base::clock::Timestamp;
use crate::domain::usage::{CalendarSpan, Interval};
use crate::sharing::background;
use crate::store::StoreError;

/// How long changes are kept, in seconds. This is much longer than any node may rely on its memory.
const CHANGES_KEPT_SECONDS: i64 = 3_600;

/// How long answers to requests with an idempotency key are kept: one day.
const IDEMPOTENCY_KEPT_SECONDS: i64 = 86_400;

const TIDY_EVERY: Duration = Duration::from_secs(60);

/// The number of rows that are deleted at once, so that no writer waits for long.
const BATCH: u32 = 1_000;

/// The pause after a batch, for other writers.
const PAUSE: Duration = Duration::from_millis(20);

/// The most batches of one kind in a round. The next round continues.
const BATCHES: u32 = 200;

impl Node {
    /// Writes counted use every `interval`, and once more when `stop` changes.
    pub async fn flush_usage(self: Arc<Self>, interval: Duration, stop: watch::Receiver<bool>) {
        background::run(self.flush_repeatedly(interval, stop)).await;
    }

    async fn flush_repeatedly(self: Arc<Self>, interval: Duration, mut stop: watch::Receiver<bool>) {
        let mut stopping = false;
        while !stopping {
            tokio::select! {
                _ = stop.changed() => stopping = true,
                () = tokio::time::sleep(interval) => {}
            }
            if let Err(error) = self.usage.flush(&self.records.store, self.clock.now()).await {
                tracing::warn!(%error, "use could not be written; the next flush tries again");
            }
        }
    }

    /// Rotates signing keys on schedule and deletes old data, until `stop` changes.
    pub async fn tidy(self: Arc<Self>, stop: watch::Receiver<bool>) {
        background::run(self.tidy_repeatedly(stop)).await;
    }

    async fn tidy_repeatedly(self: Arc<Self>, mut stop: watch::Receiver<bool>) {
        loop {
            let round = async {
                self.tidy_once().await;
                tokio::time::sleep(TIDY_EVERY).await;
            };
            // A round also stops half way: there may be much to delete, and all of it can wait.
            tokio::select! {
                _ = stop.changed() => return,
                () = round => {}
            }
        }
    }

    /// Runs one round of [`Node::tidy`]. Failures are logged, and the next round tries again.
    pub async fn tidy_once(&self) {
        let now = self.clock.now();
        match self.signer.rotation(&self.records.store, now).if_due().await {
            Ok(true) => {
                tracing::info!("a next signing key is published");
                if let Err(error) = self.signer.keyring.reload(&self.records.store).await {
                    tracing::warn!(%error, "the new signing key could not be loaded");
                }
            }
            Ok(false) => {}
            Err(error) => tracing::error!(%error, "the signing key could not be rotated"),
        }
        self.revocations.tokens.prune();
        self.compare_settings().await;
        match self.advance_retention_clock(now).await {
            Ok(now) => self.delete_old(now).await,
            Err(error) => {
                tracing::warn!(%error, "old data was not deleted, because the store failed")
            }
        }
    }

    /// `now` is a moment up to which time has passed steadily, so a clock that jumps ahead does not age anything.
    async fn delete_old(&self, now: Timestamp) {
        let store = &self.records.store;
        let before = now.plus(-CHANGES_KEPT_SECONDS);
        warn("changes", store.delete_old_changes(before).await);
        warn("withdrawals", store.delete_old_withdrawals(before).await);
        warn("dead revoked tokens", store.delete_old_revoked_tokens(before).await);
        warn(
            "idempotency records",
            store.delete_old_idempotency_records(now.plus(-IDEMPOTENCY_KEPT_SECONDS)).await,
        );
        warn("used assertions", store.delete_expired_assertions(now).await);
        warn("console sessions", store.delete_expired_console_sessions(now).await);
        warn("portal sessions", store.delete_ended_portal_sessions(now).await);
        for interval in Interval::ALL {
            warn("use", in_batches(|most| store.delete_old_use(interval, now, most)).await);
        }
        for span in CalendarSpan::ALL {
            warn("totals of keys", in_batches(|most| store.delete_old_totals(span, now, most)).await);
        }
        if let Some(seconds) = self.deployment.events_kept_seconds {
            let before = now.plus(-seconds);
            warn("audit events", in_batches(|most| store.delete_old_events(before, most)).await);
        }
    }
}

/// Calls `delete` for one batch at a time, until fewer rows are left than a batch has or this round has done enough.
async fn in_batches<F>(delete: impl Fn(u32) -> F) -> Result<u64, StoreError>
where
    F: Future<Output = Result<u64, StoreError>>,
{
    let mut deleted = 0;
    for _ in 0..BATCHES {
        let batch = delete(BATCH).await?;
        deleted += batch;
        if batch < BATCH.into() {
            break;
        }
        tokio::time::sleep(PAUSE).await;
    }
    Ok(deleted)
}

fn warn(what: &str, deleted: Result<u64, StoreError>) {
    if let Err(error) = deleted {
        tracing::warn!(%error, "old {what} could not be deleted");
    }
}
