//! Pages of lists. Each begins where the previous one ended.

use sqlx::{Database, Encode, QueryBuilder, Type};

/// A page of a list. `P` is the position of an item: its creation number, unless the list has another order.
#[derive(Debug)]
pub struct Page<T, P = i64> {
    /// The items of the page, in order.
    pub items: Vec<T>,
    /// The position from which the next page continues. `None` on the last page.
    pub next: Option<P>,
}

impl<T, P: Clone> Page<T, P> {
    /// Makes a page of rows with their positions. The query selects one row more than `limit`, which shows whether
    /// there is a next page.
    pub(super) fn of(mut rows: Vec<(P, T)>, limit: u16) -> Self {
        let more = rows.len() > usize::from(limit);
        rows.truncate(limit.into());
        let next = rows.last().filter(|_| more).map(|(position, _)| position.clone());
        Self { items: rows.into_iter().map(|(_, item)| item).collect(), next }
    }
}

/// The items of a list that a caller may read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Visible<Id> {
    /// All items.
    All,
    /// The items with these ids.
    Only(Vec<Id>),
}

impl<Id: ToString> Visible<Id> {
    /// Narrows a selection of rows with an `id` to the visible ones.
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
