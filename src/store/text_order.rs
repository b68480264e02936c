//! Gives text the same order on both databases: that of its bytes, as in SQLite.
//!
//! Any other order depends on the operating system. It differs between servers, and may change when the C library is
//! upgraded, under indexes that were built before.

use sqlx::{AssertSqlSafe, Connection as _, PgConnection, Row as _};

/// One statement for each table with columns in another order. Each changes all columns of the table, so that every
/// index is rebuilt once.
const STATEMENTS: &str = r#"
    SELECT format('ALTER TABLE %I %s', table_name, string_agg(
        format('ALTER COLUMN %I TYPE text COLLATE "C"', column_name), ', ' ORDER BY ordinal_position))
    FROM information_schema.columns
    JOIN information_schema.tables USING (table_schema, table_name)
    WHERE table_schema = current_schema() AND table_type = 'BASE TABLE' AND data_type = 'text'
      AND collation_name IS DISTINCT FROM 'C'
      AND table_name <> '_sqlx_migrations'
    GROUP BY table_name ORDER BY table_name"#;

/// The lock under which columns are changed, so that only one of several starting nodes does it. The number is
/// arbitrary and unique.
const LOCK: &str = "SELECT pg_advisory_xact_lock(4241130967)";

/// Gives every text column the order of bytes, including those of later migrations.
pub(super) async fn set(connection: &mut PgConnection) -> sqlx::Result<()> {
    let mut tx = connection.begin().await?;
    sqlx::raw_sql(LOCK).execute(&mut *tx).await?;
    for row in sqlx::raw_sql(STATEMENTS).fetch_all(&mut *tx).await? {
        let statement: String = row.try_get(0)?;
        sqlx::raw_sql(AssertSqlSafe(statement)).execute(&mut *tx).await?;
    }
    tx.commit().await
}
