//! Counts of an organization's keys. What a count costs doesn't depend on the number of keys: it stops at a bound.

use crate::base::clock::Timestamp;
use crate::domain::names::OrganizationId;
use crate::store::db::{on, row};
use crate::store::{Reading, StoreError};

/// Where a count of index entries stops.
const MOST: i64 = 10_000;

/// How many idle keys a count looks at. Their rows are scattered, so each costs many times what an entry of an index
/// costs.
const MOST_IDLE: i64 = 2_000;

/// A number that is exact, or the least that it may be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct BoundedCount {
    /// What was counted.
    pub number: u64,
    /// Whether there may be more.
    pub or_more: bool,
}

/// How many keys of an organization are in each state, and how many active ones need attention.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct KeyCounts {
    /// Keys that work.
    pub active: BoundedCount,
    /// Disabled keys that are neither expired nor revoked.
    pub disabled: BoundedCount,
    /// Expired keys that are not revoked.
    pub expired: BoundedCount,
    /// Revoked keys.
    pub revoked: BoundedCount,
    /// Active keys that end soon.
    pub ending: BoundedCount,
    /// Active keys that were not used for long.
    pub idle: BoundedCount,
    /// Active keys that work from every IPv4 or every IPv6 address.
    pub open: BoundedCount,
}

/// The moments that decide which keys need attention.
#[derive(Clone, Copy, Debug)]
pub struct CountLimits {
    /// The present.
    pub now: Timestamp,
    /// Keys that end before this moment end soon.
    pub ends_before: Timestamp,
    /// Keys that were last used before this moment, or created if never used, are idle.
    pub unused_since: Timestamp,
}

row! {
    struct CountRow {
        number: i64,
    }
}

row! {
    struct IdleRow {
        examined: i64,
        number: i64,
    }
}

/// A statement that counts the entries of one partial index whose end is behind $2 and not behind $3. Because they are
/// counted in order, PostgreSQL reads them off the index until the limit, and doesn't collect all of them first.
macro_rules! count {
    ($condition:literal) => {
        concat!(
            "SELECT COUNT(*) AS number FROM (SELECT 1 AS one FROM api_keys WHERE organization = $1 AND ",
            $condition,
            " AND ends_at > $2 AND ends_at <= $3 ORDER BY ends_at LIMIT $4) counted"
        )
    };
}

const USABLE: &str = count!("revoked_at IS NULL AND disabled_at IS NULL");
const DISABLED: &str = count!("revoked_at IS NULL AND disabled_at IS NOT NULL");
const REVOKED: &str = count!("revoked_at IS NOT NULL");
const OPEN: &str = count!(
    "revoked_at IS NULL AND disabled_at IS NULL
     AND (' ' || cidrs || ' ' LIKE '% 0.0.0.0/0 %' OR ' ' || cidrs || ' ' LIKE '% ::/0 %')"
);
/// SQLite joins the tables of a CROSS JOIN in the order in which they are written.
const IDLE: &str = "
    SELECT COUNT(*) AS examined,
           CAST(COALESCE(SUM(CASE WHEN revoked_at IS NULL AND disabled_at IS NULL AND ends_at > $2 THEN 1 ELSE 0 END), 0)
                AS BIGINT) AS number
    FROM (SELECT created_seq FROM key_last_use WHERE organization = $1 AND idle_since < $3
          ORDER BY idle_since, created_seq LIMIT $4) idle
    CROSS JOIN api_keys WHERE api_keys.created_seq = idle.created_seq";

/// Before every time, and after.
const ALWAYS: (i64, i64) = (i64::MIN, i64::MAX);

impl Reading {
    /// Counts the keys of an organization.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn key_counts(
        &self,
        organization: &OrganizationId,
        limits: &CountLimits,
    ) -> Result<KeyCounts, StoreError> {
        let (first, last) = ALWAYS;
        let now = limits.now.unix();
        let [before, after] = [(first, now), (now, last)];
        let expired = self.counted(USABLE, organization, before).await?;
        let expired_when_disabled = self.counted(DISABLED, organization, before).await?;
        Ok(KeyCounts {
            active: self.counted(USABLE, organization, after).await?,
            disabled: self.counted(DISABLED, organization, after).await?,
            expired: expired.and(expired_when_disabled),
            revoked: self.counted(REVOKED, organization, ALWAYS).await?,
            ending: self.counted(USABLE, organization, (now, limits.ends_before.unix() - 1)).await?,
            idle: self.idle(organization, limits).await?,
            open: self.counted(OPEN, organization, after).await?,
        })
    }

    async fn counted(
        &self,
        statement: &'static str,
        organization: &OrganizationId,
        (behind, up_to): (i64, i64),
    ) -> Result<BoundedCount, StoreError> {
        let row = on!(&self.db, |pool, DB| {
            sqlx::query_as::<DB, CountRow>(statement)
                .bind(organization.as_str())
                .bind(behind)
                .bind(up_to)
                .bind(MOST + 1)
                .fetch_one(pool)
                .await
        })?;
        Ok(BoundedCount::up_to(MOST, row.number))
    }

    async fn idle(
        &self,
        organization: &OrganizationId,
        limits: &CountLimits,
    ) -> Result<BoundedCount, StoreError> {
        let row = on!(&self.db, |pool, DB| {
            sqlx::query_as::<DB, IdleRow>(IDLE)
                .bind(organization.as_str())
                .bind(limits.now.unix())
                .bind(limits.unused_since.unix())
                .bind(MOST_IDLE)
                .fetch_one(pool)
                .await
        })?;
        Ok(BoundedCount { number: row.number.unsigned_abs(), or_more: row.examined >= MOST_IDLE })
    }
}

impl BoundedCount {
    fn up_to(most: i64, counted: i64) -> Self {
        Self { number: counted.min(most).unsigned_abs(), or_more: counted > most }
    }

    /// The sum of both.
    pub fn and(self, other: Self) -> Self {
        let most = MOST.unsigned_abs();
        let sum = self.number + other.number;
        Self { number: sum.min(most), or_more: self.or_more || other.or_more || sum > most }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Store;
    use crate::store::db::{Either, plan};
    use crate::store::keys::postgres_plans;

    #[tokio::test]
    async fn a_count_reads_entries_of_one_index() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&format!("sqlite://{}/test.db", folder.path().display())).await.unwrap();
        let Either::Sqlite(pool) = &store.db else { unreachable!() };
        for (statement, index) in
            [(USABLE, "usable"), (DISABLED, "disabled"), (REVOKED, "revoked"), (OPEN, "open")]
        {
            let steps = plan(pool, statement).await;
            let search = format!(
                "SEARCH api_keys USING INDEX api_keys_{index} (organization=? AND ends_at>? AND ends_at<?)"
            );
            assert!(steps.contains(&search), "{statement}: {steps:?}");
        }
        let steps = plan(pool, IDLE).await;
        for search in [
            "SEARCH key_last_use USING COVERING INDEX key_last_use_by_time (organization=? AND idle_since<?)",
            "SEARCH api_keys USING INDEX sqlite_autoindex_api_keys_2 (created_seq=?)",
        ] {
            assert!(steps.iter().any(|step| step == search), "{steps:?}");
        }
    }

    /// Ten thousand keys of one organization among forty thousand, in every state.
    const KEYS: &str = "
        INSERT INTO organizations (id, name, created_at) VALUES ('acme', 'Acme', 0), ('other', 'Other', 0);
        INSERT INTO projects (organization, id, name, environments, created_at)
            SELECT id, 'web', 'web', 'prd', 0 FROM organizations;
        INSERT INTO api_keys (id, created_seq, organization, project, environment, brand, name, name_folded, scopes,
                              cidrs, generation, created_at, created_by, expires_at, ends_at, revoked_at, disabled_at)
            SELECT 'key_' || lpad(n::text, 16, '0'), n, CASE n % 4 WHEN 0 THEN 'acme' ELSE 'other' END, 'web', 'prd', 'clv',
                   'key', 'key', 'read:*', CASE n % 3 WHEN 0 THEN '0.0.0.0/0 ::/0' ELSE '10.0.0.0/8' END, 1, n,
                   'bootstrap', n, n, CASE n % 5 WHEN 0 THEN n END, CASE n % 7 WHEN 0 THEN n END
            FROM generate_series(1, 40000) AS n;
        INSERT INTO key_last_use (key_id, organization, created_seq, idle_since)
            SELECT id, organization, created_seq, created_seq * 7901 % 40000 FROM api_keys;
        ANALYZE;";

    #[tokio::test]
    async fn on_postgres_a_count_reads_entries_of_one_index() {
        let Some(store) = postgres_plans::store("counts").await else { return };
        let Either::Postgres(pool) = &store.db else { unreachable!() };
        sqlx::raw_sql(KEYS).execute(pool).await.unwrap();
        let statements = [
            (USABLE, "api_keys_usable"),
            (DISABLED, "api_keys_disabled"),
            (REVOKED, "api_keys_revoked"),
            (OPEN, "api_keys_open"),
            (IDLE, "key_last_use_by_time"),
        ];
        for (statement, index) in statements {
            let bound = sqlx::query(statement).bind("acme").bind(0_i64).bind(40_000_i64).bind(100_i64);
            let steps = postgres_plans::of(pool, bound).await;
            assert!(steps.iter().any(|step| step.contains(&format!("using {index}"))), "{steps:#?}");
            assert!(
                !steps.iter().any(|step| step.contains("Seq Scan") || step.contains("Sort")),
                "{steps:#?}"
            );
        }
    }

    #[test]
    fn a_count_says_when_it_stopped() {
        let count = |number, or_more| BoundedCount { number, or_more };
        assert_eq!(BoundedCount::up_to(MOST, MOST), count(10_000, false));
        assert_eq!(BoundedCount::up_to(MOST, MOST + 1), count(10_000, true));
        assert_eq!(count(1, false).and(count(2, false)), count(3, false));
        assert_eq!(count(10_000, false).and(count(1, false)), count(10_000, true));
        assert_eq!(count(10_000, true).and(count(0, false)), count(10_000, true));
    }
}
