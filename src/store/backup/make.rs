//! Makes a backup of a store that stays in use.

use std::io;
use std::path::Path;

use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};
use sqlx::{Postgres, Sqlite};

use super::BackupError;
use super::READ;
use super::copy::copy;
use super::draft::Draft;
use super::facts::{BackupFacts, active_keys};
use super::file::{emptied, single};
use super::source::{Source, identity, schema};
use super::tables::Table;
use crate::base::clock::Timestamp;
use crate::base::entropy::Entropy;
use crate::store::OpenError;
use crate::store::db::{Either, Tx, either, run};
use crate::store::open::SCHEMA;
use crate::store::pool::Pool;

/// The first schema with the console's sessions.
const WITH_SESSIONS: i64 = 4;

/// The schema version from which a store has members.
const WITH_MEMBERS: i64 = 21;

/// The first schema with sessions of the portal.
const WITH_PORTAL: i64 = 22;

/// Backs up the store at `url` as of a single moment, `at` or later. The new file is readable only by its owner.
/// Readers and writers of the store continue.
///
/// # Errors
/// [`BackupError`]. Then there is no file.
pub async fn back_up(
    url: &str,
    path: &Path,
    at: Timestamp,
    entropy: &Entropy,
) -> Result<BackupFacts, BackupError> {
    let draft = Draft::of(path, entropy)?;
    let source = Source::open(url).await?.ok_or(BackupError::Empty)?;
    let file = single(
        SqliteConnectOptions::new()
            .filename(&draft.path)
            // The file needs no journal, because an incomplete draft is deleted.
            .journal_mode(SqliteJournalMode::Off)
            .synchronous(SqliteSynchronous::Off)
            .foreign_keys(false),
    );
    match &source.db {
        Either::Sqlite(store) => vacuum(store, &draft.path).await?,
        Either::Postgres(store) => copy_all(store, &file).await?,
    }
    let facts = seal(&file, at).await?;
    file.close().await;
    tokio::task::spawn_blocking(move || draft.publish())
        .await
        .map_err(|error| BackupError::File { path: path.to_owned(), source: io::Error::other(error) })??;
    Ok(facts)
}

/// Makes SQLite's own copy: as of one moment, in the order of the tables, and without deleted data.
async fn vacuum(store: &Pool<Sqlite>, path: &Path) -> Result<(), BackupError> {
    let path = path.to_str().ok_or_else(|| {
        let source = io::Error::new(io::ErrorKind::InvalidInput, "SQLite takes only paths that are UTF-8");
        BackupError::File { path: path.to_owned(), source }
    })?;
    sqlx::query("VACUUM INTO $1").bind(path).execute(store).await?;
    Ok(())
}

async fn copy_all(store: &Pool<Postgres>, file: &Pool<Sqlite>) -> Result<(), BackupError> {
    let mut from: Tx =
        Either::Postgres(store.begin_with("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY").await?);
    let schema = known_schema(&mut from).await?;
    let mut to: Tx = Either::Sqlite(file.begin_with(READ).await?);
    for table in emptied(schema, &mut to).await? {
        copy(&table, &mut from, &mut to, &table.name).await?;
    }
    Ok(either!(to, |tx, DB| tx.commit().await)?)
}

/// Adds the description to the copy.
async fn seal(file: &Pool<Sqlite>, made_at: Timestamp) -> Result<BackupFacts, BackupError> {
    let mut tx: Tx = Either::Sqlite(file.begin_with(READ).await?);
    let schema = known_schema(&mut tx).await?;
    if schema >= WITH_SESSIONS {
        // Otherwise, a session that ends after this moment would be open again after a restore.
        run(&mut tx, "DELETE FROM console_sessions").await?;
    }
    if schema >= WITH_MEMBERS {
        // The same holds for an invitation that is used after this moment.
        run(&mut tx, "UPDATE members SET invitation_digest = NULL, invitation_expires_at = NULL").await?;
    }
    if schema >= WITH_PORTAL {
        run(&mut tx, "DELETE FROM portal_sessions").await?;
    }
    let identity = identity(&mut tx).await?.ok_or(BackupError::Empty)?;
    let facts = BackupFacts {
        made_at,
        made_by: env!("CARGO_PKG_VERSION").to_owned(),
        epoch: identity.epoch,
        last_change: identity.last_change,
        active_keys: active_keys("api_keys", schema, made_at, &mut tx).await?,
        schema,
    };
    let digest = facts.digest(&Table::all(&mut tx).await?, &mut tx).await?;
    facts.write(digest, &mut tx).await?;
    either!(tx, |tx, DB| tx.commit().await)?;
    Ok(facts)
}

async fn known_schema(tx: &mut Tx) -> Result<i64, BackupError> {
    match schema(tx).await?.ok_or(BackupError::Empty)? {
        schema if schema > SCHEMA => Err(OpenError::NewerSchema(schema).into()),
        schema => Ok(schema),
    }
}
