//! Fills an empty store.

use super::change_kind::ChangeKind;
use super::db::{on, row};
use super::signing_keys::SealedSigningKey;
use super::write::Write;
use super::{NewKey, Store, StoreError};
use crate::base::clock::Timestamp;
use crate::base::master_key::MasterKeyCheck;
use crate::domain::audit::{Actor, AuditEvent, Who};
use crate::domain::tenant::{Organization, Project};

/// The identity of a deployment.
#[derive(Clone, Debug)]
pub struct StoredDeployment {
    /// The epoch, which names this history of changes.
    pub epoch: String,
    /// The check value of the master key that the store was created with.
    pub master_key_check: Vec<u8>,
}

/// The initial contents of a store.
#[derive(Debug)]
pub struct Bootstrap<'a> {
    /// The epoch, which names the new history of changes.
    pub epoch: &'a str,
    /// The check value of the master key.
    pub master_key_check: MasterKeyCheck,
    /// The first signing key.
    pub signing_key: &'a SealedSigningKey,
    /// The first project. Its organization is created with it.
    pub project: &'a Project,
    /// The administrator's key, in that project.
    pub admin: &'a NewKey,
}

/// A filled store that is not committed and not visible to others. Dropping it leaves the store empty.
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
    /// The identity of the deployment; `None` for an empty store.
    ///
    /// # Errors
    /// When the store fails.
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

    /// Fills an empty store without committing. `None` if another process has filled it first.
    ///
    /// # Errors
    /// When the store fails. It is then still empty.
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
        write.insert_first_master_key(&first.master_key_check).await?;
        write.insert_organization(&Organization::new(key.organization.clone(), at)).await?;
        write.insert_project(first.project).await?;
        write.insert_key(first.admin).await?;
        write.insert_signing_key(first.signing_key).await?;
        write.record(ChangeKind::Bootstrap, bootstrapped(first, at)).await?;
        Ok(Some(FilledStore { write }))
    }
}

impl FilledStore {
    /// Commits, which makes the contents visible.
    ///
    /// # Errors
    /// When the store fails. It is then still empty, unless only the answer was lost.
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
