//! Reads a store without changing it. Even its schema stays as it is, and its server keeps running.

use super::READ;
use crate::store::OpenError;
use crate::store::database_url::target;
use crate::store::db::{Db, Either, Tx, either, row};
use crate::store::open::WAIT;
use crate::store::pool::{Pool, PostgresServer, SqliteFile};
use crate::store::primary::Primary;

/// A copy has no time limits, whatever the role's settings are.
const SESSION: &str = "SET statement_timeout = 0; SET idle_in_transaction_session_timeout = 0;
    SET standard_conforming_strings = on";

/// A store that is only read.
#[derive(Debug)]
pub(in crate::store) struct Source {
    pub(super) db: Db,
}

/// The identity of a store, and the end of its history.
#[derive(Clone, Debug)]
pub(in crate::store) struct Identity {
    /// The epoch, which names the history of changes.
    pub(in crate::store) epoch: String,
    /// The check value of the master key.
    pub(in crate::store) master_key_check: Vec<u8>,
    /// The number of the last change.
    pub(in crate::store) last_change: i64,
}

row! {
    struct IdentityRow {
        epoch: String,
        master_key_check: Vec<u8>,
        last_change: i64,
    }
}

impl Source {
    /// The store at `url`; `None` if there is no file that could be one.
    pub(in crate::store) async fn open(url: &str) -> Result<Option<Self>, OpenError> {
        let db: Db = match target(url)? {
            Either::Sqlite(options) if !options.get_filename().exists() => return Ok(None),
            Either::Sqlite(options) => {
                let options = options.create_if_missing(false).busy_timeout(WAIT).read_only(true);
                Either::Sqlite(Pool::new(SqliteFile { options, file: None }, 1))
            }
            Either::Postgres(servers) => {
                let primary = Primary::among(servers);
                drop(primary.connect().await.map_err(OpenError::Primary)?);
                Either::Postgres(Pool::new(PostgresServer { primary, session: SESSION }, 1))
            }
        };
        // A database that can't be reached is reported at once.
        either!(&db, |pool, DB| pool.acquire().await.map_err(OpenError::Connect)?.release());
        Ok(Some(Self { db }))
    }

    pub(in crate::store) async fn close(self) {
        either!(self.db, |pool, DB| pool.close().await);
    }

    /// Opens a transaction that sees a single moment.
    pub(in crate::store) async fn begin(&self) -> sqlx::Result<Tx> {
        Ok(match &self.db {
            Either::Sqlite(pool) => Either::Sqlite(pool.begin_with(READ).await?),
            Either::Postgres(pool) => {
                Either::Postgres(pool.begin_with("BEGIN ISOLATION LEVEL REPEATABLE READ").await?)
            }
        })
    }
}

/// The version of the schema; `None` if there is no schema.
pub(in crate::store) async fn schema(tx: &mut Tx) -> sqlx::Result<Option<i64>> {
    let exists = match tx {
        Either::Sqlite(_) => "SELECT COUNT(*) FROM sqlite_schema WHERE name = '_sqlx_migrations'",
        Either::Postgres(_) => "SELECT COUNT(*) FROM pg_class WHERE oid = to_regclass('_sqlx_migrations')",
    };
    either!(tx, |tx, DB| {
        if sqlx::query_scalar::<DB, i64>(exists).fetch_one(&mut **tx).await? == 0 {
            return Ok(None);
        }
        sqlx::query_scalar::<DB, Option<i64>>("SELECT MAX(version) FROM _sqlx_migrations")
            .fetch_one(&mut **tx)
            .await
    })
}

/// The identity of the store, which must have a schema; `None` if it is empty.
pub(in crate::store) async fn identity(tx: &mut Tx) -> sqlx::Result<Option<Identity>> {
    let row = either!(tx, |tx, DB| {
        sqlx::query_as::<DB, IdentityRow>(
            "SELECT deployment.epoch, deployment.master_key_check, sequences.value AS last_change
             FROM deployment JOIN sequences ON sequences.name = 'changes' WHERE deployment.id = 1",
        )
        .fetch_optional(&mut **tx)
        .await
    })?;
    Ok(row.map(|row| Identity {
        epoch: row.epoch,
        master_key_check: row.master_key_check,
        last_change: row.last_change,
    }))
}
