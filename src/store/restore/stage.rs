//! Stages a backup in temporary tables beside the store's own, and moves the rows into place.

use crate::store::backup::{Backup, Table, copy};
use crate::store::db::{Either, Tx, run};

/// Copies a backup into temporary tables. The rows of `api_keys` go to `backup_api_keys`.
pub(super) async fn stage(backup: &mut Backup, tx: &mut Tx) -> sqlx::Result<()> {
    for table in &backup.tables {
        let (name, key) = (&table.name, table.first_column());
        run(tx, format!("CREATE TEMPORARY TABLE backup_{name} AS SELECT * FROM {name} WHERE 1 = 0")).await?;
        copy(table, &mut backup.rows, tx, &format!("backup_{name}")).await?;
        run(tx, format!("CREATE INDEX backup_{name}_key ON backup_{name} (\"{key}\")")).await?;
    }
    Ok(())
}

/// Lifts the time limits that PostgreSQL applies to interactive statements.
pub(super) async fn take_time(tx: &mut Tx) -> sqlx::Result<()> {
    if let Either::Postgres(_) = tx {
        run(tx, "SET LOCAL statement_timeout = 0").await?;
        run(tx, "SET LOCAL lock_timeout = '60s'").await?;
        run(tx, "SET LOCAL idle_in_transaction_session_timeout = 0").await?;
    }
    Ok(())
}

/// Locks out all other writers until the transaction ends. In SQLite, a writing transaction already does.
pub(super) async fn keep_writers_out(tables: &[Table], tx: &mut Tx) -> sqlx::Result<()> {
    if let Either::Postgres(_) = tx {
        // The order in which mutations lock the tables: each takes its change number first.
        let others = tables.iter().map(|table| &*table.name).filter(|name| *name != "sequences");
        let names: Vec<_> = std::iter::once("sequences").chain(others).collect();
        run(tx, format!("LOCK TABLE {} IN SHARE ROW EXCLUSIVE MODE", names.join(", "))).await?;
    }
    Ok(())
}

/// Replaces the store's rows by the staged ones.
pub(super) async fn put_in_place(tables: &[Table], tx: &mut Tx) -> sqlx::Result<()> {
    for table in tables.iter().rev() {
        table.clear(tx).await?;
    }
    for Table { name, .. } in tables {
        run(tx, format!("INSERT INTO {name} SELECT * FROM backup_{name}")).await?;
    }
    Ok(())
}
