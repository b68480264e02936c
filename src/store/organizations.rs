//! Organizations.

use sqlx::QueryBuilder;

use super::db::{Tx, on, row};
use super::error::read;
use super::page::{Page, Visible};
use super::write::Write;
use super::{Reading, Snapshot, StoreError};
use crate::base::clock::Timestamp;
use crate::domain::audiences::Audiences;
use crate::domain::names::OrganizationId;
use crate::domain::tenant::Organization;

row! {
    struct OrganizationRow {
        id: String,
        name: String,
        audiences: Option<String>,
        created_at: i64,
        created_seq: i64,
    }
}

const ORGANIZATION: &str = "SELECT id, name, audiences, created_at, created_seq FROM organizations
                            WHERE deleted_at IS NULL AND id = $1";

impl Reading {
    /// The organization with this id.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn organization(&self, id: &OrganizationId) -> Result<Option<Organization>, StoreError> {
        let row = on!(&self.db, |pool, DB| {
            sqlx::query_as::<DB, OrganizationRow>(ORGANIZATION).bind(id.as_str()).fetch_optional(pool).await
        })?;
        row.map(Organization::try_from).transpose()
    }

    /// At most `limit` organizations that were created before the one with creation number `before`, newest first.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn organizations(
        &self,
        visible: &Visible<OrganizationId>,
        before: Option<i64>,
        limit: u16,
    ) -> Result<Page<Organization>, StoreError> {
        let rows = on!(&self.db, |pool, DB| {
            let mut sql = QueryBuilder::<DB>::new(
                "SELECT id, name, audiences, created_at, created_seq FROM organizations
                 WHERE deleted_at IS NULL AND created_seq < ",
            );
            sql.push_bind(before.unwrap_or(i64::MAX));
            visible.narrow(&mut sql);
            sql.push(" ORDER BY created_seq DESC LIMIT ").push_bind(i64::from(limit) + 1);
            sql.build_query_as::<OrganizationRow>().fetch_all(pool).await
        })?;
        let rows = rows.into_iter().map(|row| Ok((row.created_seq, row.try_into()?)));
        Ok(Page::of(rows.collect::<Result<_, StoreError>>()?, limit))
    }
}

impl Write {
    /// The organization with this id, as this mutation sees it.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn organization(&mut self, id: &OrganizationId) -> Result<Option<Organization>, StoreError> {
        organization(&mut self.tx, id).await
    }

    /// Stores a new organization. `false` if its id was ever used before.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn insert_organization(&mut self, organization: &Organization) -> Result<bool, StoreError> {
        let seq = self.number().await?;
        Ok(on!(&mut self.tx, |tx, DB| {
            sqlx::query::<DB>(
                "INSERT INTO organizations (id, created_seq, name, audiences, created_at)
                 VALUES ($1, $2, $3, $4, $5) ON CONFLICT (id) DO NOTHING",
            )
            .bind(organization.id.as_str())
            .bind(seq)
            .bind(&organization.name)
            .bind(organization.audiences.as_ref().map(ToString::to_string))
            .bind(organization.created_at.unix())
            .execute(&mut **tx)
            .await
            .map(|done| done.rows_affected() == 1)
        })?)
    }

    /// Stores the current state of an organization.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn update_organization(&mut self, organization: &Organization) -> Result<(), StoreError> {
        on!(&mut self.tx, |tx, DB| {
            sqlx::query::<DB>("UPDATE organizations SET name = $2, audiences = $3 WHERE id = $1")
                .bind(organization.id.as_str())
                .bind(&organization.name)
                .bind(organization.audiences.as_ref().map(ToString::to_string))
                .execute(&mut **tx)
                .await
                .map(drop)
        })?;
        Ok(())
    }

    /// Deletes an organization and its projects. Their rows stay, so that no id is used again.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn delete_organization(&mut self, id: &OrganizationId) -> Result<(), StoreError> {
        for statement in [
            "UPDATE projects SET deleted_at = $2 WHERE organization = $1 AND deleted_at IS NULL",
            "UPDATE organizations SET deleted_at = $2 WHERE id = $1 AND deleted_at IS NULL",
        ] {
            let at = self.at.unix();
            on!(&mut self.tx, |tx, DB| {
                sqlx::query::<DB>(statement).bind(id.as_str()).bind(at).execute(&mut **tx).await.map(drop)
            })?;
        }
        Ok(())
    }
}

impl Snapshot {
    /// The organization with this id.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn organization(&mut self, id: &OrganizationId) -> Result<Option<Organization>, StoreError> {
        organization(&mut self.tx, id).await
    }
}

async fn organization(tx: &mut Tx, id: &OrganizationId) -> Result<Option<Organization>, StoreError> {
    let row = on!(tx, |tx, DB| {
        sqlx::query_as::<DB, OrganizationRow>(ORGANIZATION).bind(id.as_str()).fetch_optional(&mut **tx).await
    })?;
    row.map(Organization::try_from).transpose()
}

impl TryFrom<OrganizationRow> for Organization {
    type Error = StoreError;

    fn try_from(row: OrganizationRow) -> Result<Self, StoreError> {
        Ok(Self {
            id: read("organization", &row.id)?,
            name: row.name,
            audiences: row.audiences.as_deref().map(Audiences::from_text),
            created_at: Timestamp::from_unix(row.created_at),
        })
    }
}
