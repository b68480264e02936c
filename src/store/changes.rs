//! Following what other nodes change.

use sqlx::postgres::PgListener;

use super::db::{Either, on, row};
use super::write::ChangeKind;
use super::{Store, StoreError};
use crate::clock::Timestamp;

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
}

/// Where a store stands: nothing that a node holds in memory outlasts a difference in the epoch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Position {
    /// The name of its history of changes, of which a restored store begins a new one; `None` for an empty store.
    pub epoch: Option<String>,
    /// The number of the last committed change.
    pub last: i64,
}

row! {
    struct ChangeRow {
        seq: i64,
        kind: String,
        subject: String,
    }
}

row! {
    struct PositionRow {
        epoch: Option<String>,
        last: i64,
    }
}

impl Store {
    /// Where the store stands. Asking it also proves that the store answers.
    ///
    /// # Errors
    /// When the store cannot be asked.
    pub async fn position(&self) -> Result<Position, StoreError> {
        let row = on!(&self.db, |pool, DB| {
            sqlx::query_as::<DB, PositionRow>(
                "SELECT deployment.epoch, sequences.value AS last
                 FROM sequences LEFT JOIN deployment ON deployment.id = 1 WHERE sequences.name = 'changes'",
            )
            .fetch_one(pool)
            .await
        })?;
        Ok(Position { epoch: row.epoch, last: row.last })
    }

    /// The number of the last committed change.
    ///
    /// # Errors
    /// When the store cannot be asked.
    pub async fn last_change(&self) -> Result<i64, StoreError> {
        Ok(self.position().await?.last)
    }

    /// The changes after number `seq`, oldest first, at most `limit` of them.
    ///
    /// # Errors
    /// When the store cannot be asked.
    pub async fn changes_after(&self, seq: i64, limit: u16) -> Result<Vec<Change>, StoreError> {
        let rows = on!(&self.db, |pool, DB| {
            sqlx::query_as::<DB, ChangeRow>(
                "SELECT seq, kind, subject FROM changes WHERE seq > $1 ORDER BY seq LIMIT $2",
            )
            .bind(seq)
            .bind(i64::from(limit))
            .fetch_all(pool)
            .await
        })?;
        Ok(rows
            .into_iter()
            .map(|row| Change { seq: row.seq, kind: ChangeKind::from_text(&row.kind), subject: row.subject })
            .collect())
    }

    /// Calls `wake` at every notification of a change, until the connection is lost. On SQLite, which has one
    /// node, there is nothing to wait for and this never returns.
    ///
    /// # Errors
    /// When the store cannot be asked.
    pub async fn on_change(&self, wake: impl Fn() + Send) -> Result<(), StoreError> {
        let Either::Postgres(pool) = &self.db else { return std::future::pending().await };
        let mut listener = PgListener::connect_with(pool).await?;
        listener.listen(CHANNEL).await?;
        // What was committed before the connection stood was announced to nobody.
        wake();
        while listener.try_recv().await?.is_some() {
            wake();
        }
        Ok(())
    }

    /// Forgets changes that were made before `before`: everyone who follows has long seen them, or has
    /// fallen so far behind that it starts afresh.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn forget_changes(&self, before: Timestamp) -> Result<u64, StoreError> {
        self.forget("DELETE FROM changes WHERE at < $1", before).await
    }
}
