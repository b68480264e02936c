//! The sequence of changes: what each mutation adds to it, and how far somebody has read it.

use sqlx::postgres::PgListener;

use super::db::{Either, on};
use super::write::ChangeKind;
use super::{Store, StoreError};
use crate::base::clock::Timestamp;

/// The channel that commits are announced on; spelled out in the statement that announces them.
const CHANNEL: &str = "claviger_changes";

/// One committed mutation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// Its number: one more than that of the mutation before.
    pub seq: i64,
    /// What kind of thing changed; `None` for a kind that a newer binary wrote.
    pub kind: Option<ChangeKind>,
    /// Its id.
    pub subject: String,
    /// When it was made, by the clock of the node that made it.
    pub at: Timestamp,
}

/// A place in a store's history. Nothing that a node holds in memory outlasts a change of history.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Position {
    /// The name of the history, of which a restored store begins a new one. `None` for an empty store.
    pub epoch: Option<String>,
    /// The PostgreSQL timeline, which a promotion or a recovery to a point in time changes. `None` on SQLite,
    /// and where the server does not tell.
    pub timeline: Option<String>,
    /// The number of the last change.
    pub last: i64,
    /// That change, as long as it is kept.
    pub change: Option<Change>,
}

impl Store {
    /// The number of the last committed change.
    ///
    /// # Errors
    /// When the store cannot be asked.
    pub async fn last_change(&self) -> Result<i64, StoreError> {
        Ok(on!(&self.db, |pool, DB| {
            sqlx::query_scalar::<DB, i64>("SELECT value FROM sequences WHERE name = 'changes'")
                .fetch_one(pool)
                .await
        })?)
    }

    /// Calls `wake` at every notification of a change, until the connection is lost or leads to the
    /// wrong server. On SQLite, which has one
    /// node, there is nothing to wait for and this never returns.
    ///
    /// # Errors
    /// When the store cannot be asked.
    pub async fn on_change(&self, wake: impl Fn() + Send) -> Result<(), StoreError> {
        let Either::Postgres(primary) = &self.changes else { return std::future::pending().await };
        let mut failovers = primary.failovers();
        let mut listener = PgListener::connect_with(&primary.listening()).await?;
        listener.listen(CHANNEL).await?;
        // Nobody was told of what was committed before the connection stood.
        wake();
        loop {
            tokio::select! {
                // A connection to a server that is gone stays silent.
                _ = failovers.changed() => return Ok(()),
                heard = listener.try_recv() => match heard? {
                    Some(_) => wake(),
                    None => return Ok(()),
                }
            }
        }
    }

    /// Forgets changes that were made before `before`: everyone who follows has long seen them, or has
    /// fallen so far behind that it starts afresh.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn delete_old_changes(&self, before: Timestamp) -> Result<u64, StoreError> {
        self.delete_older("DELETE FROM changes WHERE at < $1", before).await
    }
}
