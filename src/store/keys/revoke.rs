//! Revoking a key: immediate and final.

use crate::api_key::KeyId;
use crate::audit::{Actor, AuditEvent};
use crate::clock::Timestamp;
use crate::key::ApiKey;
use crate::names::OrganizationId;
use crate::store::db::on;
use crate::store::write::{ChangeKind, Write};
use crate::store::{Store, StoreError};

impl Store {
    /// Revokes a key of `organization` and returns it as it is now; `None` when there is none such. A key
    /// that was revoked before stays as it was, its reason and its moment included.
    ///
    /// # Errors
    /// When the store fails; the key is then as it was.
    pub async fn revoke_key(
        &self,
        organization: &OrganizationId,
        id: &KeyId,
        reason: Option<&str>,
        at: Timestamp,
        actor: &Actor,
    ) -> Result<Option<ApiKey>, StoreError> {
        let mut write = self.begin_write(at).await?;
        let Some(before) = write.key(id).await?.filter(|key| key.organization == *organization) else {
            return Ok(None);
        };
        if before.revoked.is_some() {
            return Ok(Some(before));
        }
        write.set_revoked(id, reason).await?;
        let after = write.key(id).await?;
        let event = AuditEvent {
            action: "key.revoke",
            organization: Some(organization.clone()),
            subject: id.to_string(),
            before: Some(before.json(at)),
            after: after.as_ref().map(|key| key.json(at)),
        };
        write.commit(ChangeKind::Key, actor, event).await?;
        Ok(after)
    }
}

impl Write {
    async fn set_revoked(&mut self, id: &KeyId, reason: Option<&str>) -> Result<(), StoreError> {
        let at = self.at.unix();
        on!(&mut self.tx, |tx, DB| {
            sqlx::query::<DB>(
                "UPDATE api_keys SET revoked_at = $2, revoked_reason = $3, generation = generation + 1
                 WHERE id = $1 AND revoked_at IS NULL",
            )
            .bind(id.to_string())
            .bind(at)
            .bind(reason)
            .execute(&mut **tx)
            .await
            .map(drop)
        })?;
        Ok(())
    }
}
