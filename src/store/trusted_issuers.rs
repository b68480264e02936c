//! Trusted issuers.

use sqlx::QueryBuilder;

use super::db::{Db, Tx, on, row};
use super::error::read;
use super::page::{Page, Visible};
use super::write::Write;
use super::{Reading, Snapshot, Store, StoreError};
use crate::base::clock::Timestamp;
use crate::domain::names::{OrganizationId, TrustedIssuerId};
use crate::domain::trusted_issuer::{SignatureAlgorithms, TrustedIssuer};

row! {
    struct IssuerRow {
        organization: String,
        id: String,
        name: String,
        issuer: String,
        key_source: String,
        algorithms: String,
        max_lifetime: i64,
        single_use: i64,
        keys_version: i64,
        created_at: i64,
        disabled_at: Option<i64>,
        created_seq: i64,
    }
}

macro_rules! select_issuers {
    () => {
        "SELECT organization, id, name, issuer, key_source, algorithms, max_lifetime, single_use, keys_version,
                created_at, disabled_at, created_seq
         FROM trusted_issuers WHERE deleted_at IS NULL AND organization = "
    };
}

const ISSUER: &str = concat!(select_issuers!(), "$1 AND id = $2");
const ISSUERS: &str = concat!(select_issuers!(), "$1 ORDER BY created_seq");

impl Store {
    /// The trusted issuers of an organization with these ids, at most [`TrustedIssuer::MAX_COUNT`]. This is for
    /// credentials that callers present, so it doesn't wait for a permit.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn trusted_issuers_named(
        &self,
        organization: &OrganizationId,
        ids: &[&TrustedIssuerId],
    ) -> Result<Vec<TrustedIssuer>, StoreError> {
        named(&self.db, organization, ids).await
    }
}

impl Reading {
    /// The trusted issuer with this id in `organization`.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn trusted_issuer(
        &self,
        organization: &OrganizationId,
        id: &TrustedIssuerId,
    ) -> Result<Option<TrustedIssuer>, StoreError> {
        Ok(named(&self.db, organization, &[id]).await?.pop())
    }

    /// At most `limit` trusted issuers that were created before the one with creation number `before`, newest first.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn trusted_issuers(
        &self,
        organization: &OrganizationId,
        visible: &Visible<TrustedIssuerId>,
        before: Option<i64>,
        limit: u16,
    ) -> Result<Page<TrustedIssuer>, StoreError> {
        let rows = on!(&self.db, |pool, DB| {
            let mut sql = QueryBuilder::<DB>::new(select_issuers!());
            sql.push_bind(organization.as_str());
            sql.push(" AND created_seq < ").push_bind(before.unwrap_or(i64::MAX));
            visible.narrow(&mut sql);
            sql.push(" ORDER BY created_seq DESC LIMIT ").push_bind(i64::from(limit) + 1);
            sql.build_query_as::<IssuerRow>().fetch_all(pool).await
        })?;
        let rows = rows.into_iter().map(|row| Ok((row.created_seq, row.try_into()?)));
        Ok(Page::of(rows.collect::<Result<_, StoreError>>()?, limit))
    }
}

async fn named(
    db: &Db,
    organization: &OrganizationId,
    ids: &[&TrustedIssuerId],
) -> Result<Vec<TrustedIssuer>, StoreError> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let rows = on!(db, |pool, DB| {
        let mut sql = QueryBuilder::<DB>::new(select_issuers!());
        sql.push_bind(organization.as_str()).push(" AND id IN (");
        let mut listed = sql.separated(", ");
        for id in ids {
            listed.push_bind(id.as_str());
        }
        sql.push(")").build_query_as::<IssuerRow>().fetch_all(pool).await
    })?;
    rows.into_iter().map(TrustedIssuer::try_from).collect()
}

impl Snapshot {
    /// All trusted issuers of an organization, oldest first.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn trusted_issuers(
        &mut self,
        organization: &OrganizationId,
    ) -> Result<Vec<TrustedIssuer>, StoreError> {
        all(&mut self.tx, organization).await
    }
}

impl Write {
    /// All trusted issuers of an organization, oldest first, as this mutation sees them.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn trusted_issuers(
        &mut self,
        organization: &OrganizationId,
    ) -> Result<Vec<TrustedIssuer>, StoreError> {
        all(&mut self.tx, organization).await
    }

    /// The trusted issuer with this id, as this mutation sees it.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn trusted_issuer(
        &mut self,
        organization: &OrganizationId,
        id: &TrustedIssuerId,
    ) -> Result<Option<TrustedIssuer>, StoreError> {
        one(&mut self.tx, organization, id).await
    }

    /// The number of trusted issuers of an organization.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn count_trusted_issuers(
        &mut self,
        organization: &OrganizationId,
    ) -> Result<usize, StoreError> {
        let count = on!(&mut self.tx, |tx, DB| {
            sqlx::query_scalar::<DB, i64>(
                "SELECT COUNT(*) FROM trusted_issuers WHERE deleted_at IS NULL AND organization = $1",
            )
            .bind(organization.as_str())
            .fetch_one(&mut **tx)
            .await
        })?;
        Ok(usize::try_from(count).unwrap_or(usize::MAX))
    }

    /// Stores a new trusted issuer, which takes the number of its record as creation number and as version of its keys.
    /// `false` if its id was ever used before in its organization.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn insert_trusted_issuer(&mut self, issuer: &TrustedIssuer) -> Result<bool, StoreError> {
        let seq = self.number().await?;
        let stored = on!(&mut self.tx, |tx, DB| {
            sqlx::query::<DB>(
                "INSERT INTO trusted_issuers (organization, id, created_seq, name, issuer, key_source, algorithms,
                     max_lifetime, single_use, keys_version, created_at, disabled_at)
                 VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $3, $10, $11)
                 ON CONFLICT (organization, id) DO NOTHING",
            )
            .bind(issuer.organization.as_str())
            .bind(issuer.id.as_str())
            .bind(seq)
            .bind(&issuer.name)
            .bind(issuer.url.as_str())
            .bind(key_source(issuer))
            .bind(issuer.algorithms.text())
            .bind(i64::from(issuer.max_lifetime))
            .bind(i64::from(issuer.single_use))
            .bind(issuer.created_at.unix())
            .bind(issuer.disabled_at.map(Timestamp::unix))
            .execute(&mut **tx)
            .await
            .map(|done| done.rows_affected())
        })?;
        Ok(stored == 1)
    }

    /// Stores the current state of a trusted issuer. With `has_other_keys`, the key sets in memory are those of an
    /// earlier state.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn update_trusted_issuer(
        &mut self,
        issuer: &TrustedIssuer,
        has_other_keys: bool,
    ) -> Result<(), StoreError> {
        let version = if has_other_keys { self.number().await? } else { issuer.keys_version };
        on!(&mut self.tx, |tx, DB| {
            sqlx::query::<DB>(
                "UPDATE trusted_issuers SET name = $3, issuer = $4, key_source = $5, algorithms = $6,
                     max_lifetime = $7, single_use = $8, keys_version = $9, disabled_at = $10
                 WHERE organization = $1 AND id = $2 AND deleted_at IS NULL",
            )
            .bind(issuer.organization.as_str())
            .bind(issuer.id.as_str())
            .bind(&issuer.name)
            .bind(issuer.url.as_str())
            .bind(key_source(issuer))
            .bind(issuer.algorithms.text())
            .bind(i64::from(issuer.max_lifetime))
            .bind(i64::from(issuer.single_use))
            .bind(version)
            .bind(issuer.disabled_at.map(Timestamp::unix))
            .execute(&mut **tx)
            .await
            .map(drop)
        })?;
        Ok(())
    }

    /// Removes a trusted issuer. Its row stays, so that its id is not used again: a rule that names it would come to
    /// trust somebody else.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn delete_trusted_issuer(&mut self, issuer: &TrustedIssuer) -> Result<(), StoreError> {
        let at = self.at.unix();
        on!(&mut self.tx, |tx, DB| {
            sqlx::query::<DB>(
                "UPDATE trusted_issuers SET deleted_at = $3
                 WHERE organization = $1 AND id = $2 AND deleted_at IS NULL",
            )
            .bind(issuer.organization.as_str())
            .bind(issuer.id.as_str())
            .bind(at)
            .execute(&mut **tx)
            .await
            .map(drop)
        })?;
        Ok(())
    }
}

async fn one(
    tx: &mut Tx,
    organization: &OrganizationId,
    id: &TrustedIssuerId,
) -> Result<Option<TrustedIssuer>, StoreError> {
    let row = on!(tx, |tx, DB| {
        let query = sqlx::query_as::<DB, IssuerRow>(ISSUER);
        query.bind(organization.as_str()).bind(id.as_str()).fetch_optional(&mut **tx).await
    })?;
    row.map(TrustedIssuer::try_from).transpose()
}

async fn all(tx: &mut Tx, organization: &OrganizationId) -> Result<Vec<TrustedIssuer>, StoreError> {
    let rows = on!(tx, |tx, DB| {
        sqlx::query_as::<DB, IssuerRow>(ISSUERS).bind(organization.as_str()).fetch_all(&mut **tx).await
    })?;
    rows.into_iter().map(TrustedIssuer::try_from).collect()
}

fn key_source(issuer: &TrustedIssuer) -> String {
    serde_json::to_string(&issuer.keys).unwrap_or_default()
}

impl TryFrom<IssuerRow> for TrustedIssuer {
    type Error = StoreError;

    fn try_from(row: IssuerRow) -> Result<Self, StoreError> {
        Ok(Self {
            id: read("trusted issuer", &row.id)?,
            organization: read("organization", &row.organization)?,
            name: row.name,
            url: read("issuer", &row.issuer)?,
            keys: serde_json::from_str(&row.key_source)
                .map_err(|error| StoreError::corrupt("key_source", error))?,
            algorithms: SignatureAlgorithms::from_text(&row.algorithms)
                .map_err(|error| StoreError::corrupt("algorithms", error))?,
            max_lifetime: u32::try_from(row.max_lifetime)
                .map_err(|error| StoreError::corrupt("max_lifetime", error))?,
            single_use: row.single_use != 0,
            disabled_at: row.disabled_at.map(Timestamp::from_unix),
            created_at: Timestamp::from_unix(row.created_at),
            keys_version: row.keys_version,
        })
    }
}
