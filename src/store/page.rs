//! Pages of lists, each beginning where the one before ended.

use sqlx::{Database, Encode, QueryBuilder, Type};

/// Some of a list, whose things have positions `P`: their creation numbers, unless it is sorted otherwise.
#[derive(Debug)]
pub struct Page<T, P = i64> {
    /// What is on it, in order.
    pub items: Vec<T>,
    /// The position to go on behind; `None` when this was the last page.
    pub next: Option<P>,
}

impl<T, P: Clone> Page<T, P> {
    /// From rows with their positions, of which one more than `limit` was asked for: that one tells whether there is
    /// a next page.
    pub(super) fn of(mut rows: Vec<(P, T)>, limit: u16) -> Self {
        let more = rows.len() > usize::from(limit);
        rows.truncate(limit.into());
        let next = rows.last().filter(|_| more).map(|(position, _)| position.clone());
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
