//! Generations of keys that are no longer valid, for verifiers elsewhere.

use std::collections::HashMap;

use super::revocations::REMEMBERED_SECONDS;
use crate::base::clock::Timestamp;
use crate::base::lock::Mutex;
use crate::domain::api_key::KeyId;
use crate::store::Withdrawal;

/// For each key that something was recently taken from, the lowest generation that is still valid, and when that was.
#[derive(Debug, Default)]
pub struct Withdrawals(Mutex<HashMap<KeyId, (u64, Timestamp)>>);

impl Withdrawals {
    /// Adds withdrawals. The lowest valid generation of a key never decreases, in whichever order withdrawals arrive.
    pub fn insert(&self, news: Vec<Withdrawal>, now: Timestamp) {
        let since = now.plus(-REMEMBERED_SECONDS);
        let mut known = self.0.lock();
        known.retain(|_, (_, at)| *at >= since);
        for withdrawal in news {
            let held = known.entry(withdrawal.key).or_default();
            *held = (held.0.max(withdrawal.generation), held.1.max(withdrawal.at));
        }
    }

    /// Replaces everything with what the store has now.
    pub fn replace(&self, all: Vec<Withdrawal>) {
        let entry = |withdrawal: Withdrawal| (withdrawal.key, (withdrawal.generation, withdrawal.at));
        *self.0.lock() = all.into_iter().map(entry).collect();
    }

    /// The keys, and the lowest generation of each that is still valid.
    pub fn all(&self) -> Vec<(KeyId, u64)> {
        self.0.lock().iter().map(|(key, (generation, _))| (*key, *generation)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_older_withdrawal_that_arrives_later_brings_no_generation_back() {
        let withdrawals = Withdrawals::default();
        let key = "key_0123456789abcdef".parse().unwrap();
        let at = |generation, at| Withdrawal { key, generation, at: Timestamp::from_unix(at) };
        let now = Timestamp::from_unix(1_000);
        withdrawals.insert(vec![at(3, 1_000)], now);
        withdrawals.insert(vec![at(2, 990)], now);
        assert_eq!(withdrawals.all(), [(key, 3)]);
        withdrawals.insert(Vec::new(), now.plus(REMEMBERED_SECONDS));
        assert_eq!(withdrawals.all(), [(key, 3)], "it is remembered for as long as the later one");
        withdrawals.insert(Vec::new(), now.plus(REMEMBERED_SECONDS + 1));
        assert_eq!(withdrawals.all(), []);
    }
}
