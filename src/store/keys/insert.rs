//! Storing a new key.

use super::order::ends_at;
use crate::clock::Timestamp;
use crate::key::{ApiKey, KeySecret};
use crate::store::StoreError;
use crate::store::db::on;
use crate::store::write::Write;

/// A key to be stored: it has exactly one secret, whose hash has been made.
#[derive(Debug)]
pub struct NewKey(ApiKey);

impl NewKey {
    /// `key` with `secret` as its only one.
    pub fn new(key: ApiKey, secret: KeySecret) -> Self {
        Self(ApiKey { secrets: vec![secret], ..key })
    }

    /// The key as it will be.
    pub fn key(&self) -> &ApiKey {
        &self.0
    }
}

impl Write {
    /// Stores a new key. Its project must be there and have its environment.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn insert_key(&mut self, new: &NewKey) -> Result<(), StoreError> {
        let (key, seq) = (new.key(), self.number().await?);
        on!(&mut self.tx, |tx, DB| {
            sqlx::query::<DB>(
                "INSERT INTO api_keys
                     (id, created_seq, organization, project, environment, brand, name, name_folded, note, scopes,
                      cidrs, generation, created_at, created_by, expires_at, ends_at, is_way_in)
                 VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)",
            )
            .bind(key.id.to_string())
            .bind(seq)
            .bind(key.organization.as_str())
            .bind(key.project.as_str())
            .bind(key.environment.as_str())
            .bind(key.brand.as_str())
            .bind(&key.name)
            .bind(key.name.to_ascii_lowercase())
            .bind(&key.note)
            .bind(key.scopes.to_string())
            .bind(key.cidrs.to_string())
            .bind(key.generation.cast_signed())
            .bind(key.created_at.unix())
            .bind(&key.created_by)
            .bind(key.expires_at.map(Timestamp::unix))
            .bind(ends_at(key))
            .bind(i64::from(key.is_way_in()))
            .execute(&mut **tx)
            .await?;
            sqlx::query::<DB>(
                "INSERT INTO key_last_use (key_id, organization, created_seq, idle_since) VALUES ($1, $2, $3, $4)",
            )
            .bind(key.id.to_string())
            .bind(key.organization.as_str())
            .bind(seq)
            .bind(key.created_at.unix())
            .execute(&mut **tx)
            .await
            .map(drop)
        })?;
        for secret in &key.secrets {
            self.insert_secret(&key.id, secret).await?;
        }
        Ok(())
    }
}
