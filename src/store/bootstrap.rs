//! The first writing of an empty store.

use super::db::{on, row};
use super::signing_keys::SealedSigningKey;
use super::write::{ChangeKind, Write};
use super::{NewKey, Store, StoreError};
use crate::base::clock::Timestamp;
use crate::base::master_key::MasterKeyCheck;
use crate::domain::audit::{Actor, AuditEvent, Who};
use crate::domain::tenant::{Organization, Project};

/// What tells one deployment from another.
#[derive(Clone, Debug)]
pub struct StoredDeployment {
    /// The name of this history of changes.
    pub epoch: String,
    /// Tells the master key that the store was made with.
    pub master_key_check: Vec<u8>,
}

/// Everything that a new store begins with.
#[derive(Debug)]
pub struct Bootstrap<'a> {
    /// The name of the new history of changes.
    pub epoch: &'a str,
    /// The check of the master key.
    pub master_key_check: MasterKeyCheck,
    /// The first signing key.
    pub signing_key: &'a SealedSigningKey,
    /// The first project; its organization is made with it.
    pub project: &'a Project,
    /// The administrator's key, in that project.
    pub admin: &'a NewKey,
}

/// A store that was filled and that nobody else can see yet. Dropped, it is as empty as before.
pub struct FilledStore {
    write: Write,
}

row! {
    struct StoredDeploymentRow {
        epoch: String,
        master_key_check: Vec<u8>,
    }
}

impl Store {
    /// Which deployment this is; `None` for an empty store.
    ///
    /// # Errors
    /// When the store cannot be asked.
    pub async fn deployment(&self) -> Result<Option<StoredDeployment>, StoreError> {
        let row = on!(&self.db, |pool, DB| {
            sqlx::query_as::<DB, StoredDeploymentRow>(
                "SELECT epoch, master_key_check FROM deployment WHERE id = 1",
            )
            .fetch_optional(pool)
            .await
        })?;
        Ok(row.map(|row| StoredDeployment { epoch: row.epoch, master_key_check: row.master_key_check }))
    }

    /// Fills an empty store, to be committed. `None` when another process was first.
    ///
    /// # Errors
    /// When the store fails; it is then still empty.
    pub async fn bootstrap(
        &self,
        first: &Bootstrap<'_>,
        at: Timestamp,
    ) -> Result<Option<FilledStore>, StoreError> {
        let mut write = self.write(at, &Actor::server(Who::Bootstrap)).await?;
        let key = first.admin.key();
        let claimed = on!(&mut write.tx, |tx, DB| {
            sqlx::query::<DB>(
                "INSERT INTO deployment (id, epoch, master_key_check, created_at) VALUES (1, $1, $2, $3)
                 ON CONFLICT (id) DO NOTHING",
            )
            .bind(first.epoch)
            .bind(first.master_key_check.to_vec())
            .bind(at.unix())
            .execute(&mut **tx)
            .await
            .map(|done| done.rows_affected() == 1)
        })?;
        if !claimed {
            return Ok(None);
        }
        write.insert_organization(&Organization::new(key.organization.clone(), at)).await?;
        write.insert_project(first.project).await?;
        write.insert_key(first.admin).await?;
        write.insert_signing_key(first.signing_key).await?;
        write.record(ChangeKind::Bootstrap, bootstrapped(first, at)).await?;
        Ok(Some(FilledStore { write }))
    }
}

impl FilledStore {
    /// Lets the store be seen.
    ///
    /// # Errors
    /// When the store fails; it is then still empty, unless nothing but the answer was lost.
    pub async fn commit(self) -> Result<(), StoreError> {
        self.write.commit().await
    }
}

fn bootstrapped(first: &Bootstrap<'_>, at: Timestamp) -> AuditEvent {
    AuditEvent {
        action: "bootstrap",
        organization: None,
        key: Some(first.admin.key().id),
        subject: first.epoch.to_owned(),
        before: None,
        after: Some(serde_json::json!({
            "key": first.admin.key().json(at),
            "signing_key": first.signing_key.kid,
        })),
    }
}
