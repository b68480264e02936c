//! Converts rows to keys. A key has one row for each of its live secrets.

use super::StoredKey;
use crate::base::clock::Timestamp;
use crate::domain::audiences::Audiences;
use crate::domain::key::{ApiKey, KeySecret, Revoked};
use crate::store::db::row;
use crate::store::error::{StoreError, read};

row! {
    /// A key joined with one of its secrets.
    pub(super) struct KeyRow {
        id: String,
        created_seq: i64,
        organization: String,
        project: String,
        environment: String,
        brand: String,
        name: String,
        note: Option<String>,
        scopes: String,
        cidrs: String,
        generation: i64,
        created_at: i64,
        created_by: String,
        expires_at: Option<i64>,
        disabled_at: Option<i64>,
        revoked_at: Option<i64>,
        revoked_reason: Option<String>,
        last_used_at: Option<i64>,
        organization_audiences: Option<String>,
        project_audiences: Option<String>,
        secret_id: String,
        secret_hash: String,
        secret_master_key: i64,
        secret_created_at: i64,
        secret_expires_at: Option<i64>,
        secret_last_used_at: Option<i64>,
    }
}

/// Groups rows into keys with their creation numbers. The rows of a key must be adjacent.
pub(super) fn group(rows: Vec<KeyRow>) -> Result<Vec<(StoredKey, i64)>, StoreError> {
    let mut keys: Vec<(StoredKey, i64)> = Vec::new();
    for row in rows {
        let secret = row.secret()?;
        match keys.last_mut() {
            Some((last, created_seq)) if *created_seq == row.created_seq => last.key.secrets.push(secret),
            _ => {
                let created_seq = row.created_seq;
                keys.push((row.key(secret)?, created_seq));
            }
        }
    }
    Ok(keys)
}

impl KeyRow {
    fn secret(&self) -> Result<KeySecret, StoreError> {
        Ok(KeySecret {
            id: read("secret id", &self.secret_id)?,
            hash: self.secret_hash.as_str().into(),
            master_key: self.secret_master_key,
            created_at: Timestamp::from_unix(self.secret_created_at),
            expires_at: self.secret_expires_at.map(Timestamp::from_unix),
            last_used_at: self.secret_last_used_at.map(Timestamp::from_unix),
        })
    }

    fn key(self, secret: KeySecret) -> Result<StoredKey, StoreError> {
        let revoked_reason = self.revoked_reason;
        let key = ApiKey {
            id: read("key id", &self.id)?,
            organization: read("organization", &self.organization)?,
            project: read("project", &self.project)?,
            environment: read("environment", &self.environment)?,
            brand: read("brand", &self.brand)?,
            name: self.name,
            note: self.note,
            scopes: crate::domain::scope::Scopes::parse_list(&self.scopes)
                .map_err(|error| StoreError::corrupt("scopes", error))?,
            cidrs: crate::domain::cidr::Cidrs::from_text(&self.cidrs)
                .map_err(|error| StoreError::corrupt("cidrs", error))?,
            generation: u64::try_from(self.generation)
                .map_err(|error| StoreError::corrupt("generation", error))?,
            created_at: Timestamp::from_unix(self.created_at),
            created_by: self.created_by,
            expires_at: self.expires_at.map(Timestamp::from_unix),
            disabled_at: self.disabled_at.map(Timestamp::from_unix),
            revoked: self
                .revoked_at
                .map(|at| Revoked { at: Timestamp::from_unix(at), reason: revoked_reason }),
            last_used_at: self.last_used_at.map(Timestamp::from_unix),
            secrets: vec![secret],
        };
        Ok(StoredKey {
            key,
            organization_audiences: self.organization_audiences.as_deref().map(Audiences::from_text),
            project_audiences: self.project_audiences.as_deref().map(Audiences::from_text),
        })
    }
}
