//! Pages of keys, newest first or in another order.

#[cfg(test)]
mod tests;

use sqlx::{Database, Encode, QueryBuilder, Type};

use super::filter::{KeyFilter, VisibleKeys};
use super::order::{KeyOrder, KeyPosition, KeySort, PositionRow, Side};
use super::row::{KeyRow, group};
use super::{joined, newest_secret_last, select_key};
use crate::base::clock::Timestamp;
use crate::domain::key::ApiKey;
use crate::domain::names::ProjectId;
use crate::store::db::{Tx, on};
use crate::store::page::Page;
use crate::store::write::Write;
use crate::store::{Reading, Snapshot, StoreError};

/// How many keys one page examines. The first number usually fills the page. If it doesn't, the second pass
/// examines as many more as the page has time for. Rows are stored in the order of creation; every other order reads
/// scattered rows, which cost more.
const REACH: [i64; 2] = [2_000, 12_000];
const REACH_HERE_AND_THERE: [i64; 2] = [500, 800];
/// The same, for a query that looks up the last use of each key.
const REACH_LOOKING_UP: [i64; 2] = [2_000, 4_000];

const LAST_USE: &str = "key_last_use";

/// A query for one page of an organization's keys.
#[derive(Debug)]
pub struct KeyQuery {
    /// The keys that the caller may read.
    pub visible: VisibleKeys,
    /// The keys that the caller asks for.
    pub filter: KeyFilter,
    /// The order of the list.
    pub order: KeyOrder,
    /// Where the previous page ended: the page has only keys behind this position.
    pub behind: Option<KeyPosition>,
    /// The most keys on the page.
    pub limit: u16,
}

/// A page of an organization's keys.
pub type KeyPage = Page<ApiKey, KeyPosition>;

impl Reading {
    /// Returns one page of keys. It examines a bounded number of keys. If few of them match, the page has fewer
    /// keys than its limit, or none, and still a position from which the next page continues.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn keys(&self, mut query: KeyQuery, now: Timestamp) -> Result<KeyPage, StoreError> {
        let [near, far] = match query.order.by {
            KeySort::Creation if query.looks_last_use_up() => REACH_LOOKING_UP,
            KeySort::Creation => REACH,
            KeySort::Name | KeySort::End | KeySort::LastUse => REACH_HERE_AND_THERE,
        };
        let mut found = self.keys_within(&query, near, now).await?;
        let missing = usize::from(query.limit).saturating_sub(found.items.len());
        if missing == 0 || found.next.is_none() {
            return Ok(found);
        }
        query.behind = found.next;
        query.limit = u16::try_from(missing).unwrap_or(query.limit);
        let more = self.keys_within(&query, far, now).await?;
        found.items.extend(more.items);
        Ok(KeyPage { next: more.next, ..found })
    }

    /// The matching keys among the next `reach` keys.
    async fn keys_within(&self, query: &KeyQuery, reach: i64, now: Timestamp) -> Result<KeyPage, StoreError> {
        let edge = self.edge(query, reach).await?;
        let rows = on!(&self.db, |pool, DB| {
            let mut select = select::<DB>(query, edge.as_ref().map(|edge| (edge, reach)), now);
            select.build_query_as::<KeyRow>().fetch_all(pool).await
        })?;
        let page = page(rows, query)?;
        Ok(KeyPage { next: page.next.or(edge), ..page })
    }

    /// The position of the last of the next `reach` keys; `None` when there are fewer.
    async fn edge(&self, query: &KeyQuery, reach: i64) -> Result<Option<KeyPosition>, StoreError> {
        if query.visible.ids().is_some() {
            // The query finds these keys by their ids and scans nothing.
            return Ok(None);
        }
        let row = on!(&self.db, |pool, DB| {
            edge::<DB>(query, reach).build_query_as::<PositionRow>().fetch_optional(pool).await
        })?;
        Ok(row.map(KeyPosition::from))
    }
}

impl Write {
    /// The first page of keys, as this mutation sees them. Its scan is not bounded.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn keys(&mut self, filter: &KeyFilter, limit: u16) -> Result<KeyPage, StoreError> {
        first_page(&mut self.tx, filter, limit, self.at).await
    }
}

impl Snapshot {
    /// The first page of keys. Its scan is not bounded.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn keys(&mut self, filter: &KeyFilter, limit: u16) -> Result<KeyPage, StoreError> {
        first_page(&mut self.tx, filter, limit, self.at).await
    }
}

async fn first_page(
    tx: &mut Tx,
    filter: &KeyFilter,
    limit: u16,
    now: Timestamp,
) -> Result<KeyPage, StoreError> {
    let query = KeyQuery {
        visible: VisibleKeys::All,
        filter: filter.clone(),
        behind: None,
        limit,
        order: KeyOrder::default(),
    };
    let rows = on!(tx, |tx, DB| {
        select::<DB>(&query, None, now).build_query_as::<KeyRow>().fetch_all(&mut **tx).await
    })?;
    page(rows, &query)
}

fn page(rows: Vec<KeyRow>, query: &KeyQuery) -> Result<KeyPage, StoreError> {
    let keys = group(rows)?.into_iter();
    let placed = keys.map(|(stored, seq)| (KeyPosition::of(&stored.key, seq, query.order.by), stored.key));
    Ok(Page::of(placed.collect(), query.limit))
}

impl KeyQuery {
    /// The project that confines the query, if there is one.
    fn project(&self) -> Option<&ProjectId> {
        self.filter.project.as_ref().or_else(|| self.visible.project())
    }

    /// Whether the query looks up last use for each key. The order by last use doesn't need this: its index has
    /// the value.
    fn looks_last_use_up(&self) -> bool {
        self.filter.unused_since.is_some() && self.order.by != KeySort::LastUse
    }

    /// Begins a scan behind the position. It covers the organization, or the project where an index serves that.
    fn push_scan<DB: Database>(&self, sql: &mut QueryBuilder<DB>, (joins, link): (&str, &str))
    where
        for<'t> i64: Encode<'t, DB> + Type<DB>,
        for<'t> String: Encode<'t, DB> + Type<DB>,
    {
        let by = self.order.by;
        let table = by.table();
        sql.push(format_args!(" FROM {table}{joins} WHERE {table}.organization = "));
        sql.push_bind(self.filter.organization.to_string()).push(link);
        if let Some(project) = self.project().filter(|_| by == KeySort::Creation) {
            sql.push(" AND project = ").push_bind(project.to_string());
        }
        if by == KeySort::LastUse {
            self.filter.push_idle(sql);
        }
        if let Some(position) = &self.behind {
            self.order.push_side(sql, table, Side::Behind, position);
        }
    }

    /// Narrows a selection of keys that is joined with `key_last_use`. The index by creation has every column
    /// that this needs, in the order of the list. A page therefore reads neighbouring index entries and no rows.
    fn push_look_up<DB: Database>(&self, sql: &mut QueryBuilder<DB>, edge: Option<&KeyPosition>)
    where
        for<'t> i64: Encode<'t, DB> + Type<DB>,
        for<'t> String: Encode<'t, DB> + Type<DB>,
    {
        sql.push(" AND key_last_use.organization = ").push_bind(self.filter.organization.to_string());
        sql.push(" AND key_last_use.created_seq = api_keys.created_seq");
        self.filter.push_idle(sql);
        if self.order.by == KeySort::Creation {
            // The condition names both tables, because PostgreSQL doesn't infer it for the second from the first.
            let sides = [(Side::Behind, self.behind.as_ref()), (Side::UpTo, edge)];
            for (side, position) in sides {
                if let Some(position) = position {
                    self.order.push_side(sql, LAST_USE, side, position);
                }
            }
        }
    }
}

/// Selects the position of the `reach`-th key.
fn edge<DB: Database>(query: &KeyQuery, reach: i64) -> QueryBuilder<DB>
where
    DB::Arguments: Default,
    for<'t> i64: Encode<'t, DB> + Type<DB>,
    for<'t> String: Encode<'t, DB> + Type<DB>,
{
    let mut sql = QueryBuilder::new(format!("SELECT {}", query.order.by.position()));
    query.push_scan(&mut sql, ("", ""));
    query.order.push_order(&mut sql, query.order.by.table());
    sql.push(" LIMIT 1 OFFSET ").push_bind(reach - 1);
    sql
}

/// Selects keys and their secrets. The stretch is given by its last position and its number of keys; without one,
/// the scan has no end.
fn select<DB: Database>(
    query: &KeyQuery,
    stretch: Option<(&KeyPosition, i64)>,
    now: Timestamp,
) -> QueryBuilder<DB>
where
    DB::Arguments: Default,
    for<'t> i64: Encode<'t, DB> + Type<DB>,
    for<'t> String: Encode<'t, DB> + Type<DB>,
{
    let by = query.order.by;
    let mut sql = QueryBuilder::new(concat!(select_key!(), "(SELECT "));
    let (joins, link) = by.join();
    // SQLite joins the tables of a CROSS JOIN in the order in which they are written.
    let look_up = if query.looks_last_use_up() { format!(" CROSS JOIN {LAST_USE}") } else { String::new() };
    let (table, edge) = match stretch {
        Some((_, reach)) if by != KeySort::Creation => {
            sql.push(format_args!("api_keys.* FROM (SELECT {}", by.columns()));
            query.push_scan(&mut sql, (joins, link));
            query.order.push_order(&mut sql, by.table());
            // For a comparison of pairs, PostgreSQL estimates the number of rows by the first value alone. A LIMIT
            // makes it use the index.
            sql.push(" LIMIT ").push_bind(reach).push(format_args!(") api_keys{look_up} WHERE 1 = 1"));
            ("api_keys", None)
        }
        stretch => {
            sql.push(by.columns());
            query.push_scan(&mut sql, (&format!("{joins}{look_up}"), link));
            if let Some((edge, _)) = stretch {
                query.order.push_side(&mut sql, by.table(), Side::UpTo, edge);
            }
            (by.table(), stretch.map(|(edge, _)| edge))
        }
    };
    if query.looks_last_use_up() {
        query.push_look_up(&mut sql, edge);
    }
    query.filter.push(&mut sql, now);
    query.visible.push(&mut sql);
    query.order.push_order(&mut sql, table);
    sql.push(" LIMIT ").push_bind(i64::from(query.limit) + 1).push(concat!(")", joined!()));
    query.order.push_order(&mut sql, "k");
    sql.push(concat!(", ", newest_secret_last!()));
    sql
}
