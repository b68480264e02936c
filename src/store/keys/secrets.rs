//! Changes the secrets of keys.

use crate::base::clock::Timestamp;
use crate::domain::key::SecretId;
use crate::store::db::on;
use crate::store::write::Write;
use crate::store::{Store, StoreError};

impl Store {
    /// Replaces a secret's hash by one of the same secret with another cost. `false` if the hash has changed meanwhile,
    /// or the secret was retired. Nobody can see the change, so it has no audit event and no change number.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn replace_hash(&self, id: SecretId, old: &str, new: &str) -> Result<bool, StoreError> {
        Ok(on!(&self.db, |pool, DB| {
            sqlx::query::<DB>(
                "UPDATE key_secrets SET hash = $3 WHERE id = $1 AND hash = $2 AND retired_at IS NULL",
            )
            .bind(id.to_string())
            .bind(old)
            .bind(new)
            .execute(pool)
            .await
            .map(|done| done.rows_affected() == 1)
        })?)
    }
}

impl Write {
    /// Sets when a secret ends; `None` if never.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn end_secret(&mut self, id: SecretId, end: Option<Timestamp>) -> Result<(), StoreError> {
        on!(&mut self.tx, |tx, DB| {
            sqlx::query::<DB>("UPDATE key_secrets SET expires_at = $2 WHERE id = $1 AND retired_at IS NULL")
                .bind(id.to_string())
                .bind(end.map(Timestamp::unix))
                .execute(&mut **tx)
                .await
                .map(drop)
        })?;
        Ok(())
    }
}
