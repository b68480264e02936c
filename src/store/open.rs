//! Opening a store: the connection, the settings that durability rests on, the schema, the lock.

use std::fs::{File, OpenOptions, TryLockError};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use sqlx::migrate::{MigrateError, Migration, MigrationType, Migrator};
use sqlx::pool::PoolOptions;
use sqlx::postgres::PgConnectOptions;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};
use sqlx::{Connection as _, PgPool, SqlSafeStr as _, SqlitePool};

use super::Store;
use super::database_url::target;
use super::db::Either;
use super::error::OpenError;
use super::primary::Primary;

/// Longest wait for a free connection, and for a writer ahead in the queue.
pub(super) const WAIT: Duration = Duration::from_secs(5);

/// A connection to PostgreSQL is replaced after so long, so that a server that is being drained loses them all.
const CONNECTION_LIFE: Duration = Duration::from_secs(300);

const MIGRATIONS: [(i64, &str, &str); 7] = [
    (1, "base", include_str!("../../migrations/0001_base.sql")),
    (2, "administration", include_str!("../../migrations/0002_administration.sql")),
    (3, "resource servers", include_str!("../../migrations/0003_resource_servers.sql")),
    (4, "console", include_str!("../../migrations/0004_console.sql")),
    (5, "orders", include_str!("../../migrations/0005_orders.sql")),
    (6, "busiest keys", include_str!("../../migrations/0006_busiest_keys.sql")),
    (10, "last use by creation", include_str!("../../migrations/0010_last_use_by_creation.sql")),
];

impl Store {
    /// Opens the store at `url` (`sqlite://path` or `postgres://…`), creating an SQLite file where there is
    /// none, and brings its schema up to date. Safe in several processes at once.
    ///
    /// # Errors
    /// [`OpenError`]; the store is then as it was.
    pub async fn open(url: &str) -> Result<Self, OpenError> {
        match target(url)? {
            Either::Sqlite(options) => open_sqlite(options).await,
            Either::Postgres(servers) => open_postgres(servers).await,
        }
    }
}

async fn open_sqlite(options: SqliteConnectOptions) -> Result<Store, OpenError> {
    let options = options
        .busy_timeout(WAIT)
        .create_if_missing(true)
        .foreign_keys(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full);
    let lock = lock_beside(options.get_filename())?;
    let pool = PoolOptions::new()
        .max_connections(8)
        .acquire_timeout(WAIT)
        .max_lifetime(None)
        .idle_timeout(None)
        .connect_with(options.clone())
        .await
        .map_err(OpenError::Connect)?;
    check_durability(&pool).await?;
    migrate_sqlite(&pool).await?;
    // Whoever reads changes opens the file that is there now, or none.
    let changes = Either::Sqlite(options.create_if_missing(false));
    Ok(Store { db: Either::Sqlite(pool), changes, _lock: Some(Arc::new(lock)) })
}

async fn open_postgres(servers: Vec<PgConnectOptions>) -> Result<Store, OpenError> {
    // A statement that waits for ever would hold a request and a connection: both have ends.
    let bounded = |options: PgConnectOptions| {
        options.options([
            ("statement_timeout", "7s"),
            ("lock_timeout", "5s"),
            ("idle_in_transaction_session_timeout", "30s"),
        ])
    };
    let primary = Primary::among(servers.into_iter().map(bounded).collect());
    // Its error says what is wrong, where the pool's would be that time ran out.
    drop(primary.connect().await.map_err(OpenError::Primary)?);
    let pool = primary
        .pool(PoolOptions::new())
        .max_connections(16)
        .acquire_timeout(WAIT)
        .max_lifetime(CONNECTION_LIFE)
        .connect_with(primary.options())
        .await
        .map_err(OpenError::Connect)?;
    migrate_postgres(&pool).await?;
    Ok(Store { db: Either::Postgres(pool), changes: Either::Postgres(primary), _lock: None })
}

/// Takes the lock that keeps a second server off the file. It lies beside the database, under the path
/// that all links lead to; never on the database itself, whose locks SQLite would lose with our handle.
fn lock_beside(database: &Path) -> Result<File, OpenError> {
    let failed = |path: &Path| {
        let path = path.to_owned();
        move |source| OpenError::File { path, source }
    };
    // The file must exist for its canonical path to be known. SQLite takes an empty file for a new store.
    OpenOptions::new().append(true).create(true).open(database).map_err(failed(database))?;
    let mut sidecar = database.canonicalize().map_err(failed(database))?.into_os_string();
    sidecar.push(".lock");
    let sidecar = PathBuf::from(sidecar);
    let file = OpenOptions::new().append(true).create(true).open(&sidecar).map_err(failed(&sidecar))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(OpenError::InUse(database.to_owned())),
        Err(TryLockError::Error(source)) => Err(OpenError::File { path: sidecar, source }),
    }
}

/// What durability rests on: the pragma, how to ask for it, and what it must be.
const DURABILITY: [(&str, &str, &str); 3] = [
    ("journal_mode", "SELECT journal_mode FROM pragma_journal_mode", "wal"),
    ("synchronous", "SELECT CAST(synchronous AS TEXT) FROM pragma_synchronous", "2"),
    ("foreign_keys", "SELECT CAST(foreign_keys AS TEXT) FROM pragma_foreign_keys", "1"),
];

/// Asks SQLite what it really runs with: a pragma that it does not take fails silently.
async fn check_durability(pool: &SqlitePool) -> Result<(), OpenError> {
    for (setting, query, wanted) in DURABILITY {
        let found: String = sqlx::query_scalar(query).fetch_one(pool).await.map_err(OpenError::Connect)?;
        if found != wanted {
            return Err(OpenError::Unsafe { setting, found, wanted });
        }
    }
    Ok(())
}

async fn migrate_sqlite(pool: &SqlitePool) -> Result<(), OpenError> {
    // sqlx's own migration lock is a no-op on SQLite; an exclusive transaction around it all is one.
    let mut exclusive = pool.begin_with("BEGIN EXCLUSIVE").await.map_err(OpenError::Connect)?;
    migrator().run_direct(None, &mut *exclusive, false).await.map_err(migration_failed)?;
    exclusive.commit().await.map_err(OpenError::Connect)
}

async fn migrate_postgres(pool: &PgPool) -> Result<(), OpenError> {
    // A migration may go over whole tables, and another node wait for it: this connection's ends are later.
    let mut connection = pool.acquire().await.map_err(OpenError::Connect)?.detach();
    let ends = "SET statement_timeout = 0; SET lock_timeout = '60s'";
    sqlx::raw_sql(ends).execute(&mut connection).await.map_err(OpenError::Connect)?;
    migrator().run_direct(None, &mut connection, false).await.map_err(migration_failed)?;
    connection.close().await.map_err(OpenError::Connect)
}

/// The version of the schema that this binary knows.
pub(super) const SCHEMA: i64 = MIGRATIONS[MIGRATIONS.len() - 1].0;

pub(super) fn migrator() -> Migrator {
    Migrator::with_migrations(
        MIGRATIONS
            .iter()
            .map(|&(version, description, sql)| {
                Migration::new(version, description.into(), MigrationType::Simple, sql.into_sql_str(), false)
            })
            .collect(),
    )
}

fn migration_failed(error: MigrateError) -> OpenError {
    match error {
        MigrateError::VersionMissing(version) => OpenError::NewerSchema(version),
        other => OpenError::Migrate(other),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn every_connection_to_sqlite_keeps_what_it_acknowledges() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&format!("sqlite://{}/test.db", folder.path().display())).await.unwrap();
        let Either::Sqlite(pool) = &store.db else { unreachable!() };
        let mut connections = Vec::new();
        while connections.len() < pool.options().get_max_connections() as usize {
            connections.push(pool.acquire().await.unwrap());
        }
        for connection in &mut connections {
            for (query, wanted) in DURABILITY.map(|(_, query, wanted)| (query, wanted)) {
                let found: String = sqlx::query_scalar(query).fetch_one(&mut **connection).await.unwrap();
                assert_eq!(found, wanted, "{query}");
            }
        }
    }
}
