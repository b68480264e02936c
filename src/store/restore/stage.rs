//! The tables of a backup beside the store's own, under names of their own, and in their place.

use crate::store::backup::{Backup, Table, copy};
use crate::store::db::{Either, Tx, run};

/// Puts all of a backup into temporary tables: that of `api_keys` is `backup_api_keys`.
pub(super) async fn stage(backup: &mut Backup, tx: &mut Tx) -> sqlx::Result<()> {
    for table in &backup.tables {
        let (name, key) = (&table.name, table.first_column());
        run(tx, format!("CREATE TEMPORARY TABLE backup_{name} AS SELECT * FROM {name} WHERE 1 = 0")).await?;
        copy(table, &mut backup.rows, tx, &format!("backup_{name}")).await?;
        run(tx, format!("CREATE INDEX backup_{name}_key ON backup_{name} (\"{key}\")")).await?;
    }
    Ok(())
}

/// Lifts the limits that PostgreSQL has for statements that somebody waits for.
pub(super) async fn take_time(tx: &mut Tx) -> sqlx::Result<()> {
    if let Either::Postgres(_) = tx {
        run(tx, "SET LOCAL statement_timeout = 0").await?;
        run(tx, "SET LOCAL lock_timeout = '60s'").await?;
        run(tx, "SET LOCAL idle_in_transaction_session_timeout = 0").await?;
    }
    Ok(())
}

/// From here on, nobody else writes. An SQLite transaction that may write sees to that by itself.
pub(super) async fn keep_writers_out(tables: &[Table], tx: &mut Tx) -> sqlx::Result<()> {
    if let Either::Postgres(_) = tx {
        // In the order of those who write to several: a mutation begins with its number.
        let others = tables.iter().map(|table| &*table.name).filter(|name| *name != "sequences");
        let names: Vec<_> = std::iter::once("sequences").chain(others).collect();
        run(tx, format!("LOCK TABLE {} IN SHARE ROW EXCLUSIVE MODE", names.join(", "))).await?;
    }
    Ok(())
}

/// Makes the staged tables the store's own.
pub(super) async fn put_in_place(tables: &[Table], tx: &mut Tx) -> sqlx::Result<()> {
    for table in tables.iter().rev() {
        table.clear(tx).await?;
    }
    for Table { name, .. } in tables {
        run(tx, format!("INSERT INTO {name} SELECT * FROM backup_{name}")).await?;
    }
    Ok(())
}
