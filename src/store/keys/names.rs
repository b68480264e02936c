//! What keys are called, for pages that mention keys of any organization.

use std::collections::BTreeMap;

use sqlx::QueryBuilder;

use crate::domain::api_key::KeyId;
use crate::domain::names::OrganizationId;
use crate::store::db::{BATCH, on, row, stays_prepared};
use crate::store::error::read;
use crate::store::{KeyLabel, Reading, StoreError};

row! {
    struct NameRow {
        id: String,
        organization: String,
        project: String,
        environment: String,
        name: String,
    }
}

impl Reading {
    /// The organization and the label of each of these keys. Deleted keys are left out.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn key_labels(
        &self,
        ids: &[KeyId],
    ) -> Result<BTreeMap<KeyId, (OrganizationId, KeyLabel)>, StoreError> {
        let mut labels = BTreeMap::new();
        for batch in ids.chunks(BATCH) {
            let rows = on!(&self.db, |pool, DB| {
                let mut sql = QueryBuilder::<DB>::new(
                    "SELECT id, organization, project, environment, name FROM api_keys WHERE id IN (",
                );
                let mut listed = sql.separated(", ");
                for id in batch {
                    listed.push_bind(id.to_string());
                }
                let query = sql.push(")").build_query_as::<NameRow>();
                query.persistent(stays_prepared(batch.len())).fetch_all(pool).await
            })?;
            for row in rows {
                let label = KeyLabel {
                    name: row.name,
                    project: read("project", &row.project)?,
                    environment: read("environment", &row.environment)?,
                };
                labels.insert(read("key id", &row.id)?, (read("organization", &row.organization)?, label));
            }
        }
        Ok(labels)
    }
}
