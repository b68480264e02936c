//! The master keys that the store has had. The keys themselves are never here, only their check values, and the sealed
//! tag keys of the replaced ones.

use super::db::{on, row};
use super::write::Write;
use super::{Reading, Store, StoreError};
use crate::base::clock::Timestamp;
use crate::base::master_key::MasterKeyCheck;

/// The most secrets that are counted for one master key.
pub const SECRETS_COUNTED: i64 = 10_000;

/// A master key of the store, active or replaced.
#[derive(Clone, Debug)]
pub struct StoredMasterKey {
    /// Its number. Each one's is greater than its predecessor's.
    pub number: i64,
    /// Its check value.
    pub check: Vec<u8>,
    /// When it became the active one.
    pub activated_at: Timestamp,
    /// When its successor replaced it. `None` for the active one.
    pub replaced_at: Option<Timestamp>,
    /// Its tag key, sealed under the active master key. `None` for the active one, and when its tags have ended.
    pub sealed_tag_key: Option<Vec<u8>>,
    /// Since when API keys with its tags are no longer accepted.
    pub tag_ended_at: Option<Timestamp>,
}

/// What changes in the store when a master key takes over.
#[derive(Debug)]
pub struct Takeover {
    /// The check value of the new master key.
    pub check: MasterKeyCheck,
    /// The private parts of all signing keys by their kids, sealed under the new master key.
    pub signing_keys: Vec<(String, Vec<u8>)>,
    /// The tag keys of all earlier master keys by their numbers, sealed under the new master key.
    pub tag_keys: Vec<(i64, Vec<u8>)>,
}

pub(super) const MASTER_KEYS: &str =
    "SELECT number, check_value, activated_at, replaced_at, sealed_tag_key, tag_ended_at
     FROM master_keys ORDER BY number";

/// The secrets that work with a tag of one master key, as long as their keys are not revoked.
const SECRETS: &str = "SELECT COUNT(*) FROM (
         SELECT 1 FROM key_secrets s JOIN api_keys k ON k.id = s.key_id
         WHERE s.master_key = $1 AND s.public_jwk IS NULL AND s.trust_rule IS NULL AND s.retired_at IS NULL
           AND (s.expires_at IS NULL OR s.expires_at > $2) AND k.revoked_at IS NULL
         LIMIT $3
     ) AS counted";

row! {
    pub(super) struct MasterKeyRow {
        number: i64,
        check_value: Vec<u8>,
        activated_at: i64,
        replaced_at: Option<i64>,
        sealed_tag_key: Option<Vec<u8>>,
        tag_ended_at: Option<i64>,
    }
}

impl From<MasterKeyRow> for StoredMasterKey {
    fn from(row: MasterKeyRow) -> Self {
        Self {
            number: row.number,
            check: row.check_value,
            activated_at: Timestamp::from_unix(row.activated_at),
            replaced_at: row.replaced_at.map(Timestamp::from_unix),
            sealed_tag_key: row.sealed_tag_key,
            tag_ended_at: row.tag_ended_at.map(Timestamp::from_unix),
        }
    }
}

impl StoredMasterKey {
    /// Whether it is the one that seals and tags.
    pub const fn is_active(&self) -> bool {
        self.replaced_at.is_none()
    }
}

impl Store {
    /// All master keys of the store, the oldest first.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn master_keys(&self) -> Result<Vec<StoredMasterKey>, StoreError> {
        let rows = on!(&self.db, |pool, DB| {
            sqlx::query_as::<DB, MasterKeyRow>(MASTER_KEYS).fetch_all(pool).await
        })?;
        Ok(rows.into_iter().map(Into::into).collect())
    }
}

impl Reading {
    /// The live secrets whose tags were made under the master key with this number. It counts up to
    /// [`SECRETS_COUNTED`].
    ///
    /// # Errors
    /// When the store fails.
    pub async fn secrets_of_master_key(&self, number: i64, at: Timestamp) -> Result<i64, StoreError> {
        Ok(on!(&self.db, |pool, DB| {
            sqlx::query_scalar::<DB, i64>(SECRETS)
                .bind(number)
                .bind(at.unix())
                .bind(SECRETS_COUNTED)
                .fetch_one(pool)
                .await
        })?)
    }
}

impl Write {
    /// All master keys of the store, the oldest first.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn master_keys(&mut self) -> Result<Vec<StoredMasterKey>, StoreError> {
        let rows = on!(&mut self.tx, |tx, DB| {
            sqlx::query_as::<DB, MasterKeyRow>(MASTER_KEYS).fetch_all(&mut **tx).await
        })?;
        Ok(rows.into_iter().map(Into::into).collect())
    }

    /// The same as [`Reading::secrets_of_master_key`], as of this mutation.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn secrets_of_master_key(&mut self, number: i64) -> Result<i64, StoreError> {
        let at = self.at.unix();
        Ok(on!(&mut self.tx, |tx, DB| {
            sqlx::query_scalar::<DB, i64>(SECRETS)
                .bind(number)
                .bind(at)
                .bind(SECRETS_COUNTED)
                .fetch_one(&mut **tx)
                .await
        })?)
    }

    /// Makes a new master key the active one, and stores what is sealed under it. Returns its number.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn replace_master_key(&mut self, takeover: &Takeover) -> Result<i64, StoreError> {
        let at = self.at.unix();
        let number = on!(&mut self.tx, |tx, DB| {
            sqlx::query::<DB>("UPDATE master_keys SET replaced_at = $1 WHERE replaced_at IS NULL")
                .bind(at)
                .execute(&mut **tx)
                .await?;
            sqlx::query::<DB>("UPDATE deployment SET master_key_check = $1 WHERE id = 1")
                .bind(takeover.check.to_vec())
                .execute(&mut **tx)
                .await?;
            sqlx::query_scalar::<DB, i64>(
                "INSERT INTO master_keys (number, check_value, activated_at)
                 SELECT COALESCE(MAX(number), 0) + 1, $1, $2 FROM master_keys RETURNING number",
            )
            .bind(takeover.check.to_vec())
            .bind(at)
            .fetch_one(&mut **tx)
            .await
        })?;
        for (earlier, sealed) in &takeover.tag_keys {
            on!(&mut self.tx, |tx, DB| {
                sqlx::query::<DB>("UPDATE master_keys SET sealed_tag_key = $2 WHERE number = $1")
                    .bind(earlier)
                    .bind(sealed)
                    .execute(&mut **tx)
                    .await
                    .map(drop)
            })?;
        }
        for (kid, sealed) in &takeover.signing_keys {
            on!(&mut self.tx, |tx, DB| {
                sqlx::query::<DB>("UPDATE signing_keys SET sealed_private = $2 WHERE kid = $1")
                    .bind(kid)
                    .bind(sealed)
                    .execute(&mut **tx)
                    .await
                    .map(drop)
            })?;
        }
        Ok(number)
    }

    /// Deletes the tag key of a replaced master key. `false` if there is none.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn end_tag_key(&mut self, number: i64) -> Result<bool, StoreError> {
        let at = self.at.unix();
        Ok(on!(&mut self.tx, |tx, DB| {
            sqlx::query::<DB>(
                "UPDATE master_keys SET sealed_tag_key = NULL, tag_ended_at = $2
                 WHERE number = $1 AND replaced_at IS NOT NULL AND tag_ended_at IS NULL",
            )
            .bind(number)
            .bind(at)
            .execute(&mut **tx)
            .await
            .map(|done| done.rows_affected() == 1)
        })?)
    }

    /// Stores the first master key of a new store.
    pub(super) async fn insert_first_master_key(&mut self, check: &MasterKeyCheck) -> Result<(), StoreError> {
        let at = self.at.unix();
        on!(&mut self.tx, |tx, DB| {
            sqlx::query::<DB>(
                "INSERT INTO master_keys (number, check_value, activated_at) VALUES (1, $1, $2)",
            )
            .bind(check.to_vec())
            .bind(at)
            .execute(&mut **tx)
            .await
            .map(drop)
        })?;
        Ok(())
    }
}
