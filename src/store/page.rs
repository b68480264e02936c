//! Pages of lists: newest first, each beginning where the one before ended.

use sqlx::{Database, Encode, QueryBuilder, Type};

/// Some of a list.
#[derive(Debug)]
pub struct Page<T> {
    /// What is on it, the newest first.
    pub items: Vec<T>,
    /// The creation number to go on before; `None` when this was the last page.
    pub next: Option<i64>,
}

impl<T> Page<T> {
    /// From rows with their creation numbers, of which one more than `limit` was asked for: that one tells
    /// whether there is a next page.
    pub(super) fn of(mut rows: Vec<(i64, T)>, limit: u16) -> Self {
        let more = rows.len() > usize::from(limit);
        rows.truncate(limit.into());
        let next = rows.last().filter(|_| more).map(|(created_seq, _)| *created_seq);
        Self { items: rows.into_iter().map(|(_, item)| item).collect(), next }
    }
}

/// What of a list a caller may read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Visible<Id> {
    /// Everything.
    All,
    /// These.
    Only(Vec<Id>),
}

impl<Id: ToString> Visible<Id> {
    /// Narrows a selection of rows that have an `id` to what is visible.
    pub(super) fn narrow<DB: Database>(&self, sql: &mut QueryBuilder<DB>)
    where
        for<'t> String: Encode<'t, DB> + Type<DB>,
    {
        let Self::Only(ids) = self else { return };
        sql.push(" AND (1 = 0");
        for id in ids {
            sql.push(" OR id = ").push_bind(id.to_string());
        }
        sql.push(")");
    }
}
