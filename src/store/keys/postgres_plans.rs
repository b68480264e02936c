//! PostgreSQL's plans for statements about keys.

use sqlx::{AssertSqlSafe, Connection as _, Execute, Postgres, Row as _};

use crate::store::Store;
use crate::store::pool::Pool;

#[path = "../../../tests/support/missing.rs"]
#[allow(unreachable_pub, clippy::disallowed_methods, reason = "shared with the integration tests")]
mod missing;
#[path = "../../../tests/support/postgres.rs"]
#[allow(
    dead_code,
    missing_docs,
    unreachable_pub,
    clippy::disallowed_methods,
    reason = "shared with the integration tests"
)]
mod postgres;

/// An empty store in a database of this name, or `None` where PostgreSQL is missing.
pub(super) async fn store(database: &str) -> Option<Store> {
    let Some(server) = postgres::Postgres::shared() else {
        missing::left_out("PostgreSQL");
        return None;
    };
    let mut connection = sqlx::PgConnection::connect(&server.url("postgres")).await.unwrap();
    let create = AssertSqlSafe(format!("CREATE DATABASE {database}"));
    sqlx::query(create).execute(&mut connection).await.unwrap();
    Some(Store::open(&server.url(database)).await.unwrap())
}

/// The plan for a statement with its values, step by step.
pub(super) async fn of<'q>(pool: &Pool<Postgres>, mut statement: impl Execute<'q, Postgres>) -> Vec<String> {
    let arguments = statement.take_arguments().unwrap().unwrap();
    let explain = AssertSqlSafe(format!("EXPLAIN (COSTS OFF) {}", statement.sql().as_str()));
    let steps = sqlx::query_with(explain, arguments).fetch_all(pool).await.unwrap();
    steps.iter().map(|step| step.get(0)).collect()
}
