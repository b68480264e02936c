//! Inserts, ends and retires the secrets of keys.

use crate::base::clock::Timestamp;
use crate::domain::api_key::KeyId;
use crate::domain::key::{CredentialId, KeySecret, SecretId};
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
    /// Stores a new secret of a key.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn insert_secret(&mut self, key: &KeyId, secret: &KeySecret) -> Result<(), StoreError> {
        on!(&mut self.tx, |tx, DB| {
            sqlx::query::<DB>(
                "INSERT INTO key_secrets (id, key_id, hash, master_key, created_at, expires_at)
                 VALUES ($1, $2, $3, $4, $5, $6)",
            )
            .bind(secret.id.to_string())
            .bind(key.to_string())
            .bind(&*secret.hash)
            .bind(secret.master_key)
            .bind(secret.created_at.unix())
            .bind(secret.expires_at.map(Timestamp::unix))
            .execute(&mut **tx)
            .await
            .map(drop)
        })?;
        Ok(())
    }

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

    /// Retires a secret, which is then no longer accepted.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn retire_secret(&mut self, id: SecretId) -> Result<(), StoreError> {
        self.retire_credential(id.into()).await
    }

    /// Retires a credential of a key. Its row stays, so that a restored backup can't bring it back unnoticed.
    pub(super) async fn retire_credential(&mut self, id: CredentialId) -> Result<(), StoreError> {
        let at = self.at.unix();
        on!(&mut self.tx, |tx, DB| {
            sqlx::query::<DB>("UPDATE key_secrets SET retired_at = $2 WHERE id = $1 AND retired_at IS NULL")
                .bind(id.to_string())
                .bind(at)
                .execute(&mut **tx)
                .await
                .map(drop)
        })?;
        Ok(())
    }
}
