//! The description of a backup, in a table with one row.

use sqlx::AssertSqlSafe;

use super::copy::Cell;
use super::digest::{Digest, digest};
use super::tables::Table;
use crate::base::clock::Timestamp;
use crate::store::db::{Tx, either, row};

/// The format that this binary writes. It reads all earlier ones too.
pub(super) const FORMAT: i64 = 2;

/// The first format whose files end with a seal.
pub(super) const SEALED: i64 = 2;

/// The description of a backup.
#[derive(Clone, Debug)]
pub struct BackupFacts {
    /// The time of the backup. It includes everything that was committed by then.
    pub made_at: Timestamp,
    /// The version of the binary that made it.
    pub made_by: String,
    /// The epoch, which names the store's history of changes.
    pub epoch: String,
    /// The number of the last change that it includes.
    pub last_change: i64,
    /// The number of API keys that were active at the time of the backup.
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
    /// The digest of this description and of all rows of these tables.
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

    /// Writes the description into the file, with the digest of it and of the rows.
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

    /// The format of the file.
    pub(super) async fn format(from: &mut Tx) -> sqlx::Result<i64> {
        either!(from, |tx, DB| {
            sqlx::query_scalar::<DB, i64>("SELECT format FROM backup").fetch_one(&mut **tx).await
        })
    }

    /// The description in a file of a known format, and the stored digest.
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

/// The number of active keys in a table that has the columns of `api_keys` in this schema.
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
