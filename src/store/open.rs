//! Opens a store: the connection, the settings that durability depends on, the schema and the lock.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use sqlx::migrate::{MigrateError, Migration, MigrationType, Migrator};
use sqlx::postgres::PgConnectOptions;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};
use sqlx::{Connection as _, Postgres, SqlSafeStr as _, Sqlite};

use super::admission::Admission;
use super::database_file::DatabaseFile;
use super::database_url::target;
use super::db::{Db, Either};
use super::error::OpenError;
use super::pool::{Engine, Pool, PostgresServer, SqliteFile};
use super::primary::Primary;
use super::{Store, StoreError, pooler, text_order};
use crate::base::clock::monotonic_now;

/// The longest wait for an earlier writer and, at startup, for a database that is still starting.
pub(super) const WAIT: Duration = Duration::from_secs(5);

/// The time between two attempts at startup.
const BETWEEN_ATTEMPTS: Duration = Duration::from_millis(200);

/// The most connections. On SQLite, there are others for which there are permits (`admission`).
const SQLITE_CONNECTIONS: u32 = 3;
const POSTGRES_CONNECTIONS: u32 = 16;

/// The settings of every PostgreSQL session. They override those of the role and the database.
///
/// - Statements and waits for locks have time limits. Without them, a statement that hangs would hold a request and a
///   connection. A writer that stops in a transaction, because its node was stopped or has vanished, loses its turn to
///   the next one.
/// - The interpretation of statements and the isolation of transactions are fixed.
/// - What is acknowledged is on disk.
/// - The server notices within seconds when this end of a connection is gone.
const SESSION: &str = "
    SET statement_timeout = '7s';
    SET lock_timeout = '5s';
    SET idle_in_transaction_session_timeout = '1200ms';
    SET standard_conforming_strings = on;
    SET default_transaction_isolation = 'read committed';
    SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off';
    SET tcp_keepalives_idle = 5;
    SET tcp_keepalives_interval = 2;
    SET tcp_keepalives_count = 3;
    SET tcp_user_timeout = '10s'";

const MIGRATIONS: &[(i64, &str, &str)] = &[
    (1, "base", include_str!("../../migrations/0001_base.sql")),
    (2, "administration", include_str!("../../migrations/0002_administration.sql")),
    (3, "resource servers", include_str!("../../migrations/0003_resource_servers.sql")),
    (4, "console", include_str!("../../migrations/0004_console.sql")),
    (5, "orders", include_str!("../../migrations/0005_orders.sql")),
    (6, "busiest keys", include_str!("../../migrations/0006_busiest_keys.sql")),
    (7, "deployment", include_str!("../../migrations/0007_deployment.sql")),
    (8, "disabling", include_str!("../../migrations/0008_disabling.sql")),
    (10, "last use by creation", include_str!("../../migrations/0010_last_use_by_creation.sql")),
    (13, "fair shares", include_str!("../../migrations/0013_fair_shares.sql")),
    (14, "refusals are no use", include_str!("../../migrations/0014_refusals_are_no_use.sql")),
    (15, "master keys", include_str!("../../migrations/0015_master_keys.sql")),
    (16, "public keys", include_str!("../../migrations/0016_public_keys.sql")),
    (18, "trusted issuers", include_str!("../../migrations/0018_trusted_issuers.sql")),
    (19, "required dpop", include_str!("../../migrations/0019_required_dpop.sql")),
    (20, "people", include_str!("../../migrations/0020_people.sql")),
    (21, "members", include_str!("../../migrations/0021_members.sql")),
    (22, "portal sessions", include_str!("../../migrations/0022_portal_sessions.sql")),
    (23, "scope catalogue", include_str!("../../migrations/0023_scope_catalogue.sql")),
    (24, "tags and owner", include_str!("../../migrations/0024_tags_and_owner.sql")),
    (25, "overview", include_str!("../../migrations/0025_overview.sql")),
    (26, "last address", include_str!("../../migrations/0026_last_address.sql")),
    (27, "recovery keys", include_str!("../../migrations/0027_recovery_keys.sql")),
    (28, "groups left", include_str!("../../migrations/0028_groups_left.sql")),
];

impl Store {
    /// Opens the store at `url` (`sqlite://path` or `postgres://…`) and brings its schema up to date. Creates a
    /// missing SQLite file. Several processes may do this at once.
    ///
    /// # Errors
    /// [`OpenError`]. The store is then unchanged.
    pub async fn open(url: &str) -> Result<Self, OpenError> {
        match target(url)? {
            Either::Sqlite(options) => open_sqlite(options).await,
            Either::Postgres(servers) => open_postgres(servers).await,
        }
    }
}

impl Store {
    fn over(db: Db, changes: Either<SqliteConnectOptions, Primary>) -> Self {
        Self { admission: Admission::of(&db), db, changes }
    }
}

async fn open_sqlite(options: SqliteConnectOptions) -> Result<Store, OpenError> {
    let file = Arc::new(DatabaseFile::take(options.get_filename())?);
    let options = options
        .filename(file.path())
        .busy_timeout(WAIT)
        .create_if_missing(false)
        .foreign_keys(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full);
    let changes = Either::Sqlite(options.clone());
    let pool = Pool::new(SqliteFile { options, file: Some(Arc::clone(&file)) }, SQLITE_CONNECTIONS);
    check_durability(&pool).await?;
    migrate_sqlite(&pool).await?;
    pool.anchor().await.map_err(OpenError::Connect)?;
    file.hold_what_is_beside();
    Ok(Store::over(Either::Sqlite(pool), changes))
}

async fn open_postgres(servers: Vec<PgConnectOptions>) -> Result<Store, OpenError> {
    let primary = Primary::among(servers);
    first_connection(&primary).await?;
    let server = PostgresServer { primary: primary.clone(), session: SESSION };
    pooler::refuse_transaction_mode(&server).await?;
    let pool = Pool::new(server, POSTGRES_CONNECTIONS);
    migrate_postgres(&pool).await?;
    Ok(Store::over(Either::Postgres(pool), Either::Postgres(primary)))
}

/// Connects to the primary, and waits for one that is still starting.
async fn first_connection(primary: &Primary) -> Result<(), OpenError> {
    let begun = monotonic_now();
    loop {
        let Err(error) = primary.connect().await else { return Ok(()) };
        let is_starting = matches!(&error, StoreError::Unavailable(sqlx::Error::Database(error))
            if error.code().as_deref() == Some("57P03"));
        if !(is_refused(&error) || is_starting) || begun.elapsed() >= WAIT {
            return Err(no_connection(error, primary));
        }
        tokio::time::sleep(BETWEEN_ATTEMPTS).await;
    }
}

fn is_refused(error: &StoreError) -> bool {
    matches!(error, StoreError::Unavailable(sqlx::Error::Io(error))
        if error.kind() == io::ErrorKind::ConnectionRefused)
}

/// Why there is no first connection to PostgreSQL.
pub(super) fn no_connection(error: StoreError, primary: &Primary) -> OpenError {
    if !is_refused(&error) {
        return OpenError::Primary(error);
    }
    let options = primary.options();
    OpenError::Refused { host: options.get_host().to_owned(), port: options.get_port() }
}

/// The settings that durability depends on: the pragma, the query for it, and the required value.
const DURABILITY: [(&str, &str, &str); 3] = [
    ("journal_mode", "SELECT journal_mode FROM pragma_journal_mode", "wal"),
    ("synchronous", "SELECT CAST(synchronous AS TEXT) FROM pragma_synchronous", "2"),
    ("foreign_keys", "SELECT CAST(foreign_keys AS TEXT) FROM pragma_foreign_keys", "1"),
];

/// Checks the actual settings of SQLite, because a pragma that it rejects fails silently.
async fn check_durability(pool: &Pool<Sqlite>) -> Result<(), OpenError> {
    for (setting, query, wanted) in DURABILITY {
        let found: String = sqlx::query_scalar(query).fetch_one(pool).await.map_err(OpenError::Connect)?;
        if found != wanted {
            return Err(OpenError::Unsafe { setting, found, wanted });
        }
    }
    Ok(())
}

async fn migrate_sqlite(pool: &Pool<Sqlite>) -> Result<(), OpenError> {
    // On SQLite, sqlx's own lock around migrations does nothing. An exclusive transaction takes its place.
    let mut exclusive = pool.begin_with("BEGIN EXCLUSIVE").await.map_err(OpenError::Connect)?;
    sqlite_migrator().run_direct(None, &mut *exclusive, false).await.map_err(migration_failed)?;
    exclusive.commit().await.map_err(OpenError::Connect)
}

async fn migrate_postgres(pool: &Pool<Postgres>) -> Result<(), OpenError> {
    // A migration may rewrite whole tables, and another node may wait for it. This connection has longer limits.
    let mut connection = Postgres::connect(pool.source()).await.map_err(OpenError::Connect)?;
    let ends =
        "SET statement_timeout = 0; SET lock_timeout = '60s'; SET idle_in_transaction_session_timeout = 0";
    sqlx::raw_sql(ends).execute(&mut connection).await.map_err(OpenError::Connect)?;
    migrator(false).run_direct(None, &mut connection, false).await.map_err(migration_failed)?;
    text_order::set(&mut connection).await.map_err(OpenError::Connect)?;
    connection.close().await.map_err(OpenError::Connect)
}

/// The schema version of this binary.
pub(super) const SCHEMA: i64 = MIGRATIONS[MIGRATIONS.len() - 1].0;

/// A migrator for SQLite databases within an open transaction. No migration opens a transaction itself.
pub(super) fn sqlite_migrator() -> Migrator {
    migrator(true)
}

fn migrator(has_transaction: bool) -> Migrator {
    Migrator::with_migrations(
        MIGRATIONS
            .iter()
            .map(|&(version, description, sql)| {
                let (kind, sql) = (MigrationType::Simple, sql.into_sql_str());
                Migration::new(version, description.into(), kind, sql, has_transaction)
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
        while connections.len() < pool.size() as usize {
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
