//! Withdrawn generations of keys. A withdrawal kills tokens that verifiers accept offline.

use sqlx::QueryBuilder;

use super::db::{BATCH, on, row, stays_prepared};
use super::error::read;
use super::write::Write;
use super::{Store, StoreError};
use crate::base::clock::Timestamp;
use crate::domain::api_key::KeyId;

/// Tokens of a key below a generation are dead.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Withdrawal {
    /// The key. It may have been deleted.
    pub key: KeyId,
    /// The lowest generation that is still valid.
    pub generation: u64,
    /// When the withdrawal was made.
    pub at: Timestamp,
}

pub(super) const WITHDRAWALS_AFTER: &str =
    "SELECT key_id, generation, at FROM withdrawals WHERE seq > $1 AND at >= $2";

row! {
    pub(super) struct WithdrawalRow {
        key_id: String,
        generation: i64,
        at: i64,
    }
}

impl Store {
    /// Deletes withdrawals from before `before`. Returns how many.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn delete_old_withdrawals(&self, before: Timestamp) -> Result<u64, StoreError> {
        self.delete_older("DELETE FROM withdrawals WHERE at < $1", before).await
    }
}

impl Write {
    /// Withdraws all generations of these keys below the given ones.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn withdraw_generations(&mut self, withdrawn: &[(KeyId, u64)]) -> Result<(), StoreError> {
        let (at, seq) = (self.at.unix(), self.number().await?);
        for batch in withdrawn.chunks(BATCH) {
            on!(&mut self.tx, |tx, DB| {
                let mut sql =
                    QueryBuilder::<DB>::new("INSERT INTO withdrawals (key_id, seq, generation, at) ");
                sql.push_values(batch, |mut row, (key, generation)| {
                    row.push_bind(key.to_string()).push_bind(seq);
                    row.push_bind(generation.cast_signed()).push_bind(at);
                });
                sql.push(
                    " ON CONFLICT (key_id) DO UPDATE
                      SET seq = excluded.seq, generation = excluded.generation, at = excluded.at",
                );
                sql.build().persistent(stays_prepared(batch.len())).execute(&mut **tx).await.map(drop)
            })?;
        }
        Ok(())
    }
}

impl TryFrom<WithdrawalRow> for Withdrawal {
    type Error = StoreError;

    fn try_from(row: WithdrawalRow) -> Result<Self, StoreError> {
        Ok(Self {
            key: read("key id", &row.key_id)?,
            generation: u64::try_from(row.generation)
                .map_err(|error| StoreError::corrupt("generation", error))?,
            at: Timestamp::from_unix(row.at),
        })
    }
}
