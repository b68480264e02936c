//! The assertions that were used, for nodes that share them. A row is needed only until its assertion has expired.

use super::db::on;
use super::{Store, StoreError};
use crate::base::clock::Timestamp;
use crate::domain::principal::Principal;

impl Store {
    /// Uses an assertion of `principal`, by a digest of its client and its `jti`. `false` if it was used before. Nobody can
    /// see this, so it has no audit event and no change number. It waits its turn among the writers, so that no
    /// organization can keep the others from writing.
    ///
    /// # Errors
    /// When the store fails. The assertion may then be used or not.
    pub async fn use_assertion(
        &self,
        principal: &Principal,
        id: &[u8],
        expires_at: Timestamp,
    ) -> Result<bool, StoreError> {
        let _turn = self.writing(principal).await?;
        Ok(on!(self.admission.db(), |pool, DB| {
            sqlx::query::<DB>(
                "INSERT INTO used_assertions (used_id, expires_at) VALUES ($1, $2) ON CONFLICT (used_id) DO NOTHING",
            )
            .bind(id.to_vec())
            .bind(expires_at.unix())
            .execute(pool)
            .await
            .map(|done| done.rows_affected() == 1)
        })?)
    }

    /// Deletes the assertions that expired before a time.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn delete_expired_assertions(&self, before: Timestamp) -> Result<u64, StoreError> {
        self.delete_older("DELETE FROM used_assertions WHERE expires_at < $1", before).await
    }
}
