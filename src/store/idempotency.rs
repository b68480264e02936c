//! Answers to requests with an `Idempotency-Key`, kept for repetitions.

use super::db::{on, row};
use super::write::Write;
use super::{Store, StoreError};
use crate::base::clock::Timestamp;

/// What is kept of an answered request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdempotencyRecord {
    /// The digest of the request's body.
    pub digest: [u8; 32],
    /// The answer as JSON, without the secret that it contained.
    pub answer: String,
}

row! {
    struct IdempotencyRow {
        digest: Vec<u8>,
        answer: String,
    }
}

impl Write {
    /// The record of this request by `caller`, if there is one.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn idempotency_record(
        &mut self,
        caller: &str,
        request: &str,
    ) -> Result<Option<IdempotencyRecord>, StoreError> {
        let row = on!(&mut self.tx, |tx, DB| {
            sqlx::query_as::<DB, IdempotencyRow>(
                "SELECT digest, answer FROM repeatable_requests WHERE caller = $1 AND request = $2",
            )
            .bind(caller)
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

    /// Stores the answer to a request by `caller`.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn insert_idempotency_record(
        &mut self,
        caller: &str,
        request: &str,
        record: &IdempotencyRecord,
    ) -> Result<(), StoreError> {
        let at = self.at.unix();
        on!(&mut self.tx, |tx, DB| {
            sqlx::query::<DB>(
                "INSERT INTO repeatable_requests (caller, request, digest, answer, created_at)
                 VALUES ($1, $2, $3, $4, $5)",
            )
            .bind(caller)
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
    /// Deletes records from before `before`. Returns how many.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn delete_old_idempotency_records(&self, before: Timestamp) -> Result<u64, StoreError> {
        self.delete_older("DELETE FROM repeatable_requests WHERE created_at < $1", before).await
    }
}
