//! API keys and their credentials.

mod admin_keys;
mod change;
mod count;
mod credentials;
mod filter;
mod find;
mod insert;
mod list;
mod names;
mod order;
#[cfg(test)]
mod postgres_plans;
mod recovery;
mod row;
mod secrets;
mod trusting;

pub use admin_keys::AdminKey;
pub use count::{BoundedCount, CountLimits, KeyCounts};
pub use credentials::CredentialRow;
pub use filter::{KeyFilter, StatusFilter, VisibleKeys};
pub use insert::NewKey;
pub use list::{KeyPage, KeyQuery};
pub use order::{KeyOrder, KeyOrderError, KeyPosition, KeySort};

use std::collections::HashSet;

use sqlx::QueryBuilder;

use self::row::{KeyRow, group};
use super::db::{BATCH, Db, on, stays_prepared};
use super::error::read;
use super::write::Write;
use super::{Reading, Store, StoreError};
use crate::domain::api_key::KeyId;
use crate::domain::audiences::Audiences;
use crate::domain::key::ApiKey;
use crate::domain::names::OrganizationId;
use crate::domain::trusted_issuer::TrustedIssuer;

/// A key, with the audiences that its organization and its project allow.
#[derive(Clone, Debug)]
pub struct StoredKey {
    /// The key with its live secrets.
    pub key: ApiKey,
    /// The audiences of its organization; `None` for all audiences of the deployment.
    pub organization_audiences: Option<Audiences>,
    /// The audiences of its project; `None` for all audiences of its organization.
    pub project_audiences: Option<Audiences>,
    /// The trusted issuers that its rules name, as far as they are not removed. Only a key that was read by its id, for a
    /// credential that somebody presents, has them.
    pub trusted_issuers: Vec<TrustedIssuer>,
}

/// A statement that reads a key (`k`), its last use (`u`), its live credentials (`s`), its project (`p`) and its
/// organization (`o`) as of one moment. This macro has the columns of a [`KeyRow`], up to the source of the keys;
/// `joined` has the joins that follow it.
macro_rules! select_key {
    () => {
        "SELECT k.id, k.created_seq, k.organization, k.project, k.environment, k.brand, k.name, k.note, k.tags, k.owner,
                k.scopes, k.cidrs, k.dpop, k.generation, k.created_at, k.created_by, k.created_by_name, k.expires_at,
                k.disabled_at, k.revoked_at,
                k.revoked_reason, u.last_used_at, u.address AS last_address,
                u.address_at AS last_address_at, o.audiences AS organization_audiences, p.audiences AS project_audiences,
                s.id AS secret_id, s.hash AS secret_hash, s.master_key AS secret_master_key, s.created_at AS secret_created_at,
                s.expires_at AS secret_expires_at, s.last_used_at AS secret_last_used_at, s.public_jwk, s.trust_rule
         FROM "
    };
}
macro_rules! joined {
    () => {
        " k
         LEFT JOIN key_last_use u ON u.key_id = k.id
         JOIN key_secrets s ON s.key_id = k.id AND s.retired_at IS NULL
         JOIN projects p ON p.organization = k.organization AND p.id = k.project
         JOIN organizations o ON o.id = k.organization AND o.deleted_at IS NULL "
    };
}
/// Sorts the newest secret of a key last. Of two secrets from the same second, the older one has an end.
macro_rules! newest_secret_last {
    () => {
        "s.created_at, CASE WHEN s.expires_at IS NULL THEN 1 ELSE 0 END, s.id"
    };
}
use {joined, newest_secret_last, select_key};

const KEY_BY_ID: &str =
    concat!(select_key!(), "api_keys", joined!(), "WHERE k.id = $1 ORDER BY ", newest_secret_last!());

impl Store {
    /// The key with this id, in any organization. This is for credentials that callers present, so it doesn't wait
    /// for a permit.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn key(&self, id: &KeyId) -> Result<Option<StoredKey>, StoreError> {
        let Some(mut stored) = key(&self.db, id).await? else { return Ok(None) };
        let mut named: Vec<_> = stored.key.trust_rules.iter().map(|held| held.rule.issuer()).collect();
        named.sort_unstable();
        named.dedup();
        stored.trusted_issuers = self.trusted_issuers_named(&stored.key.organization, &named).await?;
        Ok(Some(stored))
    }
}

impl Reading {
    /// The key with this id, in any organization.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn key(&self, id: &KeyId) -> Result<Option<StoredKey>, StoreError> {
        key(&self.db, id).await
    }
}

async fn key(db: &Db, id: &KeyId) -> Result<Option<StoredKey>, StoreError> {
    let rows = on!(db, |pool, DB| {
        sqlx::query_as::<DB, KeyRow>(KEY_BY_ID).bind(id.to_string()).fetch_all(pool).await
    })?;
    Ok(group(rows)?.pop().map(|(key, _)| key))
}

impl Write {
    /// Those of these ids that belong to keys of an organization, whatever the state of the keys.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn known_keys(
        &mut self,
        organization: &OrganizationId,
        ids: &[KeyId],
    ) -> Result<HashSet<KeyId>, StoreError> {
        let mut known = HashSet::new();
        for batch in ids.chunks(BATCH) {
            let found = on!(&mut self.tx, |tx, DB| {
                let mut sql = QueryBuilder::<DB>::new("SELECT id FROM api_keys WHERE organization = ");
                sql.push_bind(organization.as_str()).push(" AND id IN (");
                let mut listed = sql.separated(", ");
                for id in batch {
                    listed.push_bind(id.to_string());
                }
                let found = sql.push(")").build_query_scalar::<String>();
                found.persistent(stays_prepared(batch.len())).fetch_all(&mut **tx).await
            })?;
            for id in &found {
                known.insert(read("key id", id)?);
            }
        }
        Ok(known)
    }

    /// The key with this id, as this mutation sees it.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn key(&mut self, id: &KeyId) -> Result<Option<ApiKey>, StoreError> {
        let rows = on!(&mut self.tx, |tx, DB| {
            sqlx::query_as::<DB, KeyRow>(KEY_BY_ID).bind(id.to_string()).fetch_all(&mut **tx).await
        })?;
        Ok(group(rows)?.pop().map(|(stored, _)| stored.key))
    }
}
