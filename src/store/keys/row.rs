//! Converts rows to keys. A key has one row for each of its live credentials.

use super::StoredKey;
use crate::base::clock::Timestamp;
use crate::domain::audiences::Audiences;
use crate::domain::key::{ApiKey, Creator, KeySecret, LastSeen, RegisteredKey, RegisteredRule, Revoked};
use crate::store::db::row;
use crate::store::error::{StoreError, read};

row! {
    /// A key joined with one of its credentials.
    pub(super) struct KeyRow {
        id: String,
        created_seq: i64,
        organization: String,
        project: String,
        environment: String,
        brand: String,
        name: String,
        note: Option<String>,
        tags: String,
        owner: Option<String>,
        scopes: String,
        cidrs: String,
        dpop: String,
        generation: i64,
        created_at: i64,
        created_by: String,
        created_by_name: Option<String>,
        expires_at: Option<i64>,
        disabled_at: Option<i64>,
        revoked_at: Option<i64>,
        revoked_reason: Option<String>,
        last_used_at: Option<i64>,
        last_address: Option<String>,
        last_address_at: Option<i64>,
        organization_audiences: Option<String>,
        project_audiences: Option<String>,
        secret_id: String,
        secret_hash: String,
        secret_master_key: i64,
        secret_created_at: i64,
        secret_expires_at: Option<i64>,
        secret_last_used_at: Option<i64>,
        public_jwk: Option<String>,
        trust_rule: Option<String>,
    }
}

/// A live credential of a key.
enum Credential {
    Secret(KeySecret),
    PublicKey(RegisteredKey),
    TrustRule(RegisteredRule),
}

/// Groups rows into keys with their creation numbers. The rows of a key must be adjacent.
pub(super) fn group(rows: Vec<KeyRow>) -> Result<Vec<(StoredKey, i64)>, StoreError> {
    let mut keys: Vec<(StoredKey, i64)> = Vec::new();
    for row in rows {
        let credential = row.credential()?;
        let is_next = keys.last().is_none_or(|(_, created_seq)| *created_seq != row.created_seq);
        if is_next {
            let created_seq = row.created_seq;
            keys.push((row.key()?, created_seq));
        }
        if let Some((stored, _)) = keys.last_mut() {
            match credential {
                Credential::Secret(secret) => stored.key.secrets.push(secret),
                Credential::PublicKey(registered) => stored.key.public_keys.push(registered),
                Credential::TrustRule(registered) => stored.key.trust_rules.push(registered),
            }
        }
    }
    Ok(keys)
}

fn last_seen(address: Option<&str>, at: Option<i64>) -> Result<Option<LastSeen>, StoreError> {
    let Some((address, at)) = address.zip(at) else { return Ok(None) };
    Ok(Some(LastSeen { address: read("address", address)?, at: Timestamp::from_unix(at) }))
}

impl KeyRow {
    fn credential(&self) -> Result<Credential, StoreError> {
        let created_at = Timestamp::from_unix(self.secret_created_at);
        let last_used_at = self.secret_last_used_at.map(Timestamp::from_unix);
        if let Some(jwk) = &self.public_jwk {
            let id = read("public key id", &self.secret_id)?;
            let registered = RegisteredKey::new(id, jwk.as_str().into(), created_at);
            let registered = registered.map_err(|error| StoreError::corrupt("public key", error))?;
            return Ok(Credential::PublicKey(RegisteredKey { last_used_at, ..registered }));
        }
        if let Some(rule) = &self.trust_rule {
            let id = read("trust rule id", &self.secret_id)?;
            let rule =
                serde_json::from_str(rule).map_err(|error| StoreError::corrupt("trust rule", error))?;
            let registered = RegisteredRule::new(id, rule, created_at);
            return Ok(Credential::TrustRule(RegisteredRule { last_used_at, ..registered }));
        }
        Ok(Credential::Secret(KeySecret {
            id: read("secret id", &self.secret_id)?,
            hash: self.secret_hash.as_str().into(),
            master_key: self.secret_master_key,
            created_at,
            expires_at: self.secret_expires_at.map(Timestamp::from_unix),
            last_used_at,
        }))
    }

    /// The key, without its credentials.
    fn key(self) -> Result<StoredKey, StoreError> {
        let revoked_reason = self.revoked_reason;
        let key = ApiKey {
            id: read("key id", &self.id)?,
            organization: read("organization", &self.organization)?,
            project: read("project", &self.project)?,
            environment: read("environment", &self.environment)?,
            brand: read("brand", &self.brand)?,
            name: self.name,
            note: self.note,
            tags: read("tags", &self.tags)?,
            owner: self.owner.as_deref().map(|owner| read("owner", owner)).transpose()?,
            scopes: crate::domain::scope::Scopes::parse_list(&self.scopes)
                .map_err(|error| StoreError::corrupt("scopes", error))?,
            cidrs: crate::domain::cidr::Cidrs::from_text(&self.cidrs)
                .map_err(|error| StoreError::corrupt("cidrs", error))?,
            dpop: read("dpop", &self.dpop)?,
            generation: u64::try_from(self.generation)
                .map_err(|error| StoreError::corrupt("generation", error))?,
            created_at: Timestamp::from_unix(self.created_at),
            created_by: Creator { id: self.created_by, name: self.created_by_name },
            expires_at: self.expires_at.map(Timestamp::from_unix),
            disabled_at: self.disabled_at.map(Timestamp::from_unix),
            revoked: self
                .revoked_at
                .map(|at| Revoked { at: Timestamp::from_unix(at), reason: revoked_reason }),
            last_used_at: self.last_used_at.map(Timestamp::from_unix),
            last_seen: last_seen(self.last_address.as_deref(), self.last_address_at)?,
            secrets: Vec::new(),
            public_keys: Vec::new(),
            trust_rules: Vec::new(),
        };
        Ok(StoredKey {
            key,
            organization_audiences: self.organization_audiences.as_deref().map(Audiences::from_text),
            project_audiences: self.project_audiences.as_deref().map(Audiences::from_text),
            trusted_issuers: Vec::new(),
        })
    }
}
