//! Updates and deletes keys.

use sqlx::QueryBuilder;

use super::order::ends_at;
use crate::base::clock::Timestamp;
use crate::domain::api_key::KeyId;
use crate::domain::key::{ApiKey, Owner};
use crate::store::StoreError;
use crate::store::db::{BATCH, on, stays_prepared};
use crate::store::write::Write;

impl Write {
    /// Stores the current state of keys: everything about a key that can change, except its secrets.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn update_keys(&mut self, keys: &[&ApiKey]) -> Result<(), StoreError> {
        for batch in keys.chunks(BATCH) {
            on!(&mut self.tx, |tx, DB| {
                let mut sql = QueryBuilder::<DB>::new(
                    "WITH now (id, name, name_folded, note, tags, owner, scopes, cidrs, dpop, generation, expires_at, ends_at,
                               disabled_at, revoked_at, revoked_reason, is_way_in) AS (",
                );
                sql.push_values(batch, |mut row, key| {
                    row.push_bind(key.id.to_string());
                    row.push_bind(&key.name).push_bind(key.name.to_ascii_lowercase()).push_bind(&key.note);
                    row.push_bind(key.tags.to_string()).push_bind(key.owner.as_ref().map(Owner::as_str));
                    row.push_bind(key.scopes.to_string()).push_bind(key.cidrs.to_string());
                    row.push_bind(key.dpop.as_str());
                    row.push_bind(key.generation.cast_signed());
                    row.push_bind(key.expires_at.map(Timestamp::unix)).push_bind(ends_at(key));
                    row.push_bind(key.disabled_at.map(Timestamp::unix));
                    row.push_bind(key.revoked.as_ref().map(|revoked| revoked.at.unix()));
                    row.push_bind(key.revoked.as_ref().and_then(|revoked| revoked.reason.as_deref()));
                    row.push_bind(i64::from(key.is_way_in()));
                });
                sql.push(
                    ") UPDATE api_keys SET name = now.name, name_folded = now.name_folded, note = now.note,
                         tags = now.tags, owner = now.owner,
                         scopes = now.scopes, cidrs = now.cidrs, dpop = now.dpop, generation = now.generation,
                         expires_at = now.expires_at, ends_at = now.ends_at, disabled_at = now.disabled_at,
                         revoked_at = now.revoked_at,
                         revoked_reason = now.revoked_reason, is_way_in = now.is_way_in
                     FROM now WHERE api_keys.id = now.id",
                );
                sql.build().persistent(stays_prepared(batch.len())).execute(&mut **tx).await.map(drop)
            })?;
        }
        Ok(())
    }

    /// Deletes a key and its secrets.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn delete_key(&mut self, id: &KeyId) -> Result<(), StoreError> {
        on!(&mut self.tx, |tx, DB| {
            sqlx::query::<DB>("DELETE FROM api_keys WHERE id = $1")
                .bind(id.to_string())
                .execute(&mut **tx)
                .await
                .map(drop)
        })?;
        Ok(())
    }
}
