//! API keys and their secrets.

mod admin_keys;
mod change;
mod filter;
mod find;
mod insert;
mod list;
mod order;
mod row;
mod secrets;

pub use admin_keys::AdminKey;
pub use filter::{KeyFilter, StatusFilter, VisibleKeys};
pub use insert::NewKey;
pub use list::{KeyPage, KeyQuery};
pub use order::{KeyOrder, KeyPosition, KeySort};

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

/// A key with what its project and its organization say of audiences.
#[derive(Clone, Debug)]
pub struct StoredKey {
    /// The key.
    pub key: ApiKey,
    /// The ones that its organization is held to; `None` is all of the deployment's.
    pub organization_audiences: Option<Audiences>,
    /// The ones that its project is held to; `None` is all of its organization's.
    pub project_audiences: Option<Audiences>,
}

/// One statement that sees a key (`k`), its last use (`u`), its live secrets (`s`), its project (`p`) and its
/// organization (`o`) at one moment: the columns of a [`KeyRow`], up to where the keys come from, and the joins after it.
macro_rules! select_key {
    () => {
        "SELECT k.id, k.created_seq, k.organization, k.project, k.environment, k.brand, k.name, k.note, k.scopes,
                k.cidrs, k.generation, k.created_at, k.created_by, k.expires_at, k.disabled_at, k.revoked_at,
                k.revoked_reason, u.last_used_at, o.audiences AS organization_audiences, p.audiences AS project_audiences,
                s.id AS secret_id, s.hash AS secret_hash, s.created_at AS secret_created_at,
                s.expires_at AS secret_expires_at, s.last_used_at AS secret_last_used_at
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
/// The newest secret of a key last. Of two that were made in one second, the older one has an end.
macro_rules! newest_secret_last {
    () => {
        "s.created_at, CASE WHEN s.expires_at IS NULL THEN 1 ELSE 0 END, s.id"
    };
}
use {joined, newest_secret_last, select_key};

const KEY_BY_ID: &str =
    concat!(select_key!(), "api_keys", joined!(), "WHERE k.id = $1 ORDER BY ", newest_secret_last!());

impl Store {
    /// The key with this id, in whichever organization: for the credentials that callers show. It has no line to wait
    /// in.
    ///
    /// # Errors
    /// When the store cannot be asked.
    pub async fn key(&self, id: &KeyId) -> Result<Option<StoredKey>, StoreError> {
        key(&self.db, id).await
    }
}

impl Reading {
    /// The key with this id, in whichever organization.
    ///
    /// # Errors
    /// When the store cannot be asked.
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
    /// Those of these ids that are of keys of an organization, whatever became of them.
    ///
    /// # Errors
    /// When the store cannot be asked.
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

    /// The key of this id, as this mutation sees it.
    ///
    /// # Errors
    /// When the store cannot be asked.
    pub async fn key(&mut self, id: &KeyId) -> Result<Option<ApiKey>, StoreError> {
        let rows = on!(&mut self.tx, |tx, DB| {
            sqlx::query_as::<DB, KeyRow>(KEY_BY_ID).bind(id.to_string()).fetch_all(&mut **tx).await
        })?;
        Ok(group(rows)?.pop().map(|(stored, _)| stored.key))
    }
}
