//! One statement for two databases: an enum over the concrete pools, and macros that run the same code on either.

use std::time::Duration;

use sqlx::{AssertSqlSafe, Postgres, Sqlite};

use super::error::timed_out;
use super::pool::Pool;
use super::transaction::Transaction;

/// The longest wait for an answer of the database, shorter than the time that a shutdown allows. PostgreSQL gives up
/// earlier by itself, unless it can't be reached.
const ANSWER_WITHIN: Duration = Duration::from_millis(7_500);

/// The most rows in one statement, far below the limit of bound values on either database.
pub(crate) const BATCH: usize = 500;

/// Whether connections keep a statement over this many rows prepared. The text differs with the number of rows. Each
/// connection would keep the last hundred texts, and a large prepared statement takes some hundred kilobytes.
pub(crate) const fn stays_prepared(rows: usize) -> bool {
    rows <= 1
}

/// A value for one of the two databases.
#[derive(Clone, Debug)]
pub(crate) enum Either<S, P> {
    Sqlite(S),
    Postgres(P),
}

pub(crate) type Db = Either<Pool<Sqlite>, Pool<Postgres>>;

pub(crate) type Tx = Either<Transaction<Sqlite>, Transaction<Postgres>>;

/// Runs `$body` without a time limit, with `$x` bound to the pool or transaction and `$DB` to its database type. It
/// is for code that copies whole tables.
macro_rules! either {
    ($either:expr, |$x:ident, $DB:ident| $body:expr) => {
        match $either {
            $crate::store::db::Either::Sqlite($x) => {
                #[allow(dead_code)]
                type $DB = sqlx::Sqlite;
                $body
            }
            $crate::store::db::Either::Postgres($x) => {
                #[allow(dead_code)]
                type $DB = sqlx::Postgres;
                $body
            }
        }
    };
}
pub(crate) use either;

/// Like [`either!`], with a time limit: `on!(&db, |pool, DB| sqlx::query::<DB>("…").execute(pool).await)`. A late
/// answer is an error.
macro_rules! on {
    ($either:expr, |$x:ident, $DB:ident| $body:expr) => {
        $crate::store::db::either!($either, |$x, $DB| {
            $crate::store::transaction::StatementObserver::started(&*$x);
            let begun = $crate::base::clock::monotonic_now();
            let answer = $crate::store::db::in_time(async { $body }).await;
            $crate::store::transaction::StatementObserver::ended(&*$x, &answer, begun);
            answer
        })
    };
}
pub(crate) use on;

/// Waits for `answer` within the time limit. Without one, a silent connection would block until the network gives it
/// up.
pub(crate) async fn in_time<T>(answer: impl Future<Output = sqlx::Result<T>>) -> sqlx::Result<T> {
    tokio::time::timeout(ANSWER_WITHIN, answer).await.unwrap_or_else(|_| Err(timed_out()))
}

/// Opens a transaction that may write.
pub(crate) async fn begin(db: &Db) -> sqlx::Result<Tx> {
    in_time(async {
        Ok(match db {
            Either::Sqlite(pool) => Either::Sqlite(pool.begin().await?),
            Either::Postgres(pool) => Either::Postgres(pool.begin().await?),
        })
    })
    .await
}

/// Opens a read-only transaction that sees a single moment. Writers don't wait for it.
pub(crate) async fn begin_snapshot(db: &Db) -> sqlx::Result<Tx> {
    in_time(async {
        Ok(match db {
            // The snapshot is taken at the first read.
            Either::Sqlite(pool) => Either::Sqlite(pool.begin_with("BEGIN").await?),
            Either::Postgres(pool) => {
                let begin = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";
                Either::Postgres(pool.begin_with(begin).await?)
            }
        })
    })
    .await
}

/// PostgreSQL's time, in Unix seconds.
macro_rules! database_seconds {
    () => {
        "CAST(EXTRACT(EPOCH FROM clock_timestamp()) AS BIGINT)"
    };
}
pub(crate) use database_seconds;

/// Runs a composed statement without a time limit.
pub(crate) async fn run(tx: &mut Tx, statement: impl Into<String>) -> sqlx::Result<()> {
    let statement = AssertSqlSafe(statement.into());
    either!(tx, |tx, DB| sqlx::query::<DB>(statement).execute(&mut **tx).await.map(drop))
}

/// Defines a row type that reads its columns by name from either database.
macro_rules! row {
    ($(#[$doc:meta])* $visible:vis struct $name:ident { $($field:ident: $type:ty),* $(,)? }) => {
        $(#[$doc])*
        $visible struct $name { $($field: $type),* }

        $crate::store::db::row!(@reads sqlx::sqlite::SqliteRow, $name { $($field),* });
        $crate::store::db::row!(@reads sqlx::postgres::PgRow, $name { $($field),* });
    };
    (@reads $row:ty, $name:ident { $($field:ident),* }) => {
        impl<'r> sqlx::FromRow<'r, $row> for $name {
            fn from_row(row: &'r $row) -> sqlx::Result<Self> {
                use sqlx::Row as _;
                Ok(Self { $($field: row.try_get(stringify!($field))?),* })
            }
        }
    };
}
pub(crate) use row;

/// SQLite's plan for a statement, step by step.
#[cfg(test)]
pub(crate) async fn plan(pool: &Pool<Sqlite>, statement: &str) -> Vec<String> {
    use sqlx::Row as _;

    let explain = AssertSqlSafe(format!("EXPLAIN QUERY PLAN {statement}"));
    let steps = sqlx::query(explain).fetch_all(pool).await.unwrap();
    steps.iter().map(|step| step.get("detail")).collect()
}
