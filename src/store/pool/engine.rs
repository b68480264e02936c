//! How a connection to either database comes about, and what it must be before anybody uses it.

use std::fmt::Debug;
use std::sync::Arc;

use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions as _, Database, PgConnection, Postgres, Sqlite, SqliteConnection};

use crate::store::database_file::DatabaseFile;
use crate::store::primary::Primary;

/// A database that this server can use.
pub(crate) trait Engine: Database {
    /// What connections lead to.
    type Source: Debug + Send + Sync + 'static;

    /// The statement that begins a transaction that may write.
    const BEGIN: &'static str;

    /// Opens a connection, as all statements need it.
    fn connect(source: &Self::Source) -> impl Future<Output = sqlx::Result<Self::Connection>> + Send;

    /// Runs a statement of the protocol itself: one that begins or ends a transaction.
    fn run(
        connection: &mut Self::Connection,
        statement: &'static str,
    ) -> impl Future<Output = sqlx::Result<()>> + Send;

    /// Fails where what was just written is not where the next start would look for it.
    fn check_source(source: &Self::Source) -> sqlx::Result<()>;

    /// Lets others have the database, once no connection is left.
    fn release(_: &Self::Source) {}
}

/// A file of SQLite.
#[derive(Clone, Debug)]
pub(crate) struct SqliteFile {
    /// How it is opened.
    pub(crate) options: SqliteConnectOptions,
    /// The files that all connections must share, where there is a server that relies on them.
    pub(crate) file: Option<Arc<DatabaseFile>>,
}

impl Engine for Sqlite {
    type Source = SqliteFile;

    // At once: one that reads first and writes later fails when another one wrote in between.
    const BEGIN: &'static str = "BEGIN IMMEDIATE";

    async fn connect(source: &SqliteFile) -> sqlx::Result<SqliteConnection> {
        Self::check_source(source)?;
        let connection = source.options.connect().await?;
        // It may have been replaced while it was opened.
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
    /// Finds it.
    pub(crate) primary: Primary,
    /// Statements that make a new session what all others rely on.
    pub(crate) session: &'static str,
}

impl Engine for Postgres {
    type Source = PostgresServer;

    const BEGIN: &'static str = "BEGIN";

    async fn connect(source: &PostgresServer) -> sqlx::Result<PgConnection> {
        let mut connection = source.primary.connect_again().await?;
        // Not as options of the connection: a pooler drops those.
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
