//! One order of text on both databases: that of its bytes, as SQLite has it.
//!
//! Any other order is the operating system's, differs from server to server, and may change with an upgrade of its
//! C library, under indexes that were built by the old one.

use sqlx::{AssertSqlSafe, Connection as _, PgConnection, Row as _};

/// A statement for each table that has columns of another order, all its columns in one: an index is built anew
/// once.
const STATEMENTS: &str = r#"
    SELECT format('ALTER TABLE %I %s', table_name, string_agg(
        format('ALTER COLUMN %I TYPE text COLLATE "C"', column_name), ', ' ORDER BY ordinal_position))
    FROM information_schema.columns
    JOIN information_schema.tables USING (table_schema, table_name)
    WHERE table_schema = current_schema() AND table_type = 'BASE TABLE' AND data_type = 'text'
      AND collation_name IS DISTINCT FROM 'C'
      AND table_name <> '_sqlx_migrations'
    GROUP BY table_name ORDER BY table_name"#;

/// Held while columns are changed, so that of several nodes that start one does it. Any number that nobody else has.
const LOCK: &str = "SELECT pg_advisory_xact_lock(4241130967)";

/// Gives every column of text the order of bytes, those of later migrations included.
pub(super) async fn set(connection: &mut PgConnection) -> sqlx::Result<()> {
    let mut tx = connection.begin().await?;
    sqlx::raw_sql(LOCK).execute(&mut *tx).await?;
    for row in sqlx::raw_sql(STATEMENTS).fetch_all(&mut *tx).await? {
        let statement: String = row.try_get(0)?;
        sqlx::raw_sql(AssertSqlSafe(statement)).execute(&mut *tx).await?;
    }
    tx.commit().await
}
