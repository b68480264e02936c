//! Which of some organizations and projects exist.

use std::collections::BTreeSet;

use sqlx::QueryBuilder;

use crate::domain::names::{OrganizationId, ProjectId};
use crate::store::db::{BATCH, Tx, on, row, stays_prepared};
use crate::store::error::read;
use crate::store::{Store, StoreError, Write};

/// Organizations that exist, and those of their projects that were asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Places {
    organizations: BTreeSet<OrganizationId>,
    projects: BTreeSet<(OrganizationId, ProjectId)>,
}

row! {
    struct ProjectRow {
        organization: String,
        id: String,
    }
}

/// Reads which of these organizations exist, and of these projects in them. `$e` is what a statement runs on.
macro_rules! existing {
    ($db:expr, $asked:expr, |$e:ident| $executor:expr) => {{
        let asked: &Places = $asked;
        let mut found = Places::default();
        let organizations: Vec<&str> = asked.organizations.iter().map(OrganizationId::as_str).collect();
        for batch in organizations.chunks(BATCH) {
            let ids = on!($db, |$e, DB| {
                let mut sql = QueryBuilder::<DB>::new(
                    "SELECT id FROM organizations WHERE deleted_at IS NULL AND id IN (",
                );
                let mut listed = sql.separated(", ");
                for id in batch {
                    listed.push_bind(id.to_string());
                }
                sql.push(")");
                sql.build_query_scalar::<String>().persistent(stays_prepared(batch.len())).fetch_all($executor).await
            })?;
            for id in ids {
                found.organizations.insert(read("organization", &id)?);
            }
        }
        let projects: Vec<_> = asked.projects.iter().collect();
        for batch in projects.chunks(BATCH) {
            let rows = on!($db, |$e, DB| {
                let mut sql = QueryBuilder::<DB>::new(
                    "SELECT organization, id FROM projects WHERE deleted_at IS NULL AND (organization, id) IN (",
                );
                sql.push_values(batch, |mut row, (organization, id)| {
                    row.push_bind(organization.to_string()).push_bind(id.to_string());
                });
                sql.push(")");
                sql.build_query_as::<ProjectRow>().persistent(stays_prepared(batch.len())).fetch_all($executor).await
            })?;
            for row in rows {
                found.projects.insert((read("organization", &row.organization)?, read("project", &row.id)?));
            }
        }
        Ok(found)
    }};
}

impl Places {
    /// Adds an organization, and projects of it.
    pub fn add(&mut self, organization: &OrganizationId, projects: &[ProjectId]) {
        self.organizations.insert(organization.clone());
        self.projects.extend(projects.iter().map(|project| (organization.clone(), project.clone())));
    }

    /// Whether the organization is among these.
    pub fn has(&self, organization: &OrganizationId) -> bool {
        self.organizations.contains(organization)
    }

    /// Whether the project is among these.
    pub fn has_project(&self, organization: &OrganizationId, project: &ProjectId) -> bool {
        self.projects.contains(&(organization.clone(), project.clone()))
    }
}

impl Store {
    /// Those of these organizations and projects that exist.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn existing_places(&self, asked: &Places) -> Result<Places, StoreError> {
        existing!(&self.db, asked, |pool| pool)
    }
}

impl Write {
    /// Those of these organizations and projects that exist, as this mutation sees them.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn existing_places(&mut self, asked: &Places) -> Result<Places, StoreError> {
        existing_in(&mut self.tx, asked).await
    }
}

/// Those of these organizations and projects that exist, as this transaction sees them.
pub(in crate::store) async fn existing_in(tx: &mut Tx, asked: &Places) -> Result<Places, StoreError> {
    existing!(&mut *tx, asked, |tx| &mut **tx)
}
