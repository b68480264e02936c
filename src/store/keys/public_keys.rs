//! Inserts and removes registered public keys.

use crate::domain::api_key::KeyId;
use crate::domain::key::{PublicKeyId, RegisteredKey};
use crate::store::StoreError;
use crate::store::db::on;
use crate::store::write::Write;

impl Write {
    /// Registers a public key for a key.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn insert_public_key(
        &mut self,
        key: &KeyId,
        registered: &RegisteredKey,
    ) -> Result<(), StoreError> {
        on!(&mut self.tx, |tx, DB| {
            sqlx::query::<DB>(
                "INSERT INTO key_secrets (id, key_id, hash, public_jwk, created_at) VALUES ($1, $2, '', $3, $4)",
            )
            .bind(registered.id.to_string())
            .bind(key.to_string())
            .bind(&*registered.jwk)
            .bind(registered.created_at.unix())
            .execute(&mut **tx)
            .await
            .map(drop)
        })?;
        Ok(())
    }

    /// Removes a public key, which then no longer lets anybody in.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn remove_public_key(&mut self, id: PublicKeyId) -> Result<(), StoreError> {
        self.retire_credential(id.into()).await
    }
}
