//! Following the store: what other nodes commit reaches this one's memory, and this node knows how far
//! its memory may be relied on.

use std::sync::{Arc, PoisonError};
use std::time::Duration;

use tokio::sync::watch;

use super::Node;
use crate::clock::Timestamp;
use crate::keyring::KeyringError;
use crate::store::{Change, ChangeKind, Position, StoreError};

/// How often the store is asked when nothing wakes the follower: what bounds a revocation's way to other
/// nodes when notifications are dead.
const POLL_EVERY: Duration = Duration::from_secs(1);

/// The longest wait for an answer; also how soon a store that came back is noticed.
const ANSWER_WITHIN: Duration = Duration::from_secs(2);

const BATCH: u16 = 1_000;

#[derive(Debug, thiserror::Error)]
enum FollowError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Keyring(#[from] KeyringError),
    #[error("the store did not answer within {} s", ANSWER_WITHIN.as_secs())]
    Slow(#[from] tokio::time::error::Elapsed),
}

impl Node {
    /// Follows the store until `stop` changes.
    pub async fn follow(self: Arc<Self>, mut stop: watch::Receiver<bool>) {
        let mut reachable = true;
        loop {
            tokio::select! {
                _ = stop.changed() => return,
                () = self.changed.notified() => {}
                () = tokio::time::sleep(POLL_EVERY) => {}
            }
            let heard = self.catch_up_in_time().await;
            match (&heard, reachable) {
                (Err(error), true) => tracing::warn!(%error, "the store cannot be followed"),
                (Ok(()), false) => tracing::info!("the store can be followed again"),
                _ => {}
            }
            reachable = heard.is_ok();
        }
    }

    /// Wakes the follower when PostgreSQL says that something changed. Only a hint: without it, the next
    /// poll finds out.
    pub async fn listen(self: Arc<Self>, mut stop: watch::Receiver<bool>) {
        loop {
            tokio::select! {
                _ = stop.changed() => return,
                ended = self.store.on_change(|| self.changed.notify_one()) => {
                    tracing::debug!(?ended, "notifications of changes ended; connecting anew");
                }
            }
            tokio::select! {
                _ = stop.changed() => return,
                () = tokio::time::sleep(POLL_EVERY) => {}
            }
        }
    }

    /// Takes in what was committed since the last time, now.
    ///
    /// # Errors
    /// When the store cannot be asked; memory is then as old as it was.
    pub async fn catch_up(&self) -> Result<(), impl std::error::Error + use<>> {
        self.catch_up_in_time().await
    }

    async fn catch_up_in_time(&self) -> Result<(), FollowError> {
        tokio::time::timeout(ANSWER_WITHIN, self.take_in_changes()).await?
    }

    async fn take_in_changes(&self) -> Result<(), FollowError> {
        // Read before the question: all that was committed by then is in the answer.
        let asked_at = self.clock.now();
        let now = self.store.position().await?;
        let mut seen = self.seen();
        if now.epoch != seen.epoch || now.last < seen.last {
            tracing::warn!(
                ?seen,
                ?now,
                "the store was replaced under this node; what is in memory is dropped"
            );
            self.start_afresh(&now).await?;
            seen = now.clone();
        }
        while seen.last < now.last {
            let changes = self.store.changes_after(seen.last, BATCH).await?;
            let is_unbroken = (seen.last + 1..).zip(&changes).all(|(seq, change)| change.seq == seq);
            if changes.is_empty() || !is_unbroken {
                // What came in between has been forgotten, or not written by these rules: trust nothing.
                self.start_afresh(&now).await?;
                break;
            }
            for change in &changes {
                self.take_in(change).await?;
            }
            self.withdrawals.take_in(&self.store, seen.last, asked_at).await?;
            seen.last += i64::try_from(changes.len()).unwrap_or_default();
            self.has_seen(&seen);
        }
        self.publish_anew(asked_at);
        self.freshness.confirm(asked_at);
        Ok(())
    }

    async fn take_in(&self, change: &Change) -> Result<(), FollowError> {
        match change.kind {
            Some(kind @ (ChangeKind::Key | ChangeKind::Organization | ChangeKind::Project)) => {
                self.forget(kind, &change.subject);
            }
            Some(ChangeKind::Token) => {
                if let Some(token) = self.store.revoked_token(&change.subject).await? {
                    self.revoked_tokens.insert(&token, self.clock.now());
                }
            }
            Some(ChangeKind::SigningKey) => self.keyring.reload(&self.store).await?,
            // A bootstrap or a restore begins an epoch, which has been taken in as a whole.
            Some(
                ChangeKind::Bootstrap
                | ChangeKind::Restore
                | ChangeKind::Refusal
                | ChangeKind::ConsoleSession,
            ) => {}
            // Written by a newer binary: anything may have changed.
            None => {
                self.keys.forget_all();
                self.keyring.reload(&self.store).await?;
            }
        }
        Ok(())
    }

    /// Drops the copies that a change of this kind made old.
    pub(super) fn forget(&self, kind: ChangeKind, subject: &str) {
        match kind {
            ChangeKind::Key => match subject.parse() {
                Ok(id) => self.keys.forget(&id),
                Err(_) => self.keys.forget_all(),
            },
            ChangeKind::Organization => {
                self.keys.forget_where(|key| key.organization.as_str() == subject);
            }
            ChangeKind::Project => self.keys.forget_where(|key| {
                subject.split_once('/') == Some((key.organization.as_str(), key.project.as_str()))
            }),
            ChangeKind::Token
            | ChangeKind::SigningKey
            | ChangeKind::Bootstrap
            | ChangeKind::Restore
            | ChangeKind::Refusal
            | ChangeKind::ConsoleSession => {}
        }
    }

    /// Takes everything from the store again. A token that was revoked before stays so: none is issued twice.
    async fn start_afresh(&self, at: &Position) -> Result<(), FollowError> {
        self.keys.forget_all();
        self.keyring.reload(&self.store).await?;
        self.revoked_tokens.load(&self.store, self.clock.now()).await?;
        self.withdrawals.load(&self.store, self.clock.now()).await?;
        self.has_seen(at);
        Ok(())
    }

    /// Puts the feed together again if anything was taken in since the last time.
    fn publish_anew(&self, now: Timestamp) {
        let seen = self.seen();
        if !self.feed.is_of(&seen) {
            self.publish(&seen, now);
        }
    }

    fn seen(&self) -> Position {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn has_seen(&self, position: &Position) {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).clone_from(position);
    }
}
