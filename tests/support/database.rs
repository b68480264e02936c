//! A database for one test alone.

use std::sync::atomic::{AtomicU32, Ordering};

use sqlx::Connection as _;
use tempfile::TempDir;

use super::missing::left_out;
use super::postgres::Postgres;

/// Which database a test runs on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Backend {
    Sqlite,
    Postgres,
}

impl Backend {
    /// PostgreSQL, if it can be had here.
    pub fn postgres() -> Option<Self> {
        if Postgres::shared().is_none() {
            left_out("PostgreSQL");
            return None;
        }
        Some(Self::Postgres)
    }

    /// An empty database, and a folder for files.
    pub async fn fresh(self) -> Database {
        let folder = tempfile::tempdir().expect("a folder");
        let url = match self {
            Self::Sqlite => format!("sqlite://{}", folder.path().join("claviger.db").display()),
            Self::Postgres => create_database().await,
        };
        Database { url, folder }
    }
}

/// An empty database. The SQLite file goes with its folder, the PostgreSQL one with its server.
pub struct Database {
    pub url: String,
    pub folder: TempDir,
}

async fn create_database() -> String {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let server = Postgres::shared().expect("asked for before");
    let name = format!("test_{}", NEXT.fetch_add(1, Ordering::Relaxed));
    let mut connection = sqlx::PgConnection::connect(&server.url("postgres")).await.expect("a connection");
    let create = sqlx::AssertSqlSafe(format!("CREATE DATABASE {name} TEMPLATE template0"));
    sqlx::raw_sql(create).execute(&mut connection).await.expect("a database");
    server.url(&name)
}
