//! The mark of recovery keys: those that `claviger admin-key` made. It stays through changes and rotations of the key.

use crate::domain::api_key::KeyId;
use crate::store::db::on;
use crate::store::{Store, StoreError, Write};

impl Write {
    /// Marks a key that is made in this mutation as a recovery key.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn mark_recovery_key(&mut self, key: &KeyId) -> Result<(), StoreError> {
        let at = self.at.unix();
        on!(&mut self.tx, |tx, DB| {
            sqlx::query::<DB>("UPDATE api_keys SET recovery_at = $2 WHERE id = $1")
                .bind(key.to_string())
                .bind(at)
                .execute(&mut **tx)
                .await
                .map(drop)
        })?;
        Ok(())
    }
}

impl Store {
    /// Whether this key is a recovery key.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn is_recovery_key(&self, key: &KeyId) -> Result<bool, StoreError> {
        Ok(on!(&self.db, |pool, DB| {
            sqlx::query_as::<DB, (String,)>(
                "SELECT id FROM api_keys WHERE id = $1 AND recovery_at IS NOT NULL",
            )
            .bind(key.to_string())
            .fetch_optional(pool)
            .await
            .map(|found| found.is_some())
        })?)
    }
}
