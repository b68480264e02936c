//! Making a key.

use crate::api_key::KeyId;
use crate::audit::{Actor, AuditEvent};
use crate::clock::Timestamp;
use crate::key::{ApiKey, KeySecret};
use crate::store::db::{on, row};
use crate::store::write::{ChangeKind, Write};
use crate::store::{Store, StoreError};

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

/// Why a key could not be made.
#[derive(Debug, thiserror::Error)]
pub enum CreateKeyError {
    /// No such project.
    #[error("there is no such project")]
    NoProject,
    /// The project is there and has no such environment.
    #[error("the project has no such environment; it has {0}")]
    NoEnvironment(String),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

row! {
    struct ProjectRow {
        environments: String,
    }
}

impl Store {
    /// Stores a new key.
    ///
    /// # Errors
    /// [`CreateKeyError`]; nothing has been stored then.
    pub async fn create_key(&self, new: &NewKey, at: Timestamp, actor: &Actor) -> Result<(), CreateKeyError> {
        let mut write = self.begin_write(at).await?;
        write.project_has_environment(new.key()).await?;
        write.insert_key(new.key()).await?;
        write.commit(ChangeKind::Key, actor, created(new.key(), at)).await?;
        Ok(())
    }
}

fn created(key: &ApiKey, at: Timestamp) -> AuditEvent {
    AuditEvent {
        action: "key.create",
        organization: Some(key.organization.clone()),
        subject: key.id.to_string(),
        before: None,
        after: Some(key.json(at)),
    }
}

impl Write {
    async fn project_has_environment(&mut self, key: &ApiKey) -> Result<(), CreateKeyError> {
        let project = on!(&mut self.tx, |tx, DB| {
            sqlx::query_as::<DB, ProjectRow>(
                "SELECT environments FROM projects WHERE organization = $1 AND id = $2 AND deleted_at IS NULL",
            )
            .bind(key.organization.as_str())
            .bind(key.project.as_str())
            .fetch_optional(&mut **tx)
            .await
        })
        .map_err(StoreError::from)?
        .ok_or(CreateKeyError::NoProject)?;
        if project.environments.split(' ').any(|environment| environment == key.environment.as_str()) {
            return Ok(());
        }
        Err(CreateKeyError::NoEnvironment(project.environments.replace(' ', ", ")))
    }

    /// Inserts the key and its secrets, as they are.
    pub(in crate::store) async fn insert_key(&mut self, key: &ApiKey) -> Result<(), StoreError> {
        let seq = self.seq;
        on!(&mut self.tx, |tx, DB| {
            sqlx::query::<DB>(
                "INSERT INTO api_keys
                     (id, created_seq, organization, project, environment, brand, name, name_folded, note, scopes,
                      cidrs, generation, created_at, created_by, expires_at)
                 VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)",
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
            .execute(&mut **tx)
            .await
            .map(drop)
        })?;
        for secret in &key.secrets {
            self.insert_secret(&key.id, secret).await?;
        }
        Ok(())
    }

    async fn insert_secret(&mut self, key: &KeyId, secret: &KeySecret) -> Result<(), StoreError> {
        on!(&mut self.tx, |tx, DB| {
            sqlx::query::<DB>(
                "INSERT INTO key_secrets (id, key_id, hash, created_at, expires_at) VALUES ($1, $2, $3, $4, $5)",
            )
            .bind(secret.id.to_string())
            .bind(key.to_string())
            .bind(&*secret.hash)
            .bind(secret.created_at.unix())
            .bind(secret.expires_at.map(Timestamp::unix))
            .execute(&mut **tx)
            .await
            .map(drop)
        })?;
        Ok(())
    }
}
