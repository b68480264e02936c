//! Following the store: what other nodes commit reaches this one's memory, and this node knows how far
//! its memory may be relied on.
//!
//! One pass puts one question, which confirms the store, and takes in every change up to the answer. What it has
//! taken in it keeps: a pass that fails half way leaves less for the next one, however many changes there are.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

use super::Node;
use super::freshness::Asked;
use crate::base::clock::Timestamp;
use crate::node::keyring::KeyringError;
use crate::node::revocations::REMEMBERED_SECONDS;
use crate::store::{Change, ChangeKind, ChangeReader, Position, StoreError};

/// How often the store is asked when nothing wakes the follower: what bounds a revocation's way to other
/// nodes when notifications are dead.
const POLL_EVERY: Duration = Duration::from_secs(1);

/// Changes that are read at once. Whatever they are of, they cost four questions at most.
const BATCH: u16 = 1_000;

/// What a node follows the store by. Whoever holds it is the only one who takes changes in.
#[derive(Debug)]
pub(super) struct Following {
    pub(super) reader: ChangeReader,
    /// As much of the store's history as memory has taken in.
    pub(super) seen: Position,
}

/// The store could not be followed.
#[derive(Debug, thiserror::Error)]
pub enum FollowError {
    /// The store cannot be asked.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The signing keys cannot be taken from it.
    #[error(transparent)]
    Keyring(#[from] KeyringError),
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
            let heard = tokio::select! {
                _ = stop.changed() => break,
                heard = self.catch_up() => heard,
            };
            match (&heard, reachable) {
                (Err(error), true) => tracing::warn!(%error, "the store cannot be followed"),
                (Ok(()), false) => tracing::info!("the store can be followed again"),
                _ => {}
            }
            reachable = heard.is_ok();
        }
        self.following.lock().await.reader.close().await;
    }

    /// Wakes the follower when PostgreSQL says that something changed. Only a hint: without it, the next
    /// poll finds out.
    pub async fn listen(self: Arc<Self>, mut stop: watch::Receiver<bool>) {
        loop {
            tokio::select! {
                _ = stop.changed() => return,
                ended = self.records.store.on_change(|| self.records.changed.notify_one()) => {
                    tracing::debug!(?ended, "notifications of changes ended; connecting anew");
                }
            }
            tokio::select! {
                _ = stop.changed() => return,
                () = tokio::time::sleep(POLL_EVERY) => {}
            }
        }
    }

    /// Takes in what was committed since the last time, now. Passes run one after the other.
    ///
    /// # Errors
    /// When the store cannot be asked. Memory then has what was taken in before that.
    pub async fn catch_up(&self) -> Result<(), FollowError> {
        let mut following = self.following.lock().await;
        // Read before the question: all that was committed by then is in the answer.
        let asked = Asked::now(&self.clock);
        // A clock that jumps ahead invalidates nothing in memory.
        let lately = self.retention_clock.now(&self.clock);
        let taken_in = self.take_in_changes(&mut following, lately).await;
        match &taken_in {
            Ok(()) => self.freshness.confirm(asked),
            Err(error) => self.freshness.failed(error),
        }
        // Also after a pass that failed half way: what it took in is news.
        if !self.revocations.feed.is_of(&following.seen) {
            self.revocations.publish(&following.seen, lately);
        }
        taken_in
    }

    async fn take_in_changes(&self, following: &mut Following, now: Timestamp) -> Result<(), FollowError> {
        let Following { reader, seen } = following;
        let heard = reader.position(Some(seen)).await?;
        let end = heard.position;
        if !heard.is_continuous {
            tracing::warn!(?seen, now = ?end, "the store's history is another one; what is in memory is dropped");
            self.start_afresh(reader, now).await?;
            *seen = end;
            return Ok(());
        }
        while seen.last < end.last {
            let changes = reader.changes_after(seen.last, BATCH).await?;
            let is_unbroken = (seen.last + 1..).zip(&changes).all(|(seq, change)| change.seq == seq);
            if changes.is_empty() || !is_unbroken {
                // What came in between has been deleted, or not written by these rules: trust nothing.
                self.start_afresh(reader, now).await?;
                *seen = end;
                return Ok(());
            }
            self.take_in(reader, seen.last, &changes, now).await?;
            if let Some(change) = changes.into_iter().next_back() {
                seen.last = change.seq;
                seen.change = Some(change);
            }
        }
        Ok(())
    }

    /// Takes in the changes in a row after number `after`.
    async fn take_in(
        &self,
        reader: &mut ChangeReader,
        after: i64,
        changes: &[Change],
        now: Timestamp,
    ) -> Result<(), FollowError> {
        let last = changes.last().map_or(after, |change| change.seq);
        let is_any_of = |kind| changes.iter().any(|change| change.kind == kind);
        // Written by a newer binary, a change without a kind may be of anything.
        let is_of_unknown = is_any_of(None);
        if is_of_unknown {
            self.records.keys.invalidate_all();
        } else {
            changes.iter().for_each(|change| {
                change.kind.iter().for_each(|kind| self.records.keys.take_in(*kind, &change.subject))
            });
        }
        if is_any_of(Some(ChangeKind::Token)) {
            for token in reader.tokens_revoked_by(after, last).await? {
                self.revocations.tokens.insert(&token, now);
            }
        }
        if is_of_unknown || is_any_of(Some(ChangeKind::SigningKey)) {
            self.signer.keyring.reload_from(reader).await?;
        }
        self.revocations
            .withdrawals
            .insert(reader.withdrawals_after(after, now.plus(-REMEMBERED_SECONDS)).await?, now);
        Ok(())
    }

    /// Takes everything from the store again. A token that was revoked before stays so: none is issued twice.
    async fn start_afresh(&self, reader: &mut ChangeReader, now: Timestamp) -> Result<(), FollowError> {
        self.records.keys.invalidate_all();
        self.signer.keyring.reload_from(reader).await?;
        let since = now.plus(-REMEMBERED_SECONDS);
        for token in reader.tokens_revoked_since(since).await? {
            self.revocations.tokens.insert(&token, now);
        }
        self.revocations.withdrawals.replace(reader.withdrawals_after(-1, since).await?);
        // Again, for what was read meanwhile: it may be of the history that has ended.
        self.records.keys.invalidate_all();
        Ok(())
    }
}
