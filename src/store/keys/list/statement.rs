//! The statements of the list of keys. They differ by the order of the list.
//!
//! Rows are stored in the order of creation. In that order, a statement scans them between the two ends of the stretch:
//!
//! ```sql
//! SELECT … FROM (SELECT api_keys.* FROM api_keys
//!                WHERE organization = … AND ⟨after the position⟩ AND ⟨up to the end⟩ AND ⟨the filter⟩
//!                ORDER BY … LIMIT ⟨the page⟩) k JOIN … ORDER BY …
//! ```
//!
//! In every other order, it counts the keys of the stretch off an index, and filters them afterwards:
//!
//! ```sql
//! SELECT … FROM (SELECT api_keys.* FROM (SELECT api_keys.* FROM api_keys
//!                                        WHERE organization = … AND ⟨after the position⟩
//!                                        ORDER BY … LIMIT ⟨the stretch⟩) api_keys
//!                WHERE 1 = 1 AND ⟨the filter⟩
//!                ORDER BY … LIMIT ⟨the page⟩) k JOIN … ORDER BY …
//! ```

use sqlx::{Database, Encode, QueryBuilder, Type};

use super::{KeyQuery, Stretch};
use crate::base::clock::Timestamp;
use crate::domain::names::ProjectId;
use crate::store::keys::order::{KeyPosition, KeySort, Side};
use crate::store::keys::{joined, newest_secret_last, select_key};

const LAST_USE: &str = "key_last_use";

/// Selects the position of the last of the next `length` keys.
pub(super) fn select_stretch_end<DB: Database>(query: &KeyQuery, length: i64) -> QueryBuilder<DB>
where
    DB::Arguments: Default,
    for<'t> i64: Encode<'t, DB> + Type<DB>,
    for<'t> String: Encode<'t, DB> + Type<DB>,
{
    let mut sql = QueryBuilder::new(format!("SELECT {}", query.order.by.position()));
    query.push_scan(&mut sql, ("", ""));
    query.order.push_order(&mut sql, query.order.by.table());
    sql.push(" LIMIT 1 OFFSET ").push_bind(length - 1);
    sql
}

/// Selects the matching keys of the stretch, with their secrets. Without a stretch, the scan has no end.
pub(super) fn select_keys<DB: Database>(
    query: &KeyQuery,
    stretch: Option<&Stretch>,
    now: Timestamp,
) -> QueryBuilder<DB>
where
    DB::Arguments: Default,
    for<'t> i64: Encode<'t, DB> + Type<DB>,
    for<'t> String: Encode<'t, DB> + Type<DB>,
{
    let mut sql = QueryBuilder::new(concat!(select_key!(), "(SELECT "));
    let table = match stretch {
        Some(stretch) if query.order.by != KeySort::Creation => {
            query.push_counted_stretch(&mut sql, stretch.length);
            "api_keys"
        }
        stretch => {
            query.push_scan_up_to(&mut sql, stretch.map(|stretch| &stretch.end));
            query.order.by.table()
        }
    };
    if query.looks_up_last_use() {
        query.push_last_use(&mut sql, stretch.map(|stretch| &stretch.end));
    }
    query.filter.push(&mut sql, now);
    query.visible.push(&mut sql);
    query.order.push_order(&mut sql, table);
    sql.push(" LIMIT ").push_bind(i64::from(query.limit) + 1).push(concat!(")", joined!()));
    query.order.push_order(&mut sql, "k");
    sql.push(concat!(", ", newest_secret_last!()));
    sql
}

/// Counts the matching keys of the stretch, up to `most`, in the order of creation.
pub(super) fn count_keys<DB: Database>(
    query: &KeyQuery,
    stretch: Option<&Stretch>,
    most: i64,
    now: Timestamp,
) -> QueryBuilder<DB>
where
    DB::Arguments: Default,
    for<'t> i64: Encode<'t, DB> + Type<DB>,
    for<'t> String: Encode<'t, DB> + Type<DB>,
{
    let mut sql = QueryBuilder::new("SELECT COUNT(*) AS number FROM (SELECT ");
    query.push_scan_up_to(&mut sql, stretch.map(|stretch| &stretch.end));
    if query.looks_up_last_use() {
        query.push_last_use(&mut sql, stretch.map(|stretch| &stretch.end));
    }
    query.filter.push(&mut sql, now);
    query.visible.push(&mut sql);
    sql.push(" LIMIT ").push_bind(most).push(") counted");
    sql
}

impl KeyQuery {
    /// Whether the query looks up the last use of each key. The order by last use doesn't need this: its index has the
    /// value.
    pub(super) fn looks_up_last_use(&self) -> bool {
        self.filter.unused_since.is_some() && self.order.by != KeySort::LastUse
    }

    /// The project that confines the query, if there is one.
    pub(super) fn project(&self) -> Option<&ProjectId> {
        self.filter.project.as_ref().or_else(|| self.visible.project())
    }

    /// Selects from the position on, up to `end`.
    fn push_scan_up_to<DB: Database>(&self, sql: &mut QueryBuilder<DB>, end: Option<&KeyPosition>)
    where
        for<'t> i64: Encode<'t, DB> + Type<DB>,
        for<'t> String: Encode<'t, DB> + Type<DB>,
    {
        let by = self.order.by;
        let (joins, link) = by.join();
        sql.push(by.columns());
        self.push_scan(sql, (&format!("{joins}{}", self.last_use_join()), link));
        if let Some(end) = end {
            self.order.push_side(sql, by.table(), Side::UpTo, end);
        }
    }

    /// Selects from `length` keys from the position on.
    fn push_counted_stretch<DB: Database>(&self, sql: &mut QueryBuilder<DB>, length: i64)
    where
        for<'t> i64: Encode<'t, DB> + Type<DB>,
        for<'t> String: Encode<'t, DB> + Type<DB>,
    {
        let by = self.order.by;
        sql.push(format_args!("api_keys.* FROM (SELECT {}", by.columns()));
        self.push_scan(sql, by.join());
        self.order.push_order(sql, by.table());
        // For a comparison of pairs, PostgreSQL estimates the number of rows by the first value alone. A LIMIT makes it
        // use the index.
        sql.push(" LIMIT ").push_bind(length);
        sql.push(format_args!(") api_keys{} WHERE 1 = 1", self.last_use_join()));
    }

    /// Begins a scan after the position. It covers the organization, or the project where an index serves that.
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
        if let Some(position) = &self.after {
            self.order.push_side(sql, table, Side::After, position);
        }
    }

    /// The join for a look-up of the last use.
    fn last_use_join(&self) -> String {
        // SQLite joins the tables of a CROSS JOIN in the order in which they are written.
        if self.looks_up_last_use() { format!(" CROSS JOIN {LAST_USE}") } else { String::new() }
    }

    /// Narrows a selection of keys that is joined with `key_last_use`. The index by creation has every column that this
    /// needs, in the order of the list. A page therefore reads neighbouring index entries and no rows.
    fn push_last_use<DB: Database>(&self, sql: &mut QueryBuilder<DB>, end: Option<&KeyPosition>)
    where
        for<'t> i64: Encode<'t, DB> + Type<DB>,
        for<'t> String: Encode<'t, DB> + Type<DB>,
    {
        sql.push(" AND key_last_use.organization = ").push_bind(self.filter.organization.to_string());
        sql.push(" AND key_last_use.created_seq = api_keys.created_seq");
        self.filter.push_idle(sql);
        if self.order.by == KeySort::Creation {
            // The condition names both tables, because PostgreSQL doesn't infer it for the second from the first.
            let sides = [(Side::After, self.after.as_ref()), (Side::UpTo, end)];
            for (side, position) in sides {
                if let Some(position) = position {
                    self.order.push_side(sql, LAST_USE, side, position);
                }
            }
        }
    }
}
