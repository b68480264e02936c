//! Counts in buckets of hours and days, for each key and each project.

use std::collections::BTreeMap;

use sqlx::QueryBuilder;

use super::UseRecord;
use crate::base::clock::Timestamp;
use crate::domain::api_key::KeyId;
use crate::domain::names::{OrganizationId, ProjectId};
use crate::domain::usage::{Interval, Period, UseCounts, UseKind};
use crate::store::db::{BATCH, Tx, on, row, stays_prepared};
use crate::store::error::read;
use crate::store::{Reading, Store, StoreError};

/// The buckets of a period with any use, by their start.
pub type UseBuckets = BTreeMap<Timestamp, UseCounts>;

/// A table of buckets, and the columns that identify the owner.
struct Table {
    name: &'static str,
    owner: &'static [&'static str],
}

const OF_KEYS: Table = Table { name: "key_usage", owner: &["key_id"] };
const OF_PROJECTS: Table = Table { name: "project_usage", owner: &["organization", "project"] };

/// The owner, span, start and kind of a row. Rows are written in this order, so that concurrent writers take their
/// locks in the same order.
type Place<'r> = (Vec<&'r str>, i64, i64, &'static str);

row! {
    struct BucketRow {
        start: i64,
        kind: String,
        count: i64,
    }
}

row! {
    struct ReachRow {
        organizations: i64,
        tokens: i64,
    }
}

/// How widely tokens were issued.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TokenReach {
    /// The number of organizations whose keys got tokens.
    pub organizations: u64,
    /// The number of tokens that were issued.
    pub tokens: u64,
}

/// Adds the counts of the records.
pub(super) async fn add(tx: &mut Tx, records: &[UseRecord]) -> Result<(), StoreError> {
    let keys: Vec<String> = records.iter().map(|record| record.key.to_string()).collect();
    let mut of_keys = BTreeMap::<Place<'_>, i64>::new();
    let mut of_projects = BTreeMap::<Place<'_>, i64>::new();
    for (key, record) in keys.iter().zip(records) {
        let project = vec![record.organization.as_str(), record.project.as_str()];
        for interval in Interval::ALL {
            let (span, start) = (interval.seconds(), interval.start_of(record.hour).unix());
            for (kind, count) in record.counts.counted() {
                let count = count.cast_signed();
                *of_keys.entry((vec![key], span, start, kind.as_str())).or_default() += count;
                *of_projects.entry((project.clone(), span, start, kind.as_str())).or_default() += count;
            }
        }
    }
    add_rows(tx, OF_KEYS, of_keys).await?;
    add_rows(tx, OF_PROJECTS, of_projects).await
}

async fn add_rows(tx: &mut Tx, table: Table, rows: BTreeMap<Place<'_>, i64>) -> Result<(), StoreError> {
    let (name, place) = (table.name, [table.owner, &["span", "start", "kind"]].concat().join(", "));
    let rows: Vec<_> = rows.into_iter().collect();
    for batch in rows.chunks(BATCH) {
        on!(&mut *tx, |tx, DB| {
            let mut sql = QueryBuilder::<DB>::new(format!("INSERT INTO {name} ({place}, count) "));
            sql.push_values(batch, |mut row, ((owner, span, start, kind), count)| {
                for column in owner {
                    row.push_bind(*column);
                }
                row.push_bind(span).push_bind(start).push_bind(*kind).push_bind(count);
            });
            sql.push(format_args!(
                " ON CONFLICT ({place}) DO UPDATE SET count = {name}.count + excluded.count"
            ));
            sql.build().persistent(stays_prepared(batch.len())).execute(&mut **tx).await.map(drop)
        })?;
    }
    Ok(())
}

row! {
    struct KeyBucketRow {
        key_id: String,
        start: i64,
        kind: String,
        count: i64,
    }
}

row! {
    struct ProjectRow {
        project: String,
        kind: String,
        count: i64,
    }
}

impl Reading {
    /// How widely tokens were issued since the hour of `since`, in all organizations.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn token_reach(&self, since: Timestamp) -> Result<TokenReach, StoreError> {
        let row = on!(&self.db, |pool, DB| {
            sqlx::query_as::<DB, ReachRow>(
                "SELECT COUNT(DISTINCT organization) AS organizations, CAST(COALESCE(SUM(count), 0) AS BIGINT) AS tokens
                 FROM project_usage WHERE span = $1 AND start >= $2 AND kind = $3",
            )
            .bind(Interval::Hour.seconds())
            .bind(Interval::Hour.start_of(since).unix())
            .bind(UseKind::Token.as_str())
            .fetch_one(pool)
            .await
        })?;
        let count = |number: i64| u64::try_from(number).unwrap_or_default();
        Ok(TokenReach { organizations: count(row.organizations), tokens: count(row.tokens) })
    }

    /// The counts of each of these keys. Keys without any use are left out.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn keys_use(
        &self,
        keys: &[KeyId],
        period: &Period,
    ) -> Result<BTreeMap<KeyId, UseBuckets>, StoreError> {
        if keys.is_empty() {
            return Ok(BTreeMap::new());
        }
        let rows = on!(&self.db, |pool, DB| {
            let mut sql =
                QueryBuilder::<DB>::new("SELECT key_id, start, kind, count FROM key_usage WHERE span = ");
            sql.push_bind(period.interval().seconds());
            sql.push(" AND start >= ").push_bind(period.from().unix());
            sql.push(" AND start < ").push_bind(period.to().unix()).push(" AND key_id IN (");
            let mut ids = sql.separated(", ");
            for key in keys {
                ids.push_bind(key.to_string());
            }
            sql.push(")");
            let query = sql.build_query_as::<KeyBucketRow>().persistent(stays_prepared(keys.len()));
            query.fetch_all(pool).await
        })?;
        let mut of_keys = BTreeMap::<KeyId, Vec<BucketRow>>::new();
        for KeyBucketRow { key_id, start, kind, count } in rows {
            let key = read("key id", &key_id)?;
            of_keys.entry(key).or_default().push(BucketRow { start, kind, count });
        }
        Ok(of_keys.into_iter().map(|(key, rows)| (key, buckets(rows))).collect())
    }

    /// The counts of a key, by bucket.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn key_use(&self, key: &KeyId, period: &Period) -> Result<UseBuckets, StoreError> {
        let mut of_keys = self.keys_use(&[*key], period).await?;
        Ok(of_keys.remove(key).unwrap_or_default())
    }

    /// The counts of an organization's keys, or of those in one of its projects.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn organization_use(
        &self,
        organization: &OrganizationId,
        project: Option<&ProjectId>,
        period: &Period,
    ) -> Result<UseBuckets, StoreError> {
        let rows = on!(&self.db, |pool, DB| {
            sqlx::query_as::<DB, BucketRow>(
                "SELECT start, kind, CAST(SUM(count) AS BIGINT) AS count FROM project_usage
                 WHERE organization = $1 AND span = $2 AND start >= $3 AND start < $4
                   AND ($5 IS NULL OR project = $5)
                 GROUP BY start, kind",
            )
            .bind(organization.as_str())
            .bind(period.interval().seconds())
            .bind(period.from().unix())
            .bind(period.to().unix())
            .bind(project.map(ProjectId::as_str))
            .fetch_all(pool)
            .await
        })?;
        Ok(buckets(rows))
    }

    /// The counts of the keys in each project of an organization.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn projects_use(
        &self,
        organization: &OrganizationId,
        period: &Period,
    ) -> Result<BTreeMap<ProjectId, UseCounts>, StoreError> {
        let rows = on!(&self.db, |pool, DB| {
            sqlx::query_as::<DB, ProjectRow>(
                "SELECT project, kind, CAST(SUM(count) AS BIGINT) AS count FROM project_usage
                 WHERE organization = $1 AND span = $2 AND start >= $3 AND start < $4
                 GROUP BY project, kind",
            )
            .bind(organization.as_str())
            .bind(period.interval().seconds())
            .bind(period.from().unix())
            .bind(period.to().unix())
            .fetch_all(pool)
            .await
        })?;
        let mut of_projects = BTreeMap::<ProjectId, UseCounts>::new();
        for ProjectRow { project, kind, count } in rows {
            if let Some(kind) = UseKind::from_text(&kind) {
                let counts = of_projects.entry(read("project", &project)?).or_default();
                counts.add(kind, count.unsigned_abs());
            }
        }
        Ok(of_projects)
    }
}

impl Store {
    /// Deletes buckets that are no longer kept at `now`: at most `most` of keys, and as many of projects. Returns how
    /// many it deleted.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn delete_old_use(
        &self,
        interval: Interval,
        now: Timestamp,
        most: u32,
    ) -> Result<u64, StoreError> {
        let mut deleted = 0;
        for table in [OF_KEYS, OF_PROJECTS] {
            let (name, place) = (table.name, [table.owner, &["span", "start", "kind"]].concat().join(", "));
            deleted += on!(&self.db, |pool, DB| {
                let mut sql = QueryBuilder::<DB>::new(format!(
                    "DELETE FROM {name} WHERE ({place}) IN (SELECT {place} FROM {name} WHERE span = "
                ));
                sql.push_bind(interval.seconds()).push(" AND start < ");
                sql.push_bind(interval.kept_since(now).unix()).push(" LIMIT ");
                sql.push_bind(i64::from(most)).push(")");
                sql.build().execute(pool).await.map(|done| done.rows_affected())
            })?;
        }
        Ok(deleted)
    }
}

fn buckets(rows: Vec<BucketRow>) -> UseBuckets {
    let mut buckets = UseBuckets::new();
    for row in rows {
        // This binary doesn't show kinds that only a newer one counts.
        if let Some(kind) = UseKind::from_text(&row.kind) {
            let bucket = buckets.entry(Timestamp::from_unix(row.start)).or_default();
            bucket.add(kind, row.count.unsigned_abs());
        }
    }
    buckets
}
