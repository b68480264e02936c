//! Generations of keys that are over, for whoever verifies tokens elsewhere.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::revocations::REMEMBERED_SECONDS;
use crate::api_key::KeyId;
use crate::clock::Timestamp;
use crate::store::{Store, StoreError, Withdrawal};

/// For each key that something was taken from lately, the least generation of it that is still good.
#[derive(Debug, Default)]
pub struct Withdrawals(Mutex<HashMap<KeyId, (u64, Timestamp)>>);

impl Withdrawals {
    /// Takes in what was withdrawn by changes after number `seq`.
    ///
    /// # Errors
    /// When the store cannot be asked.
    pub async fn take_in(&self, store: &Store, seq: i64, now: Timestamp) -> Result<(), StoreError> {
        let since = now.plus(-REMEMBERED_SECONDS);
        let news = store.withdrawals_after(seq, since).await?;
        let mut known = self.lock();
        known.retain(|_, (_, at)| *at >= since);
        known.extend(news.into_iter().map(Withdrawal::entry));
        Ok(())
    }

    /// Forgets everything, and takes it from the store again.
    ///
    /// # Errors
    /// When the store cannot be asked.
    pub async fn load(&self, store: &Store, now: Timestamp) -> Result<(), StoreError> {
        let all = store.withdrawals_after(-1, now.plus(-REMEMBERED_SECONDS)).await?;
        *self.lock() = all.into_iter().map(Withdrawal::entry).collect();
        Ok(())
    }

    /// The keys and the least generation of each that is still good.
    pub fn all(&self) -> Vec<(KeyId, u64)> {
        self.lock().iter().map(|(key, (generation, _))| (*key, *generation)).collect()
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<KeyId, (u64, Timestamp)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Withdrawal {
    fn entry(self) -> (KeyId, (u64, Timestamp)) {
        (self.key, (self.generation, self.at))
    }
}
