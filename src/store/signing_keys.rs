//! Signing keys. Their private parts are sealed.

use serde_json::json;

use super::change_kind::ChangeKind;
use super::db::{on, row};
use super::write::Write;
use super::{Store, StoreError};
use crate::base::clock::Timestamp;
use crate::base::master_key::MasterKeyCheck;
use crate::domain::audit::{Actor, AuditEvent};

/// A stored signing key.
#[derive(Clone, Debug)]
pub struct SealedSigningKey {
    /// The key's RFC 7638 thumbprint.
    pub kid: String,
    /// The algorithm: `ES256`, `EdDSA` or `RS256`.
    pub algorithm: String,
    /// The public part in its published form.
    pub public_jwk: String,
    /// The private part (PKCS#8), sealed by the master key for this kid and algorithm.
    pub sealed_private: Vec<u8>,
    /// The check value of the master key that sealed a new key. `None` for one that was read from the store.
    pub sealed_by: Option<MasterKeyCheck>,
    /// When the key was created, and therefore first published.
    pub created_at: Timestamp,
    /// The moment from which it signs.
    pub activates_at: Timestamp,
    /// When the key was withdrawn as compromised. It verifies nothing after that.
    pub withdrawn_at: Option<Timestamp>,
}

/// How a new signing key succeeds the existing ones.
#[derive(Clone, Debug)]
pub enum Succession {
    /// It becomes the next key, unless one is already waiting.
    Next,
    /// It becomes the next key, unless one is waiting or one was activated after this moment. Nodes on the same
    /// schedule thereby agree on one rotation.
    NextIfOlder(Timestamp),
    /// The key with this kid is withdrawn at once. A waiting key stays.
    InsteadOf(String),
    /// It replaces the waiting key with this kid, which is deleted. Refused if that key activates by this moment.
    InPlaceOf(String, Timestamp),
}

pub(super) const SIGNING_KEYS: &str =
    "SELECT kid, algorithm, public_jwk, sealed_private, created_at, activates_at, withdrawn_at
     FROM signing_keys ORDER BY activates_at, created_at, kid";

row! {
    pub(super) struct SigningKeyRow {
        kid: String,
        algorithm: String,
        public_jwk: String,
        sealed_private: Vec<u8>,
        created_at: i64,
        activates_at: i64,
        withdrawn_at: Option<i64>,
    }
}

impl From<SigningKeyRow> for SealedSigningKey {
    fn from(row: SigningKeyRow) -> Self {
        Self {
            kid: row.kid,
            algorithm: row.algorithm,
            public_jwk: row.public_jwk,
            sealed_private: row.sealed_private,
            sealed_by: None,
            created_at: Timestamp::from_unix(row.created_at),
            activates_at: Timestamp::from_unix(row.activates_at),
            withdrawn_at: row.withdrawn_at.map(Timestamp::from_unix),
        }
    }
}

impl Store {
    /// All signing keys, also past ones, sorted by activation.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn signing_keys(&self) -> Result<Vec<SealedSigningKey>, StoreError> {
        let rows = on!(&self.db, |pool, DB| {
            sqlx::query_as::<DB, SigningKeyRow>(SIGNING_KEYS).fetch_all(pool).await
        })?;
        Ok(rows.into_iter().map(Into::into).collect())
    }

    /// Adds a signing key. `false` if the succession refuses it; then nothing has changed.
    ///
    /// # Errors
    /// When the store fails. The signing keys are then unchanged.
    pub async fn add_signing_key(
        &self,
        key: &SealedSigningKey,
        succession: &Succession,
        at: Timestamp,
        actor: &Actor,
    ) -> Result<bool, StoreError> {
        let mut write = self.write(at, actor).await?;
        let accepted = match succession {
            Succession::Next => !write.has_signing_key_activated_after(at).await?,
            Succession::NextIfOlder(than) => !write.has_signing_key_activated_after(*than).await?,
            Succession::InsteadOf(kid) => write.withdraw(kid).await?,
            Succession::InPlaceOf(kid, by) => write.delete_waiting(kid, *by).await?,
        };
        if !accepted {
            return Ok(false);
        }
        write.insert_signing_key(key).await?;
        write.record(ChangeKind::SigningKey, added(key, succession)).await?;
        write.commit().await?;
        Ok(true)
    }
}

impl Store {
    /// Withdraws a signing key that needs no successor. `false` if it doesn't exist or is already withdrawn.
    ///
    /// # Errors
    /// When the store fails. The signing keys are then unchanged.
    pub async fn withdraw_signing_key(
        &self,
        kid: &str,
        at: Timestamp,
        actor: &Actor,
    ) -> Result<bool, StoreError> {
        let mut write = self.write(at, actor).await?;
        if !write.withdraw(kid).await? {
            return Ok(false);
        }
        write.record(ChangeKind::SigningKey, removed("signing_key.withdraw", kid)).await?;
        write.commit().await?;
        Ok(true)
    }

    /// Deletes a signing key that was never used. `false` if no such key activates after `by`.
    ///
    /// # Errors
    /// When the store fails. The signing keys are then unchanged.
    pub async fn cancel_signing_key(
        &self,
        kid: &str,
        by: Timestamp,
        at: Timestamp,
        actor: &Actor,
    ) -> Result<bool, StoreError> {
        let mut write = self.write(at, actor).await?;
        if !write.delete_waiting(kid, by).await? {
            return Ok(false);
        }
        write.record(ChangeKind::SigningKey, removed("signing_key.cancel", kid)).await?;
        write.commit().await?;
        Ok(true)
    }

    /// Corrects the dates of a signing key that a clock ahead of time has set. It is then created at `at` and
    /// activates at `activates_at`. `false` if it no longer activates at `from`.
    ///
    /// # Errors
    /// When the store fails. The signing keys are then unchanged.
    pub async fn reschedule_signing_key(
        &self,
        kid: &str,
        from: Timestamp,
        activates_at: Timestamp,
        at: Timestamp,
        actor: &Actor,
    ) -> Result<bool, StoreError> {
        let mut write = self.write(at, actor).await?;
        let changed = on!(&mut write.tx, |tx, DB| {
            sqlx::query::<DB>(
                "UPDATE signing_keys SET created_at = $3, activates_at = $4
                 WHERE kid = $1 AND activates_at = $2 AND withdrawn_at IS NULL",
            )
            .bind(kid)
            .bind(from.unix())
            .bind(at.unix())
            .bind(activates_at.unix())
            .execute(&mut **tx)
            .await
            .map(|done| done.rows_affected() == 1)
        })?;
        if !changed {
            return Ok(false);
        }
        let dates = |moment: Timestamp| Some(json!({ "kid": kid, "activates_at": moment.rfc3339() }));
        let event = AuditEvent {
            action: "signing_key.reschedule",
            organization: None,
            key: None,
            subject: kid.to_owned(),
            before: dates(from),
            after: dates(activates_at),
        };
        write.record(ChangeKind::SigningKey, event).await?;
        write.commit().await?;
        Ok(true)
    }
}

fn added(key: &SealedSigningKey, succession: &Succession) -> AuditEvent {
    let (action, gone) = match succession {
        Succession::InsteadOf(kid) => ("signing_key.withdraw", Some(kid)),
        Succession::InPlaceOf(kid, _) => ("signing_key.rotate", Some(kid)),
        Succession::Next | Succession::NextIfOlder(_) => ("signing_key.rotate", None),
    };
    AuditEvent {
        action,
        organization: None,
        key: None,
        subject: key.kid.clone(),
        before: gone.map(|kid| json!({ "kid": kid })),
        after: Some(json!({
            "kid": key.kid,
            "algorithm": key.algorithm,
            "activates_at": key.activates_at.rfc3339(),
        })),
    }
}

fn removed(action: &'static str, kid: &str) -> AuditEvent {
    AuditEvent {
        action,
        organization: None,
        key: None,
        subject: kid.to_owned(),
        before: Some(json!({ "kid": kid })),
        after: None,
    }
}

impl Write {
    /// All signing keys, also past ones, sorted by activation.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn signing_keys(&mut self) -> Result<Vec<SealedSigningKey>, StoreError> {
        let rows = on!(&mut self.tx, |tx, DB| {
            sqlx::query_as::<DB, SigningKeyRow>(SIGNING_KEYS).fetch_all(&mut **tx).await
        })?;
        Ok(rows.into_iter().map(Into::into).collect())
    }

    /// Withdraws all of these keys, and adds one in their place. Records an event for each.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn replace_signing_keys(
        &mut self,
        old: &[SealedSigningKey],
        new: &SealedSigningKey,
    ) -> Result<(), StoreError> {
        for SealedSigningKey { kid, .. } in old {
            if self.withdraw(kid).await? {
                self.record(ChangeKind::SigningKey, removed("signing_key.withdraw", kid)).await?;
            }
        }
        self.insert_signing_key(new).await?;
        self.record(ChangeKind::SigningKey, added(new, &Succession::Next)).await
    }

    async fn has_signing_key_activated_after(&mut self, moment: Timestamp) -> Result<bool, StoreError> {
        let found = on!(&mut self.tx, |tx, DB| {
            sqlx::query_scalar::<DB, String>(
                "SELECT kid FROM signing_keys WHERE activates_at > $1 AND withdrawn_at IS NULL LIMIT 1",
            )
            .bind(moment.unix())
            .fetch_optional(&mut **tx)
            .await
        })?;
        Ok(found.is_some())
    }

    /// Withdraws a key. `false` if it doesn't exist or is already withdrawn.
    async fn withdraw(&mut self, kid: &str) -> Result<bool, StoreError> {
        let at = self.at.unix();
        Ok(on!(&mut self.tx, |tx, DB| {
            sqlx::query::<DB>(
                "UPDATE signing_keys SET withdrawn_at = $2 WHERE kid = $1 AND withdrawn_at IS NULL",
            )
            .bind(kid)
            .bind(at)
            .execute(&mut **tx)
            .await
            .map(|done| done.rows_affected() == 1)
        })?)
    }

    /// Deletes a key that has never signed. `false` if no key with this kid activates after `by`.
    async fn delete_waiting(&mut self, kid: &str, by: Timestamp) -> Result<bool, StoreError> {
        Ok(on!(&mut self.tx, |tx, DB| {
            sqlx::query::<DB>(
                "DELETE FROM signing_keys WHERE kid = $1 AND activates_at > $2 AND withdrawn_at IS NULL",
            )
            .bind(kid)
            .bind(by.unix())
            .execute(&mut **tx)
            .await
            .map(|done| done.rows_affected() == 1)
        })?)
    }

    /// Stores a new signing key.
    ///
    /// # Errors
    /// When the store fails, and [`StoreError::MasterKeyReplaced`] when another master key than the active one sealed
    /// it: nobody could open it after the next start.
    pub(super) async fn insert_signing_key(&mut self, key: &SealedSigningKey) -> Result<(), StoreError> {
        let active = on!(&mut self.tx, |tx, DB| {
            sqlx::query_scalar::<DB, Vec<u8>>("SELECT master_key_check FROM deployment WHERE id = 1")
                .fetch_optional(&mut **tx)
                .await
        })?;
        if active.as_deref() != key.sealed_by.as_ref().map(|check| &check[..]) {
            return Err(StoreError::MasterKeyReplaced);
        }
        on!(&mut self.tx, |tx, DB| {
            sqlx::query::<DB>(
                "INSERT INTO signing_keys (kid, algorithm, public_jwk, sealed_private, created_at, activates_at)
                 VALUES ($1, $2, $3, $4, $5, $6)",
            )
            .bind(&key.kid)
            .bind(&key.algorithm)
            .bind(&key.public_jwk)
            .bind(&key.sealed_private)
            .bind(key.created_at.unix())
            .bind(key.activates_at.unix())
            .execute(&mut **tx)
            .await
            .map(drop)
        })?;
        Ok(())
    }
}
