//! What a backup says of itself, in a table of one row.

use sqlx::AssertSqlSafe;

use super::copy::Cell;
use super::digest::{Digest, digest};
use super::tables::Table;
use crate::base::clock::Timestamp;
use crate::store::db::{Tx, either, row};

/// The format that this binary writes. It reads all before it, too.
pub(super) const FORMAT: i64 = 2;

/// The first format whose files end with a seal.
pub(super) const SEALED: i64 = 2;

/// What a backup says of itself.
#[derive(Clone, Debug)]
pub struct BackupFacts {
    /// When it was made: whatever had been committed by then is in it.
    pub made_at: Timestamp,
    /// The version of the binary that made it.
    pub made_by: String,
    /// The name of the store's history of changes.
    pub epoch: String,
    /// The number of the last change that is in it.
    pub last_change: i64,
    /// How many API keys were active in it when it was made.
    pub active_keys: i64,
    /// The version of the store's schema.
    pub(super) schema: i64,
}

row! {
    struct FactsRow {
        made_at: i64,
        made_by: String,
        epoch: String,
        last_change: i64,
        active_keys: i64,
        schema_version: i64,
        digest: Vec<u8>,
    }
}

impl BackupFacts {
    /// What they and the rows of these tables come to.
    pub(super) async fn digest(&self, tables: &[Table], from: &mut Tx) -> sqlx::Result<Digest> {
        let own = [
            Cell::Integer(Some(self.made_at.unix())),
            Cell::Text(Some(self.made_by.clone())),
            Cell::Text(Some(self.epoch.clone())),
            Cell::Integer(Some(self.last_change)),
            Cell::Integer(Some(self.active_keys)),
            Cell::Integer(Some(self.schema)),
        ];
        digest(tables, from, ("backup", &own)).await
    }

    /// Writes them into the file, with what they and its rows come to.
    pub(super) async fn write(&self, digest: Digest, to: &mut Tx) -> sqlx::Result<()> {
        let create =
            "CREATE TABLE backup (format BIGINT NOT NULL, made_at BIGINT NOT NULL, made_by TEXT NOT NULL,
             epoch TEXT NOT NULL, last_change BIGINT NOT NULL, active_keys BIGINT NOT NULL,
             schema_version BIGINT NOT NULL, digest BYTEA NOT NULL)";
        let insert = "INSERT INTO backup
                 (format, made_at, made_by, epoch, last_change, active_keys, schema_version, digest)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
        either!(to, |tx, DB| {
            sqlx::query::<DB>(create).execute(&mut **tx).await?;
            sqlx::query::<DB>(insert)
                .bind(FORMAT)
                .bind(self.made_at.unix())
                .bind(&self.made_by)
                .bind(&self.epoch)
                .bind(self.last_change)
                .bind(self.active_keys)
                .bind(self.schema)
                .bind(digest.to_vec())
                .execute(&mut **tx)
                .await
                .map(drop)
        })
    }

    /// The format of a file that says one.
    pub(super) async fn format(from: &mut Tx) -> sqlx::Result<i64> {
        either!(from, |tx, DB| {
            sqlx::query_scalar::<DB, i64>("SELECT format FROM backup").fetch_one(&mut **tx).await
        })
    }

    /// What a file in a known format says of itself, and what that and its rows came to.
    pub(super) async fn read(from: &mut Tx) -> sqlx::Result<(Self, Vec<u8>)> {
        let row = either!(from, |tx, DB| {
            sqlx::query_as::<DB, FactsRow>("SELECT * FROM backup").fetch_one(&mut **tx).await
        })?;
        let facts = Self {
            made_at: Timestamp::from_unix(row.made_at),
            made_by: row.made_by,
            epoch: row.epoch,
            last_change: row.last_change,
            active_keys: row.active_keys,
            schema: row.schema_version,
        };
        Ok((facts, row.digest))
    }
}

/// The first schema in which keys can be disabled.
const WITH_DISABLING: i64 = 8;

/// How many keys of a table with the columns that `api_keys` has in this schema are active.
pub(in crate::store) async fn active_keys(
    table: &str,
    schema: i64,
    at: Timestamp,
    from: &mut Tx,
) -> sqlx::Result<i64> {
    let enabled = if schema >= WITH_DISABLING { "AND disabled_at IS NULL" } else { "" };
    let count = format!(
        "SELECT COUNT(*) FROM {table}
         WHERE revoked_at IS NULL AND (expires_at IS NULL OR expires_at > $1) {enabled}"
    );
    either!(from, |tx, DB| {
        sqlx::query_scalar::<DB, i64>(AssertSqlSafe(count)).bind(at.unix()).fetch_one(&mut **tx).await
    })
}
