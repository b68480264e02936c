//! How to open a connection to each database, and what must hold before it is used.

use std::fmt::Debug;
use std::sync::Arc;

use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions as _, Database, PgConnection, Postgres, Sqlite, SqliteConnection};

use crate::store::database_file::DatabaseFile;
use crate::store::primary::Primary;

/// A supported database.
pub(crate) trait Engine: Database {
    /// What connections lead to.
    type Source: Debug + Send + Sync + 'static;

    /// The statement that begins a writing transaction.
    const BEGIN: &'static str;

    /// Opens a connection and prepares it for all statements.
    fn connect(source: &Self::Source) -> impl Future<Output = sqlx::Result<Self::Connection>> + Send;

    /// Runs a statement that begins or ends a transaction.
    fn run(
        connection: &mut Self::Connection,
        statement: &'static str,
    ) -> impl Future<Output = sqlx::Result<()>> + Send;

    /// Fails if the next start would not find what was just written.
    fn check_source(source: &Self::Source) -> sqlx::Result<()>;

    /// Unlocks the database after the last connection is closed.
    fn release(_: &Self::Source) {}
}

/// The file of an SQLite database.
#[derive(Clone, Debug)]
pub(crate) struct SqliteFile {
    pub(crate) options: SqliteConnectOptions,
    /// The files that all connections must share, if a server relies on them.
    pub(crate) file: Option<Arc<DatabaseFile>>,
}

impl Engine for Sqlite {
    type Source = SqliteFile;

    // Immediate: a transaction that reads first and writes later fails if another one writes in between.
    const BEGIN: &'static str = "BEGIN IMMEDIATE";

    async fn connect(source: &SqliteFile) -> sqlx::Result<SqliteConnection> {
        Self::check_source(source)?;
        let connection = source.options.connect().await?;
        // The file may have been replaced while it was opened.
        Self::check_source(source)?;
        Ok(connection)
    }

    async fn run(connection: &mut SqliteConnection, statement: &'static str) -> sqlx::Result<()> {
        sqlx::raw_sql(statement).execute(connection).await.map(drop)
    }

    fn check_source(source: &SqliteFile) -> sqlx::Result<()> {
        source.file.as_ref().map_or(Ok(()), |file| file.check().map_err(sqlx::Error::Io))
    }

    fn release(source: &SqliteFile) {
        if let Some(file) = &source.file {
            file.release();
        }
    }
}

/// A PostgreSQL server.
#[derive(Debug)]
pub(crate) struct PostgresServer {
    pub(crate) primary: Primary,
    /// Statements that give every new session the same settings.
    pub(crate) session: &'static str,
}

impl Engine for Postgres {
    type Source = PostgresServer;

    const BEGIN: &'static str = "BEGIN";

    async fn connect(source: &PostgresServer) -> sqlx::Result<PgConnection> {
        let mut connection = source.primary.connect_again().await?;
        // As statements and not as options of the connection, because a pooler drops options.
        sqlx::raw_sql(source.session).execute(&mut connection).await?;
        Ok(connection)
    }

    async fn run(connection: &mut PgConnection, statement: &'static str) -> sqlx::Result<()> {
        sqlx::raw_sql(statement).execute(connection).await.map(drop)
    }

    fn check_source(_: &PostgresServer) -> sqlx::Result<()> {
        Ok(())
    }
}
