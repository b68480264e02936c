//! Totals of each key in a day or a month, in one row each, so that the busiest keys can be found.

use std::collections::BTreeMap;

use sqlx::QueryBuilder;

use super::UseRecord;
use crate::base::clock::Timestamp;
use crate::domain::api_key::{EnvironmentSlug, KeyId};
use crate::domain::names::{OrganizationId, ProjectId};
use crate::domain::refusal_reason::RefusalReason;
use crate::domain::usage::{CalendarPeriod, CalendarSpan, UseCounts, UseKind};
use crate::store::db::{BATCH, Tx, on, row, stays_prepared};
use crate::store::error::read;
use crate::store::{Reading, Store, StoreError};

/// The total use of a key in a period.
#[derive(Debug)]
pub struct KeyTotal {
    /// The id of the key.
    pub key: KeyId,
    /// The key's label. `None` if the key is deleted.
    pub label: Option<KeyLabel>,
    /// The counts. At least one is not zero.
    pub counts: UseCounts,
}

/// How people know a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyLabel {
    /// The name that people gave it.
    pub name: String,
    /// The project of the key.
    pub project: ProjectId,
    /// The environment of the key.
    pub environment: EnvironmentSlug,
}

/// The span, start and key of a row, which are its primary key. Rows are written in this order, so that concurrent
/// writers take their locks in the same order.
type Place<'r> = (&'static str, i64, &'r str);

row! {
    struct TotalRow {
        key_id: String,
        token: i64,
        direct: i64,
        revoked: i64,
        expired: i64,
        disabled: i64,
        address: i64,
        secret: i64,
        proof: i64,
        name: Option<String>,
        project: Option<String>,
        environment: Option<String>,
    }
}

/// Adds the counts of the records.
pub(super) async fn add(tx: &mut Tx, records: &[UseRecord]) -> Result<(), StoreError> {
    let keys: Vec<String> = records.iter().map(|record| record.key.to_string()).collect();
    let mut totals = BTreeMap::<Place<'_>, (&OrganizationId, UseCounts)>::new();
    for (key, record) in keys.iter().zip(records).filter(|(_, record)| !record.counts.is_empty()) {
        for span in CalendarSpan::ALL {
            let place = (span.as_str(), CalendarPeriod::of(span, record.hour).start().unix(), &**key);
            let (_, counts) = totals.entry(place).or_insert((&record.organization, UseCounts::default()));
            *counts += record.counts;
        }
    }
    let rows: Vec<_> = totals.into_iter().collect();
    let columns = ["total"].into_iter().chain(UseKind::ALL.map(UseKind::as_str));
    let added = columns.clone().map(|column| format!("{column} = key_totals.{column} + excluded.{column}"));
    let (columns, added) = (columns.collect::<Vec<_>>().join(", "), added.collect::<Vec<_>>().join(", "));
    for batch in rows.chunks(BATCH) {
        on!(&mut *tx, |tx, DB| {
            let mut sql = QueryBuilder::<DB>::new(format!(
                "INSERT INTO key_totals (span, start, key_id, organization, {columns}) "
            ));
            sql.push_values(batch, |mut row, ((span, start, key), (organization, counts))| {
                row.push_bind(*span).push_bind(start).push_bind(*key).push_bind(organization.as_str());
                row.push_bind(counts.used().cast_signed());
                for kind in UseKind::ALL {
                    row.push_bind(counts.of(kind).cast_signed());
                }
            });
            sql.push(format_args!(" ON CONFLICT (span, start, key_id) DO UPDATE SET {added}"));
            sql.build().persistent(stays_prepared(batch.len())).execute(&mut **tx).await.map(drop)
        })?;
    }
    Ok(())
}

impl Reading {
    /// At most `limit` of an organization's keys that were used in a period, busiest first. Equally busy keys are
    /// sorted by id. Keys that were only refused come last.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn busiest_keys(
        &self,
        organization: &OrganizationId,
        period: CalendarPeriod,
        limit: u16,
    ) -> Result<Vec<KeyTotal>, StoreError> {
        let rows = on!(&self.db, |pool, DB| {
            sqlx::query_as::<DB, TotalRow>(
                "SELECT t.key_id, t.token, t.direct, t.revoked, t.expired, t.disabled, t.address, t.secret, t.proof,
                        k.name, k.project, k.environment
                 FROM (SELECT * FROM key_totals WHERE organization = $1 AND span = $2 AND start = $3
                       ORDER BY total DESC, key_id LIMIT $4) t
                 LEFT JOIN api_keys k ON k.id = t.key_id AND k.organization = t.organization
                 ORDER BY t.total DESC, t.key_id",
            )
            .bind(organization.as_str())
            .bind(period.span().as_str())
            .bind(period.start().unix())
            .bind(i64::from(limit))
            .fetch_all(pool)
            .await
        })?;
        rows.into_iter().map(KeyTotal::try_from).collect()
    }
}

impl Store {
    /// Deletes at most `most` totals of periods that are no longer kept at `now`. Returns how many it deleted.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn delete_old_totals(
        &self,
        span: CalendarSpan,
        now: Timestamp,
        most: u32,
    ) -> Result<u64, StoreError> {
        Ok(on!(&self.db, |pool, DB| {
            sqlx::query::<DB>(
                "DELETE FROM key_totals WHERE (span, start, key_id) IN
                     (SELECT span, start, key_id FROM key_totals WHERE span = $1 AND start < $2 LIMIT $3)",
            )
            .bind(span.as_str())
            .bind(span.kept_since(now).start().unix())
            .bind(i64::from(most))
            .execute(pool)
            .await
            .map(|done| done.rows_affected())
        })?)
    }
}

impl TryFrom<TotalRow> for KeyTotal {
    type Error = StoreError;

    fn try_from(row: TotalRow) -> Result<Self, StoreError> {
        let mut counts = UseCounts::default();
        for (kind, count) in [
            (UseKind::Token, row.token),
            (UseKind::Direct, row.direct),
            (UseKind::Refused(RefusalReason::Revoked), row.revoked),
            (UseKind::Refused(RefusalReason::Expired), row.expired),
            (UseKind::Refused(RefusalReason::Disabled), row.disabled),
            (UseKind::Refused(RefusalReason::Address), row.address),
            (UseKind::Refused(RefusalReason::Secret), row.secret),
            (UseKind::Refused(RefusalReason::Proof), row.proof),
        ] {
            counts.add(kind, count.unsigned_abs());
        }
        let label = match (row.name, row.project, row.environment) {
            (Some(name), Some(project), Some(environment)) => Some(KeyLabel {
                name,
                project: read("project", &project)?,
                environment: read("environment", &environment)?,
            }),
            _ => None,
        };
        Ok(Self { key: read("key id", &row.key_id)?, label, counts })
    }
}
