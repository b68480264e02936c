//! The orders that keys are listed in, and where a key stands in them.

use serde::{Deserialize, Serialize};
use sqlx::{Database, Encode, QueryBuilder, Type};

use crate::base::clock::Timestamp;
use crate::domain::key::ApiKey;

/// What is stored as the end of a key that has none, in Unix seconds: after every other.
pub(super) const NEVER: i64 = 253_402_300_800;

/// In which order keys are listed. Those that are alike in it are in the order that they were made in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyOrder {
    /// By what.
    pub by: KeySort,
    /// The other way round: the last one first.
    pub is_down: bool,
}

/// What keys are sorted by. There is an index for each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeySort {
    /// When it was made.
    Creation,
    /// Its name, ASCII case ignored; the rest is as the database sorts text.
    Name,
    /// When it ends; those that never do come last.
    End,
    /// When it was last used, or else made.
    LastUse,
}

/// Where a key is in an order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyPosition {
    value: Option<Value>,
    seq: i64,
}

/// What a key is sorted by before its creation number.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
enum Value {
    Number(i64),
    Text(String),
}

crate::store::db::row! {
    /// A position, read: one of the two is null, or both.
    pub(super) struct PositionRow {
        number: Option<i64>,
        text: Option<String>,
        seq: i64,
    }
}

/// Which side of a position.
#[derive(Clone, Copy, Debug)]
pub(super) enum Side {
    Behind,
    UpTo,
}

impl Default for KeyOrder {
    /// The newest first.
    fn default() -> Self {
        Self { by: KeySort::Creation, is_down: true }
    }
}

impl KeySort {
    /// The table whose index has the order.
    pub(super) const fn table(self) -> &'static str {
        match self {
            Self::Creation | Self::Name | Self::End => "api_keys",
            Self::LastUse => "key_last_use",
        }
    }

    /// What brings the keys in where that table is not theirs, and what says which.
    pub(super) const fn join(self) -> (&'static str, &'static str) {
        match self {
            Self::Creation | Self::Name | Self::End => ("", ""),
            // SQLite takes the tables of a cross join in the order that they stand in. By this column nothing is read
            // of `key_last_use` but its index.
            Self::LastUse => (" CROSS JOIN api_keys", " AND api_keys.created_seq = key_last_use.created_seq"),
        }
    }

    /// What a key is sorted by before its creation number, as the index has it.
    const fn value(self) -> Option<&'static str> {
        match self {
            Self::Creation => None,
            Self::Name => Some("name_folded"),
            Self::End => Some("ends_at"),
            Self::LastUse => Some("idle_since"),
        }
    }

    /// What there is to know of a key in its order.
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
    /// Narrows a selection from `table` to one side of a position.
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
        let operator = match (side, self.is_down) {
            (Side::Behind, false) => ">",
            (Side::Behind, true) => "<",
            (Side::UpTo, false) => "<=",
            (Side::UpTo, true) => ">=",
        };
        let Some((column, value)) = self.by.value().zip(of.value.as_ref()) else {
            sql.push(format_args!(" AND {table}.created_seq {operator} ")).push_bind(of.seq);
            return;
        };
        sql.push(format_args!(" AND ({table}.{column}, {table}.created_seq) {operator} ("));
        match value {
            Value::Number(number) => sql.push_bind(*number),
            Value::Text(text) => sql.push_bind(text.clone()),
        };
        sql.push(", ").push_bind(of.seq).push(")");
    }

    /// Sorts a selection from `table`.
    pub(super) fn push_order<DB: Database>(self, sql: &mut QueryBuilder<DB>, table: &str) {
        let direction = if self.is_down { " DESC" } else { "" };
        sql.push(" ORDER BY ");
        if let Some(value) = self.by.value() {
            sql.push(format_args!("{table}.{value}{direction}, "));
        }
        sql.push(format_args!("{table}.created_seq{direction}"));
    }
}

impl KeyPosition {
    /// Where the key of this creation number is.
    pub(super) fn of(key: &ApiKey, seq: i64, by: KeySort) -> Self {
        let value = match by {
            KeySort::Creation => None,
            KeySort::Name => Some(Value::Text(key.name.to_ascii_lowercase())),
            KeySort::End => Some(Value::Number(ends_at(key))),
            KeySort::LastUse => Some(Value::Number(key.last_used_at.unwrap_or(key.created_at).unix())),
        };
        Self { value, seq }
    }
}

/// What is stored beside the end of a key, so that every key has a place in their order.
pub(super) fn ends_at(key: &ApiKey) -> i64 {
    key.expires_at.map_or(NEVER, Timestamp::unix)
}

#[cfg(test)]
impl KeyPosition {
    /// Some position.
    pub(super) fn example(by: KeySort) -> Self {
        let value = match by {
            KeySort::Creation => None,
            KeySort::Name => Some(Value::Text("name".into())),
            KeySort::End | KeySort::LastUse => Some(Value::Number(5)),
        };
        Self { value, seq: 5 }
    }
}

impl From<PositionRow> for KeyPosition {
    fn from(row: PositionRow) -> Self {
        Self { value: row.number.map(Value::Number).or(row.text.map(Value::Text)), seq: row.seq }
    }
}
