//! Use, written in batches: how often a key was used in an hour, and when each secret was last used.

use std::collections::BTreeMap;

use sqlx::QueryBuilder;

use super::db::{BATCH, Tx, begin, on};
use super::{Store, StoreError};
use crate::api_key::KeyId;
use crate::clock::Timestamp;
use crate::key::SecretId;

/// What a key was used for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum UseKind {
    /// A token was issued.
    Token,
    /// The key itself, or a token of it, was checked by this server.
    Direct,
    /// It was refused, its secret being right: revoked, expired, or from an address outside its ranges.
    Refused,
}

/// What there is to write about one secret since the last flush.
#[derive(Clone, Debug)]
pub struct UseRecord {
    /// The secret's key.
    pub key: KeyId,
    /// The secret.
    pub secret: SecretId,
    /// When it was last used; `None` when it was only refused.
    pub last_used_at: Option<Timestamp>,
    /// How often, for each kind.
    pub counts: Vec<(UseKind, u64)>,
    /// The Unix hour that the counts go to.
    pub hour: i64,
}

impl UseKind {
    fn as_str(self) -> &'static str {
        match self {
            Self::Token => "token",
            Self::Direct => "direct",
            Self::Refused => "refused",
        }
    }
}

impl Store {
    /// Adds `records` to what is stored, all of them or none.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn record_use(&self, records: &[UseRecord]) -> Result<(), StoreError> {
        // Sorted maps: nodes that flush at once take their row locks in one order.
        let mut counts = BTreeMap::<(String, i64, &str), i64>::new();
        let mut keys = BTreeMap::<String, i64>::new();
        let mut secrets = BTreeMap::<String, i64>::new();
        for record in records {
            for (kind, count) in &record.counts {
                *counts.entry((record.key.to_string(), record.hour, kind.as_str())).or_default() +=
                    count.cast_signed();
            }
            if let Some(at) = record.last_used_at {
                latest(&mut keys, record.key.to_string(), at);
                latest(&mut secrets, record.secret.to_string(), at);
            }
        }
        let mut tx = begin(&self.db).await?;
        add_counts(&mut tx, &counts.into_iter().collect::<Vec<_>>()).await?;
        set_last_used(&mut tx, "api_keys", &keys.into_iter().collect::<Vec<_>>()).await?;
        set_last_used(&mut tx, "key_secrets", &secrets.into_iter().collect::<Vec<_>>()).await?;
        on!(tx, |tx, DB| tx.commit().await)?;
        Ok(())
    }
}

fn latest(map: &mut BTreeMap<String, i64>, id: String, at: Timestamp) {
    let last = map.entry(id).or_insert(at.unix());
    *last = at.unix().max(*last);
}

async fn add_counts(tx: &mut Tx, rows: &[((String, i64, &str), i64)]) -> Result<(), StoreError> {
    for batch in rows.chunks(BATCH) {
        on!(tx, |tx, DB| {
            let mut sql = QueryBuilder::<DB>::new("INSERT INTO usage_hours (key_id, hour, kind, count) ");
            sql.push_values(batch, |mut row, ((key, hour, kind), count)| {
                row.push_bind(key).push_bind(hour).push_bind(*kind).push_bind(count);
            });
            sql.push(
                " ON CONFLICT (key_id, hour, kind) DO UPDATE SET count = usage_hours.count + excluded.count",
            );
            sql.build().execute(&mut **tx).await.map(drop)
        })?;
    }
    Ok(())
}

/// `table` is one of two names in this file; both have an `id` and a `last_used_at`.
async fn set_last_used(tx: &mut Tx, table: &'static str, rows: &[(String, i64)]) -> Result<(), StoreError> {
    for batch in rows.chunks(BATCH) {
        on!(tx, |tx, DB| {
            let mut sql = QueryBuilder::<DB>::new("WITH used (id, at) AS (");
            sql.push_values(batch, |mut row, (id, at)| {
                row.push_bind(id).push_bind(at);
            });
            // Another node may have seen a later use.
            sql.push(format_args!(
                ") UPDATE {table} SET last_used_at = used.at FROM used WHERE {table}.id = used.id
                   AND ({table}.last_used_at IS NULL OR {table}.last_used_at < used.at)"
            ));
            sql.build().execute(&mut **tx).await.map(drop)
        })?;
    }
    Ok(())
}
