//! Copies rows from one database to another, in batches.

use futures_util::TryStreamExt as _;
use sqlx::{AssertSqlSafe, ColumnIndex, Decode, QueryBuilder, Row, Type};

use super::tables::{Column, Kind, Table};
use crate::store::db::{Tx, either};

/// The most bound values in a statement. SQLite allows 32,766, and PostgreSQL 65,535.
const MOST_VALUES: usize = 16_000;

const MOST_ROWS: usize = 500;

#[derive(Debug)]
pub(super) enum Cell {
    Text(Option<String>),
    Integer(Option<i64>),
    Bytes(Option<Vec<u8>>),
}

/// Copies all rows of `table` into the table `into` of another database.
pub(in crate::store) async fn copy(
    table: &Table,
    from: &mut Tx,
    to: &mut Tx,
    into: &str,
) -> sqlx::Result<()> {
    each_batch(table, from, async |rows| insert(table, rows, to, into).await).await
}

/// Calls a function with all rows of `table`, in batches.
pub(super) async fn each_batch(
    table: &Table,
    from: &mut Tx,
    mut take: impl AsyncFnMut(&[Vec<Cell>]) -> sqlx::Result<()>,
) -> sqlx::Result<()> {
    let size = MOST_ROWS.min(MOST_VALUES / table.columns.len().max(1));
    let select = format!("SELECT {} FROM {}", table.column_list(), table.name);
    either!(from, |tx, DB| {
        let mut rows = sqlx::query::<DB>(AssertSqlSafe(select)).fetch(&mut **tx);
        let mut batch = Vec::with_capacity(size);
        while let Some(row) = rows.try_next().await? {
            batch.push(cells(&row, &table.columns)?);
            if batch.len() == size {
                take(&batch).await?;
                batch.clear();
            }
        }
        take(&batch).await
    })
}

async fn insert(table: &Table, rows: &[Vec<Cell>], to: &mut Tx, into: &str) -> sqlx::Result<()> {
    if rows.is_empty() {
        return Ok(());
    }
    either!(to, |tx, DB| {
        let mut sql = QueryBuilder::<DB>::new(format!("INSERT INTO {into} ({}) ", table.column_list()));
        sql.push_values(rows, |mut values, row| {
            for cell in row {
                match cell {
                    Cell::Text(text) => values.push_bind(text),
                    Cell::Integer(number) => values.push_bind(number),
                    Cell::Bytes(bytes) => values.push_bind(bytes),
                };
            }
        });
        sql.build().execute(&mut **tx).await.map(drop)
    })
}

fn cells<R: Row>(row: &R, columns: &[Column]) -> sqlx::Result<Vec<Cell>>
where
    usize: ColumnIndex<R>,
    for<'r> String: Decode<'r, R::Database> + Type<R::Database>,
    for<'r> i64: Decode<'r, R::Database> + Type<R::Database>,
    for<'r> Vec<u8>: Decode<'r, R::Database> + Type<R::Database>,
{
    let cell = |(at, column): (usize, &Column)| match column.kind {
        Kind::Text => row.try_get(at).map(Cell::Text),
        Kind::Integer => row.try_get(at).map(Cell::Integer),
        Kind::Bytes => row.try_get(at).map(Cell::Bytes),
    };
    columns.iter().enumerate().map(cell).collect()
}
