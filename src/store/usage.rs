//! Counts of use, written in batches: how often keys were used, and when each credential was last used.

mod buckets;
mod totals;

pub use buckets::{TokenReach, UseBuckets};
pub use totals::{KeyLabel, KeyTotal};

use std::collections::BTreeMap;

use sqlx::QueryBuilder;

use super::db::{BATCH, Tx, on, stays_prepared};
use super::{Store, StoreError};
use crate::base::clock::Timestamp;
use crate::domain::api_key::KeyId;
use crate::domain::audit::PastEvent;
use crate::domain::key::{CredentialId, LastSeen};
use crate::domain::names::{OrganizationId, ProjectId};
use crate::domain::usage::UseCounts;

/// The use of one key in one hour.
#[derive(Clone, Debug)]
pub struct UseRecord {
    /// The id of the key.
    pub key: KeyId,
    /// The organization of the key.
    pub organization: OrganizationId,
    /// The project of the key.
    pub project: ProjectId,
    /// The start of the hour.
    pub hour: Timestamp,
    /// The counts of the hour.
    pub counts: UseCounts,
    /// When the key was last used. `None` if it was only refused.
    pub last_used_at: Option<Timestamp>,
    /// From where its client last used the key, if it did and the address is known.
    pub last_seen: Option<LastSeen>,
    /// When each credential of the key was last used, for those that were.
    pub credentials: Vec<(CredentialId, Timestamp)>,
}

impl UseRecord {
    /// Adds a record of the same key and hour.
    pub fn add(&mut self, more: Self) {
        self.counts += more.counts;
        self.last_used_at = self.last_used_at.max(more.last_used_at);
        self.last_seen = later(self.last_seen, more.last_seen);
        self.credentials.extend(more.credentials);
    }
}

impl Store {
    /// Adds `records` to the stored counts and `refusals` to the audit trail, in one transaction.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn record_use(
        &self,
        records: &[UseRecord],
        refusals: &[PastEvent],
        at: Timestamp,
    ) -> Result<(), StoreError> {
        // It takes its turn among the mutations, because some of them lock many keys in an order of their own.
        let mut write = self.write_unnumbered(at).await?;
        write.record_refusals(refusals).await?;
        buckets::add(&mut write.tx, records).await?;
        totals::add(&mut write.tx, records).await?;
        let used = records.iter().filter_map(|record| Some((record.key, record.last_used_at?)));
        set_last_used(&mut write.tx, &OF_KEYS, used).await?;
        let used = records.iter().flat_map(|record| record.credentials.iter().copied());
        set_last_used(&mut write.tx, &OF_CREDENTIALS, used).await?;
        set_last_seen(&mut write.tx, records).await?;
        write.commit().await
    }
}

fn later(one: Option<LastSeen>, other: Option<LastSeen>) -> Option<LastSeen> {
    one.into_iter().chain(other).max_by_key(|seen| seen.at)
}

/// Stores from where each key was last used.
async fn set_last_seen(tx: &mut Tx, records: &[UseRecord]) -> Result<(), StoreError> {
    let mut latest = BTreeMap::<String, LastSeen>::new();
    for (key, seen) in records.iter().filter_map(|record| Some((record.key.to_string(), record.last_seen?))) {
        let last = latest.entry(key).or_insert(seen);
        if seen.at > last.at {
            *last = seen;
        }
    }
    let rows: Vec<_> = latest.into_iter().collect();
    for batch in rows.chunks(BATCH) {
        on!(&mut *tx, |tx, DB| {
            let mut sql = QueryBuilder::<DB>::new("WITH seen (id, at, address) AS (");
            sql.push_values(batch, |mut row, (id, seen)| {
                row.push_bind(id).push_bind(seen.at.unix()).push_bind(seen.address.to_string());
            });
            // Another node may have stored a later use.
            sql.push(
                ") UPDATE key_last_use SET address = seen.address, address_at = seen.at FROM seen
                   WHERE key_last_use.key_id = seen.id
                     AND (key_last_use.address_at IS NULL OR key_last_use.address_at < seen.at)",
            );
            sql.build().persistent(stays_prepared(batch.len())).execute(&mut **tx).await.map(drop)
        })?;
    }
    Ok(())
}

/// The table and columns that store the last use.
struct LastUse {
    table: &'static str,
    id: &'static str,
    /// Other assignments of the update, beside `last_used_at`.
    besides: &'static str,
}

const OF_KEYS: LastUse = LastUse { table: "key_last_use", id: "key_id", besides: ", idle_since = used.at" };
const OF_CREDENTIALS: LastUse = LastUse { table: "key_secrets", id: "id", besides: "" };

async fn set_last_used<Id: ToString>(
    tx: &mut Tx,
    LastUse { table, id, besides }: &LastUse,
    used: impl Iterator<Item = (Id, Timestamp)>,
) -> Result<(), StoreError> {
    // One row for each, in a fixed order, so that concurrent writers don't deadlock.
    let mut latest = BTreeMap::<String, i64>::new();
    for (id, at) in used {
        let last = latest.entry(id.to_string()).or_insert(at.unix());
        *last = at.unix().max(*last);
    }
    let rows: Vec<_> = latest.into_iter().collect();
    for batch in rows.chunks(BATCH) {
        on!(tx, |tx, DB| {
            let mut sql = QueryBuilder::<DB>::new("WITH used (id, at) AS (");
            sql.push_values(batch, |mut row, (id, at)| {
                row.push_bind(id).push_bind(at);
            });
            // Another node may have stored a later use.
            sql.push(format_args!(
                ") UPDATE {table} SET last_used_at = used.at{besides} FROM used WHERE {table}.{id} = used.id
                   AND ({table}.last_used_at IS NULL OR {table}.last_used_at < used.at)"
            ));
            sql.build().persistent(stays_prepared(batch.len())).execute(&mut **tx).await.map(drop)
        })?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use sqlx::Connection as _;

    use super::*;
    use crate::base::entropy::Entropy;
    use crate::domain::key::SecretId;
    use crate::domain::usage::UseKind;
    use crate::store::db::Either;

    #[tokio::test]
    async fn batches_of_many_sizes_leave_no_prepared_statements_behind() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&format!("sqlite://{}/test.db", folder.path().display())).await.unwrap();
        let Either::Sqlite(pool) = &store.db else { unreachable!() };
        let mut kept = Vec::new();
        for sizes in [2..10, 10..40] {
            for size in sizes {
                let records: Vec<_> = (0..size).map(|_| record()).collect();
                store.record_use(&records, &[], Timestamp::from_unix(7_200)).await.unwrap();
            }
            let mut connections = Vec::new();
            while connections.len() < pool.size() as usize {
                connections.push(pool.acquire().await.unwrap());
            }
            kept.push(
                connections.iter().map(|connection| connection.cached_statements_size()).sum::<usize>(),
            );
        }
        assert!(kept[1] <= kept[0] + 2, "{kept:?}");
    }

    fn record() -> UseRecord {
        let mut counts = UseCounts::default();
        counts.add(UseKind::Token, 1);
        let at = Timestamp::from_unix(3_600);
        UseRecord {
            key: KeyId::generate(&Entropy::system()).unwrap(),
            organization: "acme".parse().unwrap(),
            project: "web".parse().unwrap(),
            hour: at,
            counts,
            last_used_at: Some(at),
            last_seen: Some(LastSeen { address: [192, 0, 2, 1].into(), at }),
            credentials: vec![(SecretId::generate(&Entropy::system()).unwrap().into(), at)],
        }
    }
}
