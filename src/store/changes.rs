//! The sequence of changes, and positions in it.

use sqlx::postgres::PgListener;

use super::change_kind::ChangeKind;
use super::db::{Either, on};
use super::{Store, StoreError};
use crate::base::clock::Timestamp;

/// The channel on which PostgreSQL announces commits. The statement that announces them repeats the name.
const CHANNEL: &str = "claviger_changes";

/// One change of a committed mutation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The number of the change. Numbers are consecutive.
    pub seq: i64,
    /// The kind of thing that changed. `None` for a kind that a newer binary wrote.
    pub kind: Option<ChangeKind>,
    /// The id of what changed.
    pub subject: String,
    /// When the change was made, by the clock of the node that made it.
    pub at: Timestamp,
}

/// A position in a store's history. When the history changes, a node drops everything that it holds in memory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Position {
    /// The epoch, which names the history. A restore begins a new one. `None` for an empty store.
    pub epoch: Option<String>,
    /// The PostgreSQL timeline, which changes with a promotion or a recovery to a point in time. `None` on SQLite and
    /// where the server hides it.
    pub timeline: Option<String>,
    /// The number of the last change.
    pub last: i64,
    /// The last change, as long as it is kept.
    pub change: Option<Change>,
}

impl Store {
    /// The number of the last committed change.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn last_change(&self) -> Result<i64, StoreError> {
        Ok(on!(&self.db, |pool, DB| {
            sqlx::query_scalar::<DB, i64>("SELECT value FROM sequences WHERE name = 'changes'")
                .fetch_one(pool)
                .await
        })?)
    }

    /// Calls `wake` at every notification of a change. Returns when the connection is lost or leads to the wrong
    /// server. On SQLite, which has only one node, it never returns.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn on_change(&self, wake: impl Fn() + Send) -> Result<(), StoreError> {
        let Either::Postgres(primary) = &self.changes else { return std::future::pending().await };
        let mut failovers = primary.failovers();
        let mut listener = PgListener::connect_with(&primary.listening()).await?;
        listener.listen(CHANNEL).await?;
        // There were no notifications of commits before the connection was established.
        wake();
        loop {
            tokio::select! {
                // A connection to a failed server stays silent.
                _ = failovers.changed() => return Ok(()),
                heard = listener.try_recv() => match heard? {
                    Some(_) => wake(),
                    None => return Ok(()),
                }
            }
        }
    }

    /// Deletes changes from before `before`. Nodes have either seen them long ago, or are so far behind that they
    /// start afresh.
    ///
    /// # Errors
    /// When the store fails.
    /// When the store fails.
    pub async fn delete_old_changes(&self, before: Timestamp) -> Result<u64, StoreError> {
        self.delete_older("DELETE FROM changes WHERE at < $1", before).await
    }
}
