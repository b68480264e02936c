//! Organizations.

use super::db::on;
use super::{Store, StoreError};
use crate::names::OrganizationId;

impl Store {
    /// Whether there is such an organization.
    ///
    /// # Errors
    /// When the store cannot be asked.
    pub async fn has_organization(&self, id: &OrganizationId) -> Result<bool, StoreError> {
        let found = on!(&self.db, |pool, DB| {
            sqlx::query_scalar::<DB, String>(
                "SELECT id FROM organizations WHERE id = $1 AND deleted_at IS NULL",
            )
            .bind(id.as_str())
            .fetch_optional(pool)
            .await
        })?;
        Ok(found.is_some())
    }
}
