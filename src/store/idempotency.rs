//! Requests that may come again (`Idempotency-Key`), and what they were answered.

use super::db::{on, row};
use super::write::Write;
use super::{Store, StoreError};
use crate::base::clock::Timestamp;
use crate::domain::api_key::KeyId;

/// A request that was answered, as far as it takes to know it again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdempotencyRecord {
    /// A digest of its body.
    pub digest: [u8; 32],
    /// The answer, as JSON and without the secret that was in it.
    pub answer: String,
}

row! {
    struct IdempotencyRow {
        digest: Vec<u8>,
        answer: String,
    }
}

impl Write {
    /// What `caller` was answered to this request, if it was.
    ///
    /// # Errors
    /// When the store cannot be asked.
    pub async fn idempotency_record(
        &mut self,
        caller: &KeyId,
        request: &str,
    ) -> Result<Option<IdempotencyRecord>, StoreError> {
        let row = on!(&mut self.tx, |tx, DB| {
            sqlx::query_as::<DB, IdempotencyRow>(
                "SELECT digest, answer FROM repeatable_requests WHERE caller = $1 AND request = $2",
            )
            .bind(caller.to_string())
            .bind(request)
            .fetch_optional(&mut **tx)
            .await
        })?;
        row.map(|row| {
            let digest = row.digest.try_into();
            let digest = digest.map_err(|_| StoreError::corrupt("idempotency records", "not a digest"))?;
            Ok(IdempotencyRecord { digest, answer: row.answer })
        })
        .transpose()
    }

    /// Keeps what `caller` is answered to this request.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn insert_idempotency_record(
        &mut self,
        caller: &KeyId,
        request: &str,
        record: &IdempotencyRecord,
    ) -> Result<(), StoreError> {
        let at = self.at.unix();
        on!(&mut self.tx, |tx, DB| {
            sqlx::query::<DB>(
                "INSERT INTO repeatable_requests (caller, request, digest, answer, created_at)
                 VALUES ($1, $2, $3, $4, $5)",
            )
            .bind(caller.to_string())
            .bind(request)
            .bind(&record.digest[..])
            .bind(&record.answer)
            .bind(at)
            .execute(&mut **tx)
            .await
            .map(drop)
        })?;
        Ok(())
    }
}

impl Store {
    /// Forgets what was answered before `before`.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn delete_old_idempotency_records(&self, before: Timestamp) -> Result<u64, StoreError> {
        self.delete_older("DELETE FROM repeatable_requests WHERE created_at < $1", before).await
    }
}
