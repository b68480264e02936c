//! Named scopes: the catalogues of the deployment and of its organizations.

use sqlx::QueryBuilder;

use super::db::{Tx, on, row};
use super::error::read;
use super::page::{Page, Visible};
use super::write::Write;
use super::{Reading, Snapshot, StoreError};
use crate::base::clock::Timestamp;
use crate::domain::named_scope::{Catalogue, NamedScope};
use crate::domain::names::{NamedScopeId, OrganizationId};

row! {
    struct NamedScopeRow {
        organization: String,
        id: String,
        scope: String,
        name: String,
        description: Option<String>,
        scope_group: Option<String>,
        created_at: i64,
        created_seq: i64,
    }
}

macro_rules! select_scopes {
    () => {
        "SELECT organization, id, scope, name, description, scope_group, created_at, created_seq
         FROM named_scopes WHERE "
    };
}

const SCOPE: &str = concat!(select_scopes!(), "organization = $1 AND id = $2");
const SCOPES: &str = concat!(select_scopes!(), "organization = $1 ORDER BY created_seq");
const OFFERED: &str = concat!(select_scopes!(), "organization IN ($1, $2) ORDER BY created_seq");

/// How a row names the catalogue of the deployment.
const DEPLOYMENT: &str = "";

/// Which entries a list has.
#[derive(Clone, Debug)]
pub struct NamedScopeList {
    /// The catalogue.
    pub catalogue: Catalogue,
    /// Whether the list also has the entries of the deployment.
    pub inherited: bool,
    /// The ids that may be seen.
    pub visible: Visible<NamedScopeId>,
}

impl Reading {
    /// The entry with this id.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn named_scope(
        &self,
        catalogue: &Catalogue,
        id: &NamedScopeId,
    ) -> Result<Option<NamedScope>, StoreError> {
        let row = on!(&self.db, |pool, DB| {
            let query = sqlx::query_as::<DB, NamedScopeRow>(SCOPE);
            query.bind(key(catalogue)).bind(id.as_str()).fetch_optional(pool).await
        })?;
        row.map(NamedScope::try_from).transpose()
    }

    /// At most `limit` entries that were created before the one with creation number `before`, newest first.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn named_scopes(
        &self,
        list: &NamedScopeList,
        before: Option<i64>,
        limit: u16,
    ) -> Result<Page<NamedScope>, StoreError> {
        let rows = on!(&self.db, |pool, DB| {
            let mut sql = QueryBuilder::<DB>::new(select_scopes!());
            sql.push("organization IN (").push_bind(key(&list.catalogue));
            if list.inherited {
                sql.push(", ").push_bind(DEPLOYMENT);
            }
            sql.push(") AND created_seq < ").push_bind(before.unwrap_or(i64::MAX));
            list.visible.narrow(&mut sql);
            sql.push(" ORDER BY created_seq DESC LIMIT ").push_bind(i64::from(limit) + 1);
            sql.build_query_as::<NamedScopeRow>().fetch_all(pool).await
        })?;
        let rows = rows.into_iter().map(|row| Ok((row.created_seq, row.try_into()?)));
        Ok(Page::of(rows.collect::<Result<_, StoreError>>()?, limit))
    }

    /// All entries of an organization's catalogue and of the deployment's, oldest first. There are at most twice
    /// [`Catalogue::MAX_COUNT`].
    ///
    /// # Errors
    /// When the store fails.
    pub async fn offered_scopes(&self, organization: &OrganizationId) -> Result<Vec<NamedScope>, StoreError> {
        let rows = on!(&self.db, |pool, DB| {
            let query = sqlx::query_as::<DB, NamedScopeRow>(OFFERED);
            query.bind(organization.as_str()).bind(DEPLOYMENT).fetch_all(pool).await
        })?;
        rows.into_iter().map(NamedScope::try_from).collect()
    }
}

impl Snapshot {
    /// All entries of a catalogue, oldest first.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn named_scopes(&mut self, catalogue: &Catalogue) -> Result<Vec<NamedScope>, StoreError> {
        all(&mut self.tx, catalogue).await
    }
}

impl Write {
    /// All entries of a catalogue, oldest first, as this mutation sees them.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn named_scopes(&mut self, catalogue: &Catalogue) -> Result<Vec<NamedScope>, StoreError> {
        all(&mut self.tx, catalogue).await
    }

    /// Stores a new entry, which takes the number of its record as creation number.
    ///
    /// # Errors
    /// When the store fails, and when the id is in use.
    pub async fn insert_named_scope(&mut self, entry: &NamedScope) -> Result<(), StoreError> {
        let seq = self.number().await?;
        on!(&mut self.tx, |tx, DB| {
            sqlx::query::<DB>(
                "INSERT INTO named_scopes (organization, id, created_seq, scope, name, description, scope_group, created_at)
                 VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
            )
            .bind(key(&entry.catalogue))
            .bind(entry.id.as_str())
            .bind(seq)
            .bind(entry.scope.to_string())
            .bind(&entry.name)
            .bind(entry.description.as_ref())
            .bind(entry.group.as_ref())
            .bind(entry.created_at.unix())
            .execute(&mut **tx)
            .await
            .map(drop)
        })?;
        Ok(())
    }

    /// Stores the current state of an entry.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn update_named_scope(&mut self, entry: &NamedScope) -> Result<(), StoreError> {
        on!(&mut self.tx, |tx, DB| {
            sqlx::query::<DB>(
                "UPDATE named_scopes SET scope = $3, name = $4, description = $5, scope_group = $6
                 WHERE organization = $1 AND id = $2",
            )
            .bind(key(&entry.catalogue))
            .bind(entry.id.as_str())
            .bind(entry.scope.to_string())
            .bind(&entry.name)
            .bind(entry.description.as_ref())
            .bind(entry.group.as_ref())
            .execute(&mut **tx)
            .await
            .map(drop)
        })?;
        Ok(())
    }

    /// Removes an entry.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn delete_named_scope(&mut self, entry: &NamedScope) -> Result<(), StoreError> {
        on!(&mut self.tx, |tx, DB| {
            sqlx::query::<DB>("DELETE FROM named_scopes WHERE organization = $1 AND id = $2")
                .bind(key(&entry.catalogue))
                .bind(entry.id.as_str())
                .execute(&mut **tx)
                .await
                .map(drop)
        })?;
        Ok(())
    }
}

async fn all(tx: &mut Tx, catalogue: &Catalogue) -> Result<Vec<NamedScope>, StoreError> {
    let rows = on!(tx, |tx, DB| {
        sqlx::query_as::<DB, NamedScopeRow>(SCOPES).bind(key(catalogue)).fetch_all(&mut **tx).await
    })?;
    rows.into_iter().map(NamedScope::try_from).collect()
}

/// How a row names a catalogue.
fn key(catalogue: &Catalogue) -> &str {
    catalogue.organization().map_or(DEPLOYMENT, OrganizationId::as_str)
}

impl TryFrom<NamedScopeRow> for NamedScope {
    type Error = StoreError;

    fn try_from(row: NamedScopeRow) -> Result<Self, StoreError> {
        let catalogue = match row.organization.as_str() {
            DEPLOYMENT => Catalogue::Deployment,
            id => Catalogue::Of(read("organization", id)?),
        };
        Ok(Self {
            id: read("named scope", &row.id)?,
            catalogue,
            scope: read("scope", &row.scope)?,
            name: row.name,
            description: row.description,
            group: row.scope_group,
            created_at: Timestamp::from_unix(row.created_at),
        })
    }
}
