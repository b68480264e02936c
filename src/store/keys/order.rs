//! The orders of the list of keys, and the position of a key in an order.

use std::str::FromStr;

use serde::{Deserialize, Serialize};
use sqlx::{Database, Encode, QueryBuilder, Type};

use crate::base::clock::Timestamp;
use crate::domain::key::ApiKey;

/// The stored end of a key that never ends, in Unix seconds. It sorts after every real end.
pub(super) const NEVER: i64 = 253_402_300_800;

/// The order of a list of keys. Keys with equal values are in the order of their creation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyOrder {
    /// The value to sort by.
    pub by: KeySort,
    /// Whether the order is descending.
    pub is_descending: bool,
}

/// The value that keys are sorted by. An index serves each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeySort {
    /// The time of creation.
    Creation,
    /// The name. ASCII case is ignored; beyond that, the database's own order of text applies.
    Name,
    /// The end. Keys that never end come last.
    End,
    /// The time of the last use, or of the creation if the key was never used.
    LastUse,
}

/// The text names no order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("it must be name, created, expires or last_used, with a - before it for the opposite order")]
pub struct KeyOrderError;

/// The value to sort by, ascending: `name`, `created`, `expires` or `last_used`. With a `-` before it, descending.
impl FromStr for KeyOrder {
    type Err = KeyOrderError;

    fn from_str(text: &str) -> Result<Self, KeyOrderError> {
        let (word, is_descending) = text.strip_prefix('-').map_or((text, false), |word| (word, true));
        let by = match word {
            "name" => KeySort::Name,
            "created" => KeySort::Creation,
            "expires" => KeySort::End,
            "last_used" => KeySort::LastUse,
            _ => return Err(KeyOrderError),
        };
        Ok(Self { by, is_descending })
    }
}

/// The position of a key in an order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyPosition {
    value: Option<SortValue>,
    seq: i64,
}

/// The value that an order compares before the creation number.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
enum SortValue {
    Number(i64),
    Text(String),
}

crate::store::db::row! {
    /// A position as it is selected. At least one of `number` and `text` is null.
    pub(super) struct PositionRow {
        number: Option<i64>,
        text: Option<String>,
        seq: i64,
    }
}

/// The keys of a list on one side of a position.
#[derive(Clone, Copy, Debug)]
pub(super) enum Side {
    After,
    UpTo,
}

impl Default for KeyOrder {
    /// Newest first.
    fn default() -> Self {
        Self { by: KeySort::Creation, is_descending: true }
    }
}

impl KeySort {
    /// The table whose index provides the order.
    pub(super) const fn table(self) -> &'static str {
        match self {
            Self::Creation | Self::Name | Self::End => "api_keys",
            Self::LastUse => "key_last_use",
        }
    }

    /// The join that adds the keys where another table provides the order, and its condition.
    pub(super) const fn join(self) -> (&'static str, &'static str) {
        match self {
            Self::Creation | Self::Name | Self::End => ("", ""),
            // SQLite joins the tables of a CROSS JOIN in the order in which they are written. With this condition,
            // it reads only the index of `key_last_use`.
            Self::LastUse => (" CROSS JOIN api_keys", " AND api_keys.created_seq = key_last_use.created_seq"),
        }
    }

    /// The column that the index has before the creation number.
    const fn value(self) -> Option<&'static str> {
        match self {
            Self::Creation => None,
            Self::Name => Some("name_folded"),
            Self::End => Some("ends_at"),
            Self::LastUse => Some("idle_since"),
        }
    }

    /// The columns of a key, with the one that it is sorted by if another table has it.
    pub(super) const fn columns(self) -> &'static str {
        match self {
            Self::Creation | Self::Name | Self::End => "api_keys.*",
            Self::LastUse => "api_keys.*, key_last_use.idle_since",
        }
    }

    /// The columns of a [`PositionRow`].
    pub(super) fn position(self) -> String {
        let (mut number, mut text) = ("CAST(NULL AS BIGINT)", "CAST(NULL AS TEXT)");
        match (self, self.value()) {
            (Self::Name, Some(value)) => text = value,
            (_, value) => number = value.unwrap_or(number),
        }
        format!("{number} AS number, {text} AS text, created_seq AS seq")
    }
}

impl KeyOrder {
    /// Restricts a selection from `table` to one side of a position.
    pub(super) fn push_side<DB: Database>(
        self,
        sql: &mut QueryBuilder<DB>,
        table: &str,
        side: Side,
        of: &KeyPosition,
    ) where
        for<'t> i64: Encode<'t, DB> + Type<DB>,
        for<'t> String: Encode<'t, DB> + Type<DB>,
    {
        let operator = match (side, self.is_descending) {
            (Side::After, false) => ">",
            (Side::After, true) => "<",
            (Side::UpTo, false) => "<=",
            (Side::UpTo, true) => ">=",
        };
        let Some((column, value)) = self.by.value().zip(of.value.as_ref()) else {
            sql.push(format_args!(" AND {table}.created_seq {operator} ")).push_bind(of.seq);
            return;
        };
        sql.push(format_args!(" AND ({table}.{column}, {table}.created_seq) {operator} ("));
        match value {
            SortValue::Number(number) => sql.push_bind(*number),
            SortValue::Text(text) => sql.push_bind(text.clone()),
        };
        sql.push(", ").push_bind(of.seq).push(")");
    }

    /// Sorts a selection from `table`.
    pub(super) fn push_order<DB: Database>(self, sql: &mut QueryBuilder<DB>, table: &str) {
        let direction = if self.is_descending { " DESC" } else { "" };
        sql.push(" ORDER BY ");
        if let Some(value) = self.by.value() {
            sql.push(format_args!("{table}.{value}{direction}, "));
        }
        sql.push(format_args!("{table}.created_seq{direction}"));
    }
}

impl KeyPosition {
    /// The position of `key`, whose creation number is `seq`.
    pub(super) fn of(key: &ApiKey, seq: i64, by: KeySort) -> Self {
        let value = match by {
            KeySort::Creation => None,
            KeySort::Name => Some(SortValue::Text(key.name.to_ascii_lowercase())),
            KeySort::End => Some(SortValue::Number(ends_at(key))),
            KeySort::LastUse => Some(SortValue::Number(key.last_used_at.unwrap_or(key.created_at).unix())),
        };
        Self { value, seq }
    }
}

/// The end of a key as a number, so that every key has a place in the order.
pub(super) fn ends_at(key: &ApiKey) -> i64 {
    key.expires_at.map_or(NEVER, Timestamp::unix)
}

#[cfg(test)]
impl KeyPosition {
    /// A position in the middle of the keys that the tests of plans make.
    pub(super) fn example(by: KeySort) -> Self {
        Self::at(by, 20_000)
    }

    /// A position some way after [`KeyPosition::example`].
    pub(super) fn example_far(by: KeySort, is_descending: bool) -> Self {
        Self::at(by, if is_descending { 18_000 } else { 22_000 })
    }

    fn at(by: KeySort, place: i64) -> Self {
        let value = match by {
            KeySort::Creation => None,
            KeySort::Name => Some(SortValue::Text(format!("key {place:05}"))),
            KeySort::End => Some(SortValue::Number(2_000_000 + place)),
            KeySort::LastUse => Some(SortValue::Number(place)),
        };
        Self { value, seq: place }
    }
}

impl From<PositionRow> for KeyPosition {
    fn from(row: PositionRow) -> Self {
        Self { value: row.number.map(SortValue::Number).or(row.text.map(SortValue::Text)), seq: row.seq }
    }
}
