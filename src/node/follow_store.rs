//! Follows the store: this node applies to its memory what other nodes commit, and learns how far it may rely on its
//! memory.
//!
//! One pass sends one query, which confirms the store, and applies every change up to the answer. Each applied batch
//! counts: a pass that fails half way leaves less for the next one, however many changes there are.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use tokio::sync::watch;

use super::freshness::QueryTime;
use super::{Node, TakeoverError};
use crate::base::clock::Timestamp;
use crate::node::keyring::KeyringError;
use crate::node::revocations::REMEMBERED_SECONDS;
use crate::store::{Change, ChangeKind, ChangeReader, HistoryStatus, Position, StoreError};

/// How often the store is queried when nothing wakes the follower. This bounds how long a revocation takes to reach
/// other nodes when notifications fail.
const POLL_EVERY: Duration = Duration::from_secs(1);

/// The number of changes that are read at once. A batch costs at most four queries, whatever it contains.
const BATCH: u16 = 1_000;

/// What a node needs to follow the store. Only the task that holds it applies changes.
#[derive(Debug)]
pub(super) struct Following {
    pub(super) reader: ChangeReader,
    /// How much of the store's history memory has applied.
    pub(super) applied: Position,
}

/// How far memory has followed the store.
#[derive(Debug, Default)]
pub struct Progress {
    /// The number of the last change in memory, and of the last one that the store is known to have.
    applied: AtomicI64,
    latest: AtomicI64,
    followed: AtomicU64,
    restarts: AtomicU64,
}

impl Progress {
    /// Memory has everything up to this change.
    pub(super) fn starting_at(last: i64) -> Self {
        Self { applied: AtomicI64::new(last), latest: AtomicI64::new(last), ..Self::default() }
    }

    /// The changes that were applied one by one.
    pub fn followed(&self) -> u64 {
        self.followed.load(Relaxed)
    }

    /// The changes that the store is known to have and memory has not applied.
    pub fn behind(&self) -> u64 {
        u64::try_from(self.latest.load(Relaxed) - self.applied.load(Relaxed)).unwrap_or_default()
    }

    /// How often everything was read again, because the store had another history or a gap.
    pub fn restarts(&self) -> u64 {
        self.restarts.load(Relaxed)
    }

    fn reached(&self, last: i64) {
        self.applied.store(last, Relaxed);
    }
}

/// Why the store can't be followed.
#[derive(Debug, thiserror::Error)]
pub enum FollowError {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The signing keys can't be loaded from the store.
    #[error(transparent)]
    Keyring(#[from] KeyringError),
    /// Another master key took over, and this node does not have it.
    #[error(transparent)]
    MasterKey(#[from] TakeoverError),
}

impl Node {
    /// Follows the store until `stop` changes.
    pub async fn follow(self: Arc<Self>, mut stop: watch::Receiver<bool>) {
        let mut reachable = true;
        loop {
            tokio::select! {
                _ = stop.changed() => break,
                () = self.records.changed.notified() => {}
                () = tokio::time::sleep(POLL_EVERY) => {}
            }
            let followed = tokio::select! {
                _ = stop.changed() => break,
                followed = self.catch_up() => followed,
            };
            match (&followed, reachable) {
                (Err(error), true) => tracing::warn!(%error, "the store cannot be followed"),
                (Ok(()), false) => tracing::info!("the store can be followed again"),
                _ => {}
            }
            reachable = followed.is_ok();
        }
        self.following.lock().await.reader.close().await;
    }

    /// Wakes the follower when PostgreSQL reports a change. The notification is only a hint: the next poll finds the
    /// change without it.
    pub async fn listen(self: Arc<Self>, mut stop: watch::Receiver<bool>) {
        loop {
            tokio::select! {
                _ = stop.changed() => return,
                ended = self.records.store.on_change(|| self.records.changed.notify_one()) => {
                    tracing::debug!(?ended, "the notifications of changes ended; connecting again");
                }
            }
            tokio::select! {
                _ = stop.changed() => return,
                () = tokio::time::sleep(POLL_EVERY) => {}
            }
        }
    }

    /// Applies what was committed since the last pass. Passes run one after the other.
    ///
    /// # Errors
    /// When the store fails. Memory then keeps what the pass applied before that.
    pub async fn catch_up(&self) -> Result<(), FollowError> {
        let mut following = self.following.lock().await;
        let sent = QueryTime::now(&self.clock);
        // A wall clock that jumps ahead then invalidates nothing in memory.
        let now = self.retention_clock.now(&self.clock);
        let followed = self.apply_new_changes(&mut following, now).await;
        match &followed {
            Ok(()) => self.freshness.confirm(sent),
            Err(error) => self.freshness.failed(error),
        }
        // A pass that failed half way may have applied changes too, and they are published.
        if !self.revocations.feed.is_of(&following.applied) {
            self.revocations.publish(&following.applied, now);
        }
        followed
    }

    async fn apply_new_changes(&self, following: &mut Following, now: Timestamp) -> Result<(), FollowError> {
        let Following { reader, applied } = following;
        let HistoryStatus { position: end, is_continuous } = reader.position(Some(applied)).await?;
        self.progress.latest.store(end.last, Relaxed);
        if !is_continuous {
            tracing::warn!(?applied, ?end, "the store has another history; this node reads everything again");
            return self.read_everything(following, end, now).await;
        }
        while applied.last < end.last {
            let changes = reader.changes_after(applied.last, BATCH).await?;
            let is_unbroken = (applied.last + 1..).zip(&changes).all(|(seq, change)| change.seq == seq);
            let Some(last) = changes.last().filter(|_| is_unbroken) else {
                // Changes in between were deleted, or written by other rules. Memory can't be trusted.
                return self.read_everything(following, end, now).await;
            };
            self.apply(reader, applied.last, &changes, now).await?;
            self.progress.followed.fetch_add(changes.len() as u64, Relaxed);
            self.progress.reached(last.seq);
            (applied.last, applied.change) = (last.seq, Some(last.clone()));
        }
        Ok(())
    }

    /// Applies consecutive changes that follow change number `after`.
    async fn apply(
        &self,
        reader: &mut ChangeReader,
        after: i64,
        changes: &[Change],
        now: Timestamp,
    ) -> Result<(), FollowError> {
        let last = changes.last().map_or(after, |change| change.seq);
        let is_any_of = |kind| changes.iter().any(|change| change.kind == kind);
        // A newer version wrote a change without a known kind. It may affect anything.
        let is_of_unknown = is_any_of(None);
        if is_of_unknown {
            self.records.keys.invalidate_all();
        } else {
            changes.iter().for_each(|change| {
                change
                    .kind
                    .iter()
                    .for_each(|kind| self.records.keys.invalidate_changed(*kind, &change.subject))
            });
        }
        if is_any_of(Some(ChangeKind::Token)) {
            for token in reader.tokens_revoked_by(after, last).await? {
                self.revocations.tokens.insert(&token, now);
            }
        }
        let is_of_master_key = is_of_unknown || is_any_of(Some(ChangeKind::MasterKey));
        if is_of_master_key {
            self.master_keys.update(&reader.master_keys().await?)?;
        }
        if is_of_master_key || is_any_of(Some(ChangeKind::SigningKey)) {
            self.signer.keyring.reload_from(reader).await?;
        }
        self.revocations
            .withdrawals
            .insert(reader.withdrawals_after(after, now.plus(-REMEMBERED_SECONDS)).await?, now);
        Ok(())
    }

    /// Reads everything from the store again, whose history ends at `end`. A revoked token stays revoked, because no
    /// token is issued twice.
    async fn read_everything(
        &self,
        Following { reader, applied }: &mut Following,
        end: Position,
        now: Timestamp,
    ) -> Result<(), FollowError> {
        self.progress.restarts.fetch_add(1, Relaxed);
        self.records.keys.invalidate_all();
        self.master_keys.update(&reader.master_keys().await?)?;
        self.signer.keyring.reload_from(reader).await?;
        let since = now.plus(-REMEMBERED_SECONDS);
        for token in reader.tokens_revoked_since(since).await? {
            self.revocations.tokens.insert(&token, now);
        }
        self.revocations.withdrawals.replace(reader.withdrawals_after(-1, since).await?);
        // Keys that were read meanwhile may come from the history that has ended.
        self.records.keys.invalidate_all();
        self.progress.reached(end.last);
        *applied = end;
        Ok(())
    }
}
