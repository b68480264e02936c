//! Use, counted in memory and written in batches, so that a token request writes nothing.
//!
//! What a kill can lose is what was counted since the last flush, and no more.

use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use crate::api_key::KeyId;
use crate::clock::Timestamp;
use crate::key::SecretId;
use crate::store::{Store, StoreError, UseKind, UseRecord};

const KINDS: [UseKind; 3] = [UseKind::Token, UseKind::Direct, UseKind::Refused];

/// The counters of one secret since the last flush.
#[derive(Debug, Default)]
pub struct UseCell {
    counts: [AtomicU64; KINDS.len()],
    /// Unix seconds of the last use that was not a refusal; 0 when there was none.
    last_used_at: AtomicI64,
    /// Whether the cell waits for the next flush already.
    waiting: AtomicBool,
}

/// The cells that have something to write.
#[derive(Debug, Default)]
pub struct UseLedger {
    waiting: Mutex<Vec<(KeyId, SecretId, Arc<UseCell>)>>,
}

impl UseLedger {
    /// Counts one use.
    pub fn count(&self, key: KeyId, secret: SecretId, cell: &Arc<UseCell>, kind: UseKind, now: Timestamp) {
        cell.counts[kind as usize].fetch_add(1, Ordering::Relaxed);
        if kind != UseKind::Refused {
            cell.last_used_at.fetch_max(now.unix(), Ordering::Relaxed);
        }
        // Set after counting and cleared before collecting: a count is never left behind unqueued.
        if !cell.waiting.swap(true, Ordering::AcqRel) {
            self.lock().push((key, secret, Arc::clone(cell)));
        }
    }

    /// Writes what was counted. What could not be written is kept for the next time.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn flush(&self, store: &Store, now: Timestamp) -> Result<usize, StoreError> {
        let cells = std::mem::take(&mut *self.lock());
        let records: Vec<UseRecord> =
            cells.iter().map(|(key, secret, cell)| cell.collect(*key, *secret, now)).collect();
        if records.is_empty() {
            return Ok(0);
        }
        if let Err(error) = store.record_use(&records).await {
            self.put_back(cells, &records);
            return Err(error);
        }
        Ok(records.len())
    }

    fn put_back(&self, cells: Vec<(KeyId, SecretId, Arc<UseCell>)>, records: &[UseRecord]) {
        for ((key, secret, cell), record) in cells.into_iter().zip(records) {
            for (kind, count) in &record.counts {
                cell.counts[*kind as usize].fetch_add(*count, Ordering::Relaxed);
            }
            let last = record.last_used_at.map_or(0, Timestamp::unix);
            cell.last_used_at.fetch_max(last, Ordering::Relaxed);
            if !cell.waiting.swap(true, Ordering::AcqRel) {
                self.lock().push((key, secret, cell));
            }
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<(KeyId, SecretId, Arc<UseCell>)>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl UseCell {
    fn collect(&self, key: KeyId, secret: SecretId, now: Timestamp) -> UseRecord {
        self.waiting.store(false, Ordering::Release);
        let counts =
            KINDS.into_iter().map(|kind| (kind, self.counts[kind as usize].swap(0, Ordering::AcqRel)));
        let last_used_at = self.last_used_at.swap(0, Ordering::AcqRel);
        UseRecord {
            key,
            secret,
            last_used_at: (last_used_at > 0).then(|| Timestamp::from_unix(last_used_at)),
            counts: counts.filter(|(_, count)| *count > 0).collect(),
            hour: now.unix().div_euclid(3600),
        }
    }
}
