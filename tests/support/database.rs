//! A database for one test alone.

use std::sync::atomic::{AtomicU32, Ordering};

use sqlx::{AssertSqlSafe, Connection as _, PgConnection, Row as _, SqliteConnection};
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
        if self == Self::Postgres {
            return Database::on(Postgres::shared().expect("asked for before")).await;
        }
        let folder = tempfile::tempdir().expect("a folder");
        Database { url: format!("sqlite://{}", folder.path().join("claviger.db").display()), folder }
    }
}

/// An empty database. The SQLite file goes with its folder, the PostgreSQL one with its server.
pub struct Database {
    pub url: String,
    pub folder: TempDir,
}

/// For each table, the query that gives its rows as text.
const POSTGRES_ROWS: &str =
    "SELECT format('SELECT %L || t::text FROM %I t ORDER BY 1', tablename || ' ', tablename)
    FROM pg_tables WHERE schemaname = 'public' ORDER BY tablename";
const SQLITE_ROWS: &str = "SELECT format('SELECT ''%s '' || json_array(%s) FROM %s ORDER BY 1', name,
        (SELECT group_concat(format('quote(%s)', name)) FROM pragma_table_info(m.name)), name)
    FROM sqlite_schema m WHERE type = 'table' ORDER BY name";

/// Runs `$body` with a connection of its own to the database at `$url`.
macro_rules! on_connection {
    ($url:expr, |$connection:ident| $body:expr) => {
        if $url.starts_with("sqlite") {
            let mut $connection = SqliteConnection::connect($url).await.expect("a connection");
            $body
        } else {
            let mut $connection = PgConnection::connect($url).await.expect("a connection");
            $body
        }
    };
}

/// The one column, which is text, of a query's answer.
macro_rules! texts {
    ($connection:ident, $query:expr) => {{
        let rows = sqlx::raw_sql(AssertSqlSafe($query)).fetch_all(&mut $connection).await.expect("rows");
        rows.iter().map(|row| row.get(0)).collect::<Vec<String>>()
    }};
}

impl Database {
    /// An empty database on a PostgreSQL server.
    pub async fn on(server: &Postgres) -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let name = format!("test_{}", NEXT.fetch_add(1, Ordering::Relaxed));
        execute(&server.url("postgres"), &format!("CREATE DATABASE {name} TEMPLATE template0")).await;
        Self { url: server.url(&name), folder: tempfile::tempdir().expect("a folder") }
    }

    /// Runs statements behind the server's back.
    pub async fn execute(&self, statements: &str) {
        execute(&self.url, statements).await;
    }

    /// Adds so many keys to the project `default` of `organization`, newer than any other, and behind the server's back.
    pub async fn add_keys(&self, organization: &str, count: u32) {
        let numbers =
            format!("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {count})");
        let id = "'key_' || substr('0000000000000000' || CAST(i AS TEXT), length(CAST(i AS TEXT)) + 1)";
        self.execute(&format!(
            "INSERT INTO api_keys (id, created_seq, organization, project, environment, brand, name, name_folded,
                 scopes, cidrs, generation, created_at, created_by)
             {numbers} SELECT {id}, 1000000 + i, '{organization}', 'default', 'prd', 'clv', 'Key ' || i, 'key ' || i, 'read:*',
                 '0.0.0.0/0 ::/0', 1, 1767225600, 'bootstrap' FROM n;
             INSERT INTO key_last_use (key_id, organization, created_seq, idle_since)
             {numbers} SELECT {id}, '{organization}', 1000000 + i, 1767225600 FROM n;
             INSERT INTO key_secrets (id, key_id, hash, created_at)
             {numbers} SELECT 'sec_' || {id}, {id}, 'none', 1767225600 FROM n;"
        ))
        .await;
    }

    /// The one column, which is text, of a query's answer.
    pub async fn texts(&self, query: &str) -> Vec<String> {
        on_connection!(&self.url, |connection| texts!(connection, query.to_owned()))
    }

    /// The one number that a query answers with.
    pub async fn number(&self, query: &str) -> i64 {
        let number = self.texts(&format!("SELECT CAST(({query}) AS TEXT)")).await;
        number[0].parse().expect("a number")
    }

    /// The same, where there may be no SQLite file, and that there is none.
    pub async fn dump_if_any(&self) -> Option<Vec<String>> {
        let file = self.url.strip_prefix("sqlite://");
        if file.is_some_and(|file| !std::path::Path::new(file).exists()) {
            return None;
        }
        Some(self.dump().await)
    }

    /// Everything that is stored, a line for each row.
    pub async fn dump(&self) -> Vec<String> {
        let queries = if self.url.starts_with("sqlite") { SQLITE_ROWS } else { POSTGRES_ROWS };
        on_connection!(&self.url, |connection| {
            let mut dump = Vec::new();
            for query in texts!(connection, queries) {
                dump.extend(texts!(connection, query));
            }
            dump
        })
    }
}

async fn execute(url: &str, statements: &str) {
    let statements = AssertSqlSafe(statements);
    on_connection!(url, |connection| {
        sqlx::raw_sql(statements).execute(&mut connection).await.expect("statements that work");
    });
}
