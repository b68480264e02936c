//! Stores new keys.

use sqlx::QueryBuilder;

use super::credentials::rows_of;
use super::order::ends_at;
use crate::base::clock::Timestamp;
use crate::domain::key::{ApiKey, KeySecret, Owner};
use crate::store::StoreError;
use crate::store::db::{on, stays_prepared};
use crate::store::write::Write;

/// A key that is about to be stored. It has at least one credential: one secret, which is already hashed, public keys, or
/// trust rules.
#[derive(Debug)]
pub struct NewKey(ApiKey);

impl NewKey {
    /// Makes `secret` the only secret of `key`, which may also have other credentials.
    pub fn new(key: ApiKey, secret: KeySecret) -> Self {
        Self(ApiKey { secrets: vec![secret], ..key })
    }

    /// `key` without a secret. `None` if it has no other credential either, so that nobody could use it.
    pub fn without_secret(key: ApiKey) -> Option<Self> {
        (!key.public_keys.is_empty() || !key.trust_rules.is_empty())
            .then(|| Self(ApiKey { secrets: Vec::new(), ..key }))
    }

    /// The key as it will be stored.
    pub fn key(&self) -> &ApiKey {
        &self.0
    }
}

impl Write {
    /// Stores a new key. Its project must exist and have its environment.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn insert_key(&mut self, new: &NewKey) -> Result<(), StoreError> {
        self.insert_keys(&[new]).await
    }

    /// Stores at most [`Write::AT_ONCE`] new keys. Their projects must exist and have their environments. Each key
    /// takes the number of its record, so the records must follow in the same order.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn insert_keys(&mut self, new: &[&NewKey]) -> Result<(), StoreError> {
        let first = self.number().await?;
        let numbered: Vec<_> = (first..).zip(new.iter().map(|new| new.key())).collect();
        let keys = new.iter().map(|new| new.key());
        let credentials: Vec<_> = keys.flat_map(|key| rows_of(key).map(|row| (key.id, row))).collect();
        on!(&mut self.tx, |tx, DB| {
            let mut keys = QueryBuilder::<DB>::new(
                "INSERT INTO api_keys
                     (id, created_seq, organization, project, environment, brand, name, name_folded, note, tags, owner, scopes,
                      cidrs, dpop, generation, created_at, created_by, created_by_name, expires_at, ends_at, disabled_at, is_way_in) ",
            );
            keys.push_values(&numbered, |mut row, (seq, key)| {
                row.push_bind(key.id.to_string()).push_bind(seq);
                row.push_bind(key.organization.as_str()).push_bind(key.project.as_str());
                row.push_bind(key.environment.as_str()).push_bind(key.brand.as_str());
                row.push_bind(&key.name).push_bind(key.name.to_ascii_lowercase()).push_bind(&key.note);
                row.push_bind(key.tags.to_string()).push_bind(key.owner.as_ref().map(Owner::as_str));
                row.push_bind(key.scopes.to_string()).push_bind(key.cidrs.to_string());
                row.push_bind(key.dpop.as_str());
                row.push_bind(key.generation.cast_signed());
                row.push_bind(key.created_at.unix()).push_bind(&key.created_by.id);
                row.push_bind(&key.created_by.name);
                row.push_bind(key.expires_at.map(Timestamp::unix)).push_bind(ends_at(key));
                row.push_bind(key.disabled_at.map(Timestamp::unix)).push_bind(i64::from(key.is_way_in()));
            });
            keys.build().persistent(stays_prepared(new.len())).execute(&mut **tx).await?;
            let mut last_use = QueryBuilder::<DB>::new(
                "INSERT INTO key_last_use (key_id, organization, created_seq, idle_since) ",
            );
            last_use.push_values(&numbered, |mut row, (seq, key)| {
                row.push_bind(key.id.to_string()).push_bind(key.organization.as_str());
                row.push_bind(seq).push_bind(key.created_at.unix());
            });
            last_use.build().persistent(stays_prepared(new.len())).execute(&mut **tx).await.map(drop)
        })?;
        self.insert_credentials(&credentials).await
    }
}
