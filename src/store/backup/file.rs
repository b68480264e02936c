//! Opens a backup, and checks it against its description.

use std::io;
use std::path::Path;

use sqlx::Sqlite;
use sqlx::sqlite::SqliteConnectOptions;

use super::READ;
use super::copy::copy;
use super::error::{BackupFault, BackupFileError};
use super::facts::{BackupFacts, FORMAT, SEALED};
use super::seal::{Seal, look};
use super::source::identity;
use super::tables::Table;
use crate::store::db::{Either, Tx, either};
use crate::store::open::{SCHEMA, sqlite_migrator};
use crate::store::pool::{Pool, SqliteFile};

/// A complete and undamaged backup, ready to be restored.
#[derive(Debug)]
pub struct Backup {
    /// The description.
    pub facts: BackupFacts,
    /// The check value of the master key of its store.
    pub master_key_check: Vec<u8>,
    /// The tables, in this binary's schema.
    pub(in crate::store) tables: Vec<Table>,
    /// The database with their rows.
    pub(in crate::store) rows: Tx,
}

impl Backup {
    /// Opens a backup and reads it completely to check that it is undamaged. The file stays unchanged.
    ///
    /// # Errors
    /// [`BackupFileError`].
    pub async fn open(path: &Path) -> Result<Self, BackupFileError> {
        read_verified(path).await.map_err(|fault| BackupFileError { path: path.to_owned(), fault })
    }
}

async fn read_verified(path: &Path) -> Result<Backup, BackupFault> {
    // The seal is checked before SQLite reads anything.
    let found = path.to_owned();
    let seal = tokio::task::spawn_blocking(move || look(&found)).await.map_err(io::Error::other)??;
    if seal == Seal::Broken {
        return Err(BackupFault::Damaged("its bytes differ from those that were written".into()));
    }
    let file = SqliteConnectOptions::new().filename(path.canonicalize()?).read_only(true);
    // The file may come from an untrusted source.
    let file = file.pragma("trusted_schema", "OFF").pragma("cell_size_check", "ON");
    let mut rows: Tx =
        Either::Sqlite(single(file).begin_with(READ).await.map_err(BackupFault::at_first_sight)?);
    let (facts, digest) = known_facts(seal, &mut rows).await?;
    check_structure(&mut rows).await?;

    let mut current = scratch().await?;
    let tables = emptied(facts.schema, &mut current).await?;
    if digest != facts.digest(&tables, &mut rows).await? {
        return Err(BackupFault::Damaged("its contents differ from what was written".into()));
    }
    let identity = identity(&mut rows).await?;
    let identity = identity.ok_or_else(|| BackupFault::Damaged("it was made of an empty store".into()))?;
    let master_key_check = identity.master_key_check;
    if facts.schema == SCHEMA {
        return Ok(Backup { facts, master_key_check, tables, rows });
    }
    for table in &tables {
        copy(table, &mut rows, &mut current, &table.name).await?;
    }
    let tables = migrated(SCHEMA, &mut current).await?;
    Ok(Backup { facts, master_key_check, tables, rows: current })
}

async fn known_facts(seal: Seal, rows: &mut Tx) -> Result<(BackupFacts, Vec<u8>), BackupFault> {
    let format = BackupFacts::format(rows).await.map_err(BackupFault::at_first_sight)?;
    if format > FORMAT {
        return Err(BackupFault::NewerFormat(format));
    }
    if format >= SEALED && seal == Seal::None {
        return Err(BackupFault::Damaged("its end is missing".into()));
    }
    let (facts, digest) = BackupFacts::read(rows).await?;
    if facts.schema > SCHEMA {
        return Err(BackupFault::NewerSchema(facts.schema));
    }
    Ok((facts, digest))
}

async fn check_structure(rows: &mut Tx) -> Result<(), BackupFault> {
    let found: String = either!(rows, |tx, DB| {
        sqlx::query_scalar::<DB, String>("PRAGMA integrity_check(1)").fetch_one(&mut **tx).await
    })?;
    if found != "ok" {
        return Err(BackupFault::Damaged(found));
    }
    Ok(())
}

/// A pool with a single connection to a file.
pub(super) fn single(options: SqliteConnectOptions) -> Pool<Sqlite> {
    Pool::new(SqliteFile { options, file: None }, 1)
}

/// A private temporary database on disk. It disappears when it is dropped or the process ends.
pub(in crate::store) async fn scratch() -> sqlx::Result<Tx> {
    let options = SqliteConnectOptions::new().filename("").create_if_missing(true).foreign_keys(false);
    Ok(Either::Sqlite(single(options).begin_with(READ).await?))
}

/// Migrates an SQLite database to this schema version. Returns its tables.
pub(in crate::store) async fn migrated(schema: i64, tx: &mut Tx) -> sqlx::Result<Vec<Table>> {
    let Either::Sqlite(connection) = tx else { return Err(sqlx::Error::BeginFailed) };
    sqlite_migrator().run_direct(Some(schema), &mut **connection, false).await?;
    Table::all(tx).await
}

/// Like [`migrated`], but without the rows of a new store.
pub(super) async fn emptied(schema: i64, tx: &mut Tx) -> sqlx::Result<Vec<Table>> {
    let tables = migrated(schema, tx).await?;
    for table in tables.iter().rev() {
        table.clear(tx).await?;
    }
    Ok(tables)
}
