//! Pages of keys, newest first or in another order.
//!
//! Few of an organization's keys may match a filter, and a page must not examine all of them. Each statement therefore
//! examines one stretch of consecutive keys. A first statement finds where the stretch ends, and a second one selects
//! its matching keys. If they don't fill the page, a second stretch follows.

mod statement;
#[cfg(test)]
mod tests;

use self::statement::{count_keys, select_keys, select_stretch_end};
use super::count::BoundedCount;
use super::filter::{KeyFilter, VisibleKeys};
use super::order::{KeyOrder, KeyPosition, KeySort, PositionRow};
use super::row::{KeyRow, group};
use crate::base::clock::Timestamp;
use crate::domain::key::ApiKey;
use crate::store::db::{Tx, on, row, stays_prepared};
use crate::store::page::Page;
use crate::store::write::Write;
use crate::store::{Reading, Snapshot, StoreError};

/// How many keys the two stretches of a page have. The first usually fills the page. If it doesn't, the second has as
/// many keys as the page has time for.
const STRETCHES: [i64; 2] = [2_000, 12_000];
/// The same, for an order in which the rows are scattered, and cost more. They are stored in the order of creation.
const SCATTERED_STRETCHES: [i64; 2] = [500, 800];
/// The same, for a query by creation that looks up the last use of each key.
const LAST_USE_STRETCHES: [i64; 2] = [2_000, 4_000];

/// Where a count stops.
const MOST_COUNTED: i64 = 10_000;

row! {
    struct CountRow {
        number: i64,
    }
}

/// A query for one page of an organization's keys.
#[derive(Debug)]
pub struct KeyQuery {
    /// The keys that the caller may read.
    pub visible: VisibleKeys,
    /// The keys that the caller asks for.
    pub filter: KeyFilter,
    /// The order of the list.
    pub order: KeyOrder,
    /// Where the previous page ended: the page has only keys after this position.
    pub after: Option<KeyPosition>,
    /// The most keys on the page.
    pub limit: u16,
}

/// A page of an organization's keys.
pub type KeyPage = Page<ApiKey, KeyPosition>;

/// Consecutive keys in the order of the list, which one statement examines.
struct Stretch {
    /// The position of the last key.
    end: KeyPosition,
    /// The number of keys.
    length: i64,
}

impl Reading {
    /// Returns one page of keys. It examines a bounded number of keys. If few of them match, the page has fewer
    /// keys than its limit, or none, and still a position from which the next page continues. Keys that the filter names by
    /// their ids are always in the order of their creation.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn keys(&self, mut query: KeyQuery, now: Timestamp) -> Result<KeyPage, StoreError> {
        if query.filter.ids.is_some() {
            // In this order, the database finds them by their ids. In others, it would scan the order's index.
            query.order = KeyOrder::default();
        }
        let [first, second] = match query.order.by {
            KeySort::Creation if query.looks_up_last_use() => LAST_USE_STRETCHES,
            KeySort::Creation => STRETCHES,
            KeySort::Name | KeySort::End | KeySort::LastUse => SCATTERED_STRETCHES,
        };
        let mut found = self.keys_of_next_stretch(&query, first, now).await?;
        let missing = usize::from(query.limit).saturating_sub(found.items.len());
        if missing == 0 || found.next.is_none() {
            return Ok(found);
        }
        query.after = found.next;
        query.limit = u16::try_from(missing).unwrap_or(query.limit);
        let more = self.keys_of_next_stretch(&query, second, now).await?;
        found.items.extend(more.items);
        Ok(KeyPage { next: more.next, ..found })
    }

    /// The number of keys that match. It examines as many of the newest keys as a page does.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn count_keys(
        &self,
        filter: KeyFilter,
        visible: VisibleKeys,
        now: Timestamp,
    ) -> Result<BoundedCount, StoreError> {
        let query = KeyQuery { visible, filter, order: KeyOrder::default(), after: None, limit: 0 };
        let [_, length] = if query.looks_up_last_use() { LAST_USE_STRETCHES } else { STRETCHES };
        let stretch = self.next_stretch(&query, length).await?;
        let row = on!(&self.db, |pool, DB| {
            let mut count = count_keys::<DB>(&query, stretch.as_ref(), MOST_COUNTED + 1, now);
            count.build_query_as::<CountRow>().fetch_one(pool).await
        })?;
        Ok(BoundedCount {
            number: row.number.min(MOST_COUNTED).unsigned_abs(),
            or_more: stretch.is_some() || row.number > MOST_COUNTED,
        })
    }

    /// The matching keys among the next `length` keys.
    async fn keys_of_next_stretch(
        &self,
        query: &KeyQuery,
        length: i64,
        now: Timestamp,
    ) -> Result<KeyPage, StoreError> {
        let stretch = self.next_stretch(query, length).await?;
        let rows = on!(&self.db, |pool, DB| {
            let mut select = select_keys::<DB>(query, stretch.as_ref(), now);
            let select = select.build_query_as::<KeyRow>().persistent(query.stays_prepared());
            select.fetch_all(pool).await
        })?;
        let page = page(rows, query)?;
        Ok(KeyPage { next: page.next.or(stretch.map(|stretch| stretch.end)), ..page })
    }

    /// The next `length` keys; `None` when fewer are left.
    async fn next_stretch(&self, query: &KeyQuery, length: i64) -> Result<Option<Stretch>, StoreError> {
        if query.visible.ids().is_some() || query.filter.ids.is_some() {
            // The query finds these keys by their ids and scans nothing.
            return Ok(None);
        }
        let end = on!(&self.db, |pool, DB| {
            let mut select = select_stretch_end::<DB>(query, length);
            select.build_query_as::<PositionRow>().fetch_optional(pool).await
        })?;
        Ok(end.map(|end| Stretch { end: end.into(), length }))
    }
}

impl KeyQuery {
    /// Whether the statement is worth keeping: it has a form of its own for each number of ids.
    fn stays_prepared(&self) -> bool {
        stays_prepared(self.filter.ids.as_ref().map_or(1, Vec::len))
    }
}

impl Write {
    /// The first page of keys, as this mutation sees them. Its scan is not bounded.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn keys(&mut self, filter: &KeyFilter, limit: u16) -> Result<KeyPage, StoreError> {
        first_page(&mut self.tx, (filter, VisibleKeys::All), limit, self.at).await
    }

    /// The first page of those keys that are `visible` to a caller.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn visible_keys(
        &mut self,
        filter: &KeyFilter,
        visible: VisibleKeys,
        limit: u16,
    ) -> Result<KeyPage, StoreError> {
        first_page(&mut self.tx, (filter, visible), limit, self.at).await
    }
}

impl Snapshot {
    /// The first page of keys. Its scan is not bounded.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn keys(&mut self, filter: &KeyFilter, limit: u16) -> Result<KeyPage, StoreError> {
        first_page(&mut self.tx, (filter, VisibleKeys::All), limit, self.at).await
    }
}

async fn first_page(
    tx: &mut Tx,
    (filter, visible): (&KeyFilter, VisibleKeys),
    limit: u16,
    now: Timestamp,
) -> Result<KeyPage, StoreError> {
    let query = KeyQuery { visible, filter: filter.clone(), after: None, limit, order: KeyOrder::default() };
    let rows = on!(tx, |tx, DB| {
        let mut select = select_keys::<DB>(&query, None, now);
        let select = select.build_query_as::<KeyRow>().persistent(query.stays_prepared());
        select.fetch_all(&mut **tx).await
    })?;
    page(rows, &query)
}

fn page(rows: Vec<KeyRow>, query: &KeyQuery) -> Result<KeyPage, StoreError> {
    let keys = group(rows)?.into_iter();
    let placed = keys.map(|(stored, seq)| (KeyPosition::of(&stored.key, seq, query.order.by), stored.key));
    Ok(Page::of(placed.collect(), query.limit))
}
