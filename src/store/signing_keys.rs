//! Signing keys, their private parts sealed.

use serde_json::json;

use super::db::{on, row};
use super::write::{ChangeKind, Write};
use super::{Store, StoreError};
use crate::base::clock::Timestamp;
use crate::domain::audit::{Actor, AuditEvent};

/// A signing key as it is stored.
#[derive(Clone, Debug)]
pub struct SealedSigningKey {
    /// Its RFC 7638 thumbprint.
    pub kid: String,
    /// `ES256`, `EdDSA` or `RS256`.
    pub algorithm: String,
    /// The public part, as it is published.
    pub public_jwk: String,
    /// The private part (PKCS#8), sealed under the master key for this kid and algorithm.
    pub sealed_private: Vec<u8>,
    /// When it was made, and so first published.
    pub created_at: Timestamp,
    /// From when on it signs.
    pub activates_at: Timestamp,
    /// Set when it was withdrawn as compromised: it verifies nothing from then on.
    pub withdrawn_at: Option<Timestamp>,
}

/// How a new signing key follows the ones that are there.
#[derive(Clone, Debug)]
pub enum Succession {
    /// It becomes the next key, unless one is waiting already.
    Next,
    /// It becomes the next key, unless one is waiting or one was activated after this moment: how several
    /// nodes on one schedule agree on one rotation.
    NextIfOlder(Timestamp),
    /// The key of this kid is withdrawn at once, with any that is waiting left to its time.
    InsteadOf(String),
    /// It takes the place of the waiting key of this kid, which is deleted unless it activates by this moment.
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
            created_at: Timestamp::from_unix(row.created_at),
            activates_at: Timestamp::from_unix(row.activates_at),
            withdrawn_at: row.withdrawn_at.map(Timestamp::from_unix),
        }
    }
}

impl Store {
    /// All signing keys that ever were, by the time of their activation.
    ///
    /// # Errors
    /// When the store cannot be asked.
    pub async fn signing_keys(&self) -> Result<Vec<SealedSigningKey>, StoreError> {
        let rows = on!(&self.db, |pool, DB| {
            sqlx::query_as::<DB, SigningKeyRow>(SIGNING_KEYS).fetch_all(pool).await
        })?;
        Ok(rows.into_iter().map(Into::into).collect())
    }

    /// Adds a signing key. `false` when the succession does not take it: nothing has changed then.
    ///
    /// # Errors
    /// When the store fails; the signing keys are then as they were.
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
    /// Withdraws a signing key that no other one has to replace. `false` when there is none such, or it was
    /// withdrawn before.
    ///
    /// # Errors
    /// When the store fails; the signing keys are then as they were.
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

    /// Deletes a signing key that was never used. `false` when there is none that activates after `by`.
    ///
    /// # Errors
    /// When the store fails; the signing keys are then as they were.
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

    /// Dates a signing key anew that a clock ahead has dated: it was made at `at`, and activates at `activates_at`.
    /// `false` when it does not activate at `from` any more.
    ///
    /// # Errors
    /// When the store fails; the signing keys are then as they were.
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

    /// Withdraws a key; `false` when there is none such, or it was withdrawn before.
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

    /// Deletes a key that has never signed; `false` when there is none of this kid that activates after `by`.
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

    pub(super) async fn insert_signing_key(&mut self, key: &SealedSigningKey) -> Result<(), StoreError> {
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
