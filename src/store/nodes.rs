//! The nodes that run on a store, as they report themselves.

use sqlx::Postgres;

use super::db::{Either, database_seconds, in_time, row};
use super::write::Write;
use super::{Store, StoreError};
use crate::base::clock::Timestamp;

/// How long after its last report a node still counts as running, in seconds. Nodes report every five seconds.
const LIVE_SECONDS: i64 = 60;

/// How long after its last report a node is forgotten, in seconds.
const FORGOTTEN_SECONDS: i64 = 600;

/// A node, as it last reported itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeReport {
    /// Its id, which is new at each start.
    pub id: String,
    /// The version of its binary.
    pub version: String,
    /// The check values of the master keys that it holds, in hexadecimal.
    pub master_keys: Vec<String>,
    /// When it reported this, by the database's clock.
    pub seen_at: Timestamp,
}

row! {
    struct NodeRow {
        id: String,
        version: String,
        master_keys: String,
        seen_at: i64,
    }
}

impl From<NodeRow> for NodeReport {
    fn from(row: NodeRow) -> Self {
        Self {
            id: row.id,
            version: row.version,
            master_keys: row.master_keys.split_ascii_whitespace().map(str::to_owned).collect(),
            seen_at: Timestamp::from_unix(row.seen_at),
        }
    }
}

/// By the database's clock, since the clocks of nodes may differ.
const REPORT: &str = concat!(
    "INSERT INTO nodes (id, version, master_keys, seen_at) VALUES ($1, $2, $3, ",
    database_seconds!(),
    ") ON CONFLICT (id) DO UPDATE SET master_keys = EXCLUDED.master_keys, seen_at = EXCLUDED.seen_at"
);

const FORGET_SILENT: &str = concat!("DELETE FROM nodes WHERE seen_at < ", database_seconds!(), " - $1");

const LIVE_NODES: &str = concat!(
    "SELECT id, version, master_keys, seen_at FROM nodes WHERE seen_at >= ",
    database_seconds!(),
    " - $1 ORDER BY id"
);

impl Store {
    /// Stores the report of a node, and forgets nodes that have been silent for long. SQLite has a single node, so
    /// nothing is stored there.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn report_node(
        &self,
        id: &str,
        version: &str,
        master_keys: &[String],
    ) -> Result<(), StoreError> {
        let Either::Postgres(pool) = &self.db else { return Ok(()) };
        let master_keys = master_keys.join(" ");
        let reported = async {
            let silent = sqlx::query::<Postgres>(FORGET_SILENT).bind(FORGOTTEN_SECONDS);
            silent.execute(pool).await?;
            let report = sqlx::query::<Postgres>(REPORT).bind(id).bind(version).bind(master_keys);
            report.execute(pool).await.map(drop)
        };
        Ok(in_time(reported).await?)
    }

    /// Forgets a node that stops.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn forget_node(&self, id: &str) -> Result<(), StoreError> {
        let Either::Postgres(pool) = &self.db else { return Ok(()) };
        let forget = sqlx::query::<Postgres>("DELETE FROM nodes WHERE id = $1").bind(id);
        Ok(in_time(async { forget.execute(pool).await.map(drop) }).await?)
    }

    /// The nodes that reported themselves lately. Empty on SQLite.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn live_nodes(&self) -> Result<Vec<NodeReport>, StoreError> {
        let Either::Postgres(pool) = &self.db else { return Ok(Vec::new()) };
        let live = sqlx::query_as::<Postgres, NodeRow>(LIVE_NODES).bind(LIVE_SECONDS);
        let rows = in_time(async { live.fetch_all(pool).await }).await?;
        Ok(rows.into_iter().map(Into::into).collect())
    }
}

impl Write {
    /// The same as [`Store::live_nodes`], as of this mutation.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn live_nodes(&mut self) -> Result<Vec<NodeReport>, StoreError> {
        let Either::Postgres(tx) = &mut self.tx else { return Ok(Vec::new()) };
        let live = sqlx::query_as::<Postgres, NodeRow>(LIVE_NODES).bind(LIVE_SECONDS);
        let rows = in_time(async { live.fetch_all(&mut **tx).await }).await?;
        Ok(rows.into_iter().map(Into::into).collect())
    }
}
