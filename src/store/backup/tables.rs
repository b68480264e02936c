//! The tables of a store. They are read from its schema, so that no table can be forgotten.

use crate::store::db::{Tx, either, row, run};

#[derive(Clone, Debug)]
pub(in crate::store) struct Table {
    pub(in crate::store) name: String,
    /// The columns, in order.
    pub(super) columns: Vec<Column>,
}

#[derive(Clone, Debug)]
pub(super) struct Column {
    pub(super) name: String,
    pub(super) kind: Kind,
}

/// The column types that both databases have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Text,
    Integer,
    Bytes,
}

row! {
    struct ColumnRow {
        table_name: String,
        column_name: String,
        declared: String,
    }
}

row! {
    struct ReferenceRow {
        child: String,
        parent: String,
    }
}

impl Table {
    /// The tables of a store on SQLite. Each follows the tables that its rows refer to. The sessions of console
    /// and portal and the running nodes are left out, because no backup has them.
    pub(super) async fn all(tx: &mut Tx) -> sqlx::Result<Vec<Self>> {
        let columns = either!(tx, |tx, DB| {
            sqlx::query_as::<DB, ColumnRow>(
                "SELECT m.name AS table_name, c.name AS column_name, c.type AS declared
                 FROM sqlite_schema m JOIN pragma_table_info(m.name) c
                 WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite~_%' ESCAPE '~'
                   AND m.name NOT IN ('_sqlx_migrations', 'backup', 'console_sessions', 'nodes', 'portal_sessions')
                 ORDER BY m.name, c.cid",
            )
            .fetch_all(&mut **tx)
            .await
        })?;
        let references = either!(tx, |tx, DB| {
            sqlx::query_as::<DB, ReferenceRow>(
                "SELECT m.name AS child, f.\"table\" AS parent
                 FROM sqlite_schema m JOIN pragma_foreign_key_list(m.name) f WHERE m.type = 'table'",
            )
            .fetch_all(&mut **tx)
            .await
        })?;
        Ok(parents_first(gathered(columns)?, &references))
    }

    /// Deletes all rows.
    pub(in crate::store) async fn clear(&self, tx: &mut Tx) -> sqlx::Result<()> {
        run(tx, format!("DELETE FROM {}", self.name)).await
    }

    /// The column names, quoted for a statement.
    pub(super) fn column_list(&self) -> String {
        let names: Vec<_> = self.columns.iter().map(|column| format!("\"{}\"", column.name)).collect();
        names.join(", ")
    }

    /// The first column. The primary key begins with it.
    pub(in crate::store) fn first_column(&self) -> &str {
        self.columns.first().map_or("", |column| &column.name)
    }

    /// The assignments of an update that sets all columns except `kept` to those of `from`.
    pub(in crate::store) fn assignments(&self, from: &str, kept: &[&str]) -> String {
        let names = self.columns.iter().map(|column| &*column.name).filter(|name| !kept.contains(name));
        let assignments: Vec<_> = names.map(|name| format!("\"{name}\" = {from}.\"{name}\"")).collect();
        assignments.join(", ")
    }
}

fn gathered(rows: Vec<ColumnRow>) -> sqlx::Result<Vec<Table>> {
    let mut tables: Vec<Table> = Vec::new();
    for row in rows {
        let column = Column { kind: kind(&row.declared)?, name: row.column_name };
        match tables.last_mut().filter(|table| table.name == row.table_name) {
            Some(table) => table.columns.push(column),
            None => tables.push(Table { name: row.table_name, columns: vec![column] }),
        }
    }
    Ok(tables)
}

fn kind(declared: &str) -> sqlx::Result<Kind> {
    match declared {
        "TEXT" => Ok(Kind::Text),
        "BIGINT" => Ok(Kind::Integer),
        "BYTEA" => Ok(Kind::Bytes),
        _ => Err(sqlx::Error::TypeNotFound { type_name: declared.to_owned() }),
    }
}

/// Sorts tables so that each follows those that it refers to.
fn parents_first(mut tables: Vec<Table>, references: &[ReferenceRow]) -> Vec<Table> {
    let mut ordered: Vec<Table> = Vec::with_capacity(tables.len());
    while !tables.is_empty() {
        let waiting: Vec<String> = tables.iter().map(|table| table.name.clone()).collect();
        let (next, rest): (Vec<_>, Vec<_>) = tables.into_iter().partition(|table| {
            let mut own = references.iter().filter(|reference| reference.child == table.name);
            own.all(|reference| reference.parent == table.name || !waiting.contains(&reference.parent))
        });
        let is_stuck = next.is_empty();
        ordered.extend(next);
        tables = rest;
        if is_stuck {
            // The rest refer to each other in a circle, so no order is right.
            ordered.append(&mut tables);
        }
    }
    ordered
}

#[cfg(test)]
mod tests {
    use super::*;

    fn order(names: &[&str], references: &[(&str, &str)]) -> Vec<String> {
        let tables = names.iter().map(|name| Table { name: (*name).into(), columns: Vec::new() }).collect();
        let references: Vec<_> = references
            .iter()
            .map(|(child, parent)| ReferenceRow { child: (*child).into(), parent: (*parent).into() })
            .collect();
        parents_first(tables, &references).into_iter().map(|table| table.name).collect()
    }

    #[test]
    fn tables_follow_those_that_they_refer_to() {
        let references = [("a", "b"), ("b", "c"), ("d", "d")];
        assert_eq!(order(&["a", "b", "c", "d", "e"], &references), ["c", "d", "e", "b", "a"]);
        assert_eq!(order(&["a", "b", "c"], &[("a", "b"), ("b", "a")]), ["c", "a", "b"]);
    }

    #[test]
    fn a_column_of_another_type_is_not_overlooked() {
        assert!(kind("BOOLEAN").is_err());
    }
}
