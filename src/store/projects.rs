//! Projects.

use sqlx::QueryBuilder;

use super::db::{BATCH, Tx, on, row, stays_prepared};
use super::error::read;
use super::page::{Page, Visible};
use super::write::Write;
use super::{Reading, Snapshot, StoreError};
use crate::base::clock::Timestamp;
use crate::domain::api_key::EnvironmentSlug;
use crate::domain::audiences::Audiences;
use crate::domain::names::{OrganizationId, ProjectId};
use crate::domain::tenant::{Environments, Project};

row! {
    struct ProjectRow {
        organization: String,
        id: String,
        name: String,
        environments: String,
        audiences: Option<String>,
        created_at: i64,
        created_seq: i64,
    }
}

macro_rules! select_projects {
    () => {
        "SELECT organization, id, name, environments, audiences, created_at, created_seq FROM projects
         WHERE deleted_at IS NULL AND organization = "
    };
}

const PROJECT: &str = concat!(select_projects!(), "$1 AND id = $2");
const PROJECTS: &str = concat!(select_projects!(), "$1 ORDER BY created_seq, id");

impl Reading {
    /// The project with this id in `organization`.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn project(
        &self,
        organization: &OrganizationId,
        id: &ProjectId,
    ) -> Result<Option<Project>, StoreError> {
        let row = on!(&self.db, |pool, DB| {
            let query = sqlx::query_as::<DB, ProjectRow>(PROJECT);
            query.bind(organization.as_str()).bind(id.as_str()).fetch_optional(pool).await
        })?;
        row.map(Project::try_from).transpose()
    }

    /// The project for a new key, among those that match the given ids. `default` in `default` comes first, and then
    /// the oldest.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn home(
        &self,
        organization: Option<&OrganizationId>,
        project: Option<&ProjectId>,
    ) -> Result<Option<Project>, StoreError> {
        let row = on!(&self.db, |pool, DB| {
            sqlx::query_as::<DB, ProjectRow>(
                "SELECT p.organization, p.id, p.name, p.environments, p.audiences, p.created_at, p.created_seq
                 FROM projects p JOIN organizations o ON o.id = p.organization AND o.deleted_at IS NULL
                 WHERE p.deleted_at IS NULL AND p.organization = COALESCE($1, p.organization)
                   AND p.id = COALESCE($2, p.id)
                 ORDER BY CASE WHEN p.organization = 'default' THEN 0 ELSE 1 END,
                          CASE WHEN p.id = 'default' THEN 0 ELSE 1 END, p.created_seq, p.id LIMIT 1",
            )
            .bind(organization.map(OrganizationId::as_str))
            .bind(project.map(ProjectId::as_str))
            .fetch_optional(pool)
            .await
        })?;
        row.map(Project::try_from).transpose()
    }

    /// At most `limit` projects that were created before the one with creation number `before`, newest first.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn projects(
        &self,
        organization: &OrganizationId,
        visible: &Visible<ProjectId>,
        before: Option<i64>,
        limit: u16,
    ) -> Result<Page<Project>, StoreError> {
        let rows = on!(&self.db, |pool, DB| {
            let mut sql = QueryBuilder::<DB>::new(select_projects!());
            sql.push_bind(organization.as_str());
            sql.push(" AND created_seq < ").push_bind(before.unwrap_or(i64::MAX));
            visible.narrow(&mut sql);
            sql.push(" ORDER BY created_seq DESC LIMIT ").push_bind(i64::from(limit) + 1);
            sql.build_query_as::<ProjectRow>().fetch_all(pool).await
        })?;
        let rows = rows.into_iter().map(|row| Ok((row.created_seq, row.try_into()?)));
        Ok(Page::of(rows.collect::<Result<_, StoreError>>()?, limit))
    }
}

impl Write {
    /// The project with this id, as this mutation sees it.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn project(
        &mut self,
        organization: &OrganizationId,
        id: &ProjectId,
    ) -> Result<Option<Project>, StoreError> {
        let row = on!(&mut self.tx, |tx, DB| {
            let query = sqlx::query_as::<DB, ProjectRow>(PROJECT);
            query.bind(organization.as_str()).bind(id.as_str()).fetch_optional(&mut **tx).await
        })?;
        row.map(Project::try_from).transpose()
    }

    /// All projects of an organization, oldest first.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn projects(&mut self, organization: &OrganizationId) -> Result<Vec<Project>, StoreError> {
        projects(&mut self.tx, organization).await
    }

    /// Stores a new project. `false` if its id was ever used before in its organization.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn insert_project(&mut self, project: &Project) -> Result<bool, StoreError> {
        self.insert_projects(&[project]).await
    }

    /// Stores 1 to [`Write::AT_ONCE`] new projects. `false` if an id was ever used before in its organization; the
    /// caller must then not commit. Each project takes the number of its record, so the records must follow in the
    /// same order.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn insert_projects(&mut self, projects: &[&Project]) -> Result<bool, StoreError> {
        let first = self.number().await?;
        let numbered: Vec<_> = (first..).zip(projects).collect();
        let stored = on!(&mut self.tx, |tx, DB| {
            let mut sql = QueryBuilder::<DB>::new(
                "INSERT INTO projects (organization, id, created_seq, name, environments, audiences, created_at) ",
            );
            sql.push_values(&numbered, |mut row, (seq, project)| {
                row.push_bind(project.organization.as_str()).push_bind(project.id.as_str()).push_bind(seq);
                row.push_bind(&project.name).push_bind(project.environments.to_string());
                row.push_bind(project.audiences.as_ref().map(ToString::to_string));
                row.push_bind(project.created_at.unix());
            });
            sql.push(" ON CONFLICT (organization, id) DO NOTHING");
            sql.build()
                .persistent(stays_prepared(projects.len()))
                .execute(&mut **tx)
                .await
                .map(|done| done.rows_affected())
        })?;
        Ok(stored == projects.len() as u64)
    }

    /// Stores the current state of projects.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn update_projects(&mut self, projects: &[&Project]) -> Result<(), StoreError> {
        for batch in projects.chunks(BATCH) {
            on!(&mut self.tx, |tx, DB| {
                let mut sql = QueryBuilder::<DB>::new(
                    "WITH now (organization, id, name, environments, audiences) AS (",
                );
                sql.push_values(batch, |mut row, project| {
                    row.push_bind(project.organization.as_str()).push_bind(project.id.as_str());
                    row.push_bind(&project.name).push_bind(project.environments.to_string());
                    row.push_bind(project.audiences.as_ref().map(ToString::to_string));
                });
                sql.push(
                    ") UPDATE projects SET name = now.name, environments = now.environments,
                         audiences = now.audiences
                     FROM now WHERE projects.organization = now.organization AND projects.id = now.id",
                );
                sql.build().persistent(stays_prepared(batch.len())).execute(&mut **tx).await.map(drop)
            })?;
        }
        Ok(())
    }

    /// Deletes a project. Its row stays, so that its id is not used again.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn delete_project(&mut self, project: &Project) -> Result<(), StoreError> {
        let at = self.at.unix();
        on!(&mut self.tx, |tx, DB| {
            sqlx::query::<DB>(
                "UPDATE projects SET deleted_at = $3
                 WHERE organization = $1 AND id = $2 AND deleted_at IS NULL",
            )
            .bind(project.organization.as_str())
            .bind(project.id.as_str())
            .bind(at)
            .execute(&mut **tx)
            .await
            .map(drop)
        })?;
        Ok(())
    }

    /// The environments in which an organization, or one of its projects, has unrevoked keys.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn environments_in_use(
        &mut self,
        organization: &OrganizationId,
        project: Option<&ProjectId>,
    ) -> Result<Vec<EnvironmentSlug>, StoreError> {
        let found = on!(&mut self.tx, |tx, DB| {
            let mut sql = QueryBuilder::<DB>::new(
                "SELECT DISTINCT environment FROM api_keys WHERE revoked_at IS NULL AND organization = ",
            );
            sql.push_bind(organization.as_str());
            if let Some(project) = project {
                sql.push(" AND project = ").push_bind(project.as_str());
            }
            sql.push(" ORDER BY environment").build_query_scalar::<String>().fetch_all(&mut **tx).await
        })?;
        found.iter().map(|text| read("environment", text)).collect()
    }
}

impl Snapshot {
    /// All projects of an organization, oldest first.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn projects(&mut self, organization: &OrganizationId) -> Result<Vec<Project>, StoreError> {
        projects(&mut self.tx, organization).await
    }
}

async fn projects(tx: &mut Tx, organization: &OrganizationId) -> Result<Vec<Project>, StoreError> {
    let rows = on!(tx, |tx, DB| {
        let query = sqlx::query_as::<DB, ProjectRow>(PROJECTS);
        query.bind(organization.as_str()).fetch_all(&mut **tx).await
    })?;
    rows.into_iter().map(Project::try_from).collect()
}

impl TryFrom<ProjectRow> for Project {
    type Error = StoreError;

    fn try_from(row: ProjectRow) -> Result<Self, StoreError> {
        Ok(Self {
            organization: read("organization", &row.organization)?,
            id: read("project", &row.id)?,
            name: row.name,
            environments: Environments::from_text(&row.environments)
                .map_err(|error| StoreError::corrupt("environments", error))?,
            audiences: row.audiences.as_deref().map(Audiences::from_text),
            created_at: Timestamp::from_unix(row.created_at),
        })
    }
}
