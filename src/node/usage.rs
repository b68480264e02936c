//! Use of keys, counted in memory and written in batches, so that a token request writes nothing.
//!
//! If the process is killed, what was counted since the last flush is lost, and nothing else.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU32, AtomicU64, Ordering};
use std::time::Duration;

use super::{CachedKey, RefusalLog};
use crate::base::clock::Timestamp;
use crate::base::lock::Mutex;
use crate::domain::address::CallerAddress;
use crate::domain::api_key::KeyId;
use crate::domain::key::{CredentialId, LastSeen};
use crate::domain::usage::{Interval, UseCounts, UseKind};
use crate::metrics::Events;
use crate::store::{Store, StoreError, UseRecord};

/// The keys that are written in one transaction. Other writers wait for no longer than one transaction.
const AT_ONCE: usize = 1_000;

/// The pause after a transaction, for other writers.
const PAUSE: Duration = Duration::from_millis(20);

/// The counters of one key.
#[derive(Debug, Default)]
pub struct UseCell {
    /// The counts since the last flush, or since the hour began. They can't overflow within an hour.
    counts: [AtomicU32; UseKind::ALL.len()],
    /// The beginning of the hour that the counts belong to, in Unix seconds.
    hour: AtomicI64,
    by_token: LastUse,
    /// From where the client last used the key, if it did since the last flush.
    seen: Mutex<Option<LastSeen>>,
    /// Whether the cell already waits for the next flush.
    waiting: AtomicBool,
}

/// When something was last used, if it was since the last flush.
#[derive(Debug, Default)]
pub struct LastUse(AtomicI64);

/// The counts that are not written yet.
#[derive(Debug, Default)]
pub struct UseLedger {
    unwritten: Mutex<Unwritten>,
    /// The refusals that are to be written to the audit trail.
    pub refusals: RefusalLog,
    events: Arc<Events>,
    /// When everything was last written, in Unix seconds. 0 before the first time.
    flushed_at: AtomicI64,
    failed_flushes: AtomicU64,
}

/// What waits to be written, and how the writing goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UseBacklog {
    /// The keys, and the hours of keys, with counts that are not written.
    pub records: usize,
    /// When everything was last written. `None` before the first time.
    pub flushed_at: Option<Timestamp>,
    /// The flushes that failed.
    pub failed_flushes: u64,
}

#[derive(Debug, Default)]
struct Unwritten {
    /// The keys whose cells have counts.
    keys: Vec<Arc<CachedKey>>,
    /// The counts that were taken from cells and are not written yet.
    records: Records,
}

/// Unwritten use, by key and hour.
type Records = BTreeMap<(KeyId, Timestamp), UseRecord>;

impl UseLedger {
    /// A ledger that also counts refusals among the node's events.
    pub fn new(events: Arc<Events>) -> Self {
        Self { events, ..Self::default() }
    }

    /// What waits to be written, and how the writing goes.
    pub fn backlog(&self) -> UseBacklog {
        let records = {
            let unwritten = self.unwritten.lock();
            unwritten.keys.len() + unwritten.records.len()
        };
        let flushed_at = self.flushed_at.load(Ordering::Relaxed);
        UseBacklog {
            records,
            flushed_at: (flushed_at > 0).then(|| Timestamp::from_unix(flushed_at)),
            failed_flushes: self.failed_flushes.load(Ordering::Relaxed),
        }
    }

    /// Counts one use of a key, by this credential of the key or by a token (`None`).
    pub fn count(&self, key: &Arc<CachedKey>, by: Option<CredentialId>, kind: UseKind, now: Timestamp) {
        let (cell, hour) = (&key.used, Interval::Hour.start_of(now));
        if cell.hour.load(Ordering::Relaxed) != hour.unix() {
            self.begin_hour(key, hour);
        }
        match kind {
            UseKind::Refused(reason) => self.events.refusal(reason.as_str()),
            UseKind::Token | UseKind::Direct => {
                by.and_then(|id| key.last_use_of(id)).unwrap_or(&cell.by_token).note(now);
            }
        }
        cell.counts[kind.index()].fetch_add(1, Ordering::Relaxed);
        // The flag is set after counting and cleared before collecting, so every count is queued.
        if !cell.waiting.swap(true, Ordering::AcqRel) {
            self.unwritten.lock().keys.push(Arc::clone(key));
        }
    }

    /// Notes from where the client itself uses a key, beside [`UseLedger::count`].
    pub fn note_address(&self, key: &CachedKey, address: CallerAddress, now: Timestamp) {
        if let Some(address) = address.known() {
            *key.used.seen.lock() = Some(LastSeen { address, at: now });
        }
    }

    /// Writes what was counted, and returns the number of written records. What can't be written is kept for the next
    /// time.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn flush(&self, store: &Store, now: Timestamp) -> Result<usize, StoreError> {
        let Unwritten { keys, mut records } = std::mem::take(&mut *self.unwritten.lock());
        for record in keys.iter().filter_map(|key| self.collect(key)) {
            add(&mut records, record);
        }
        let mut refusals = self.refusals.take(now);
        let records: Vec<UseRecord> = records.into_values().collect();
        let mut written = 0;
        while written < records.len() || !refusals.is_empty() {
            if written > 0 {
                tokio::time::sleep(PAUSE).await;
            }
            let some = &records[written..records.len().min(written + AT_ONCE)];
            if let Err(error) = store.record_use(some, &refusals, now).await {
                self.put_back(&records[written..]);
                self.refusals.put_back(refusals);
                self.failed_flushes.fetch_add(1, Ordering::Relaxed);
                return Err(error);
            }
            refusals.clear();
            written += some.len();
        }
        self.flushed_at.store(now.unix(), Ordering::Relaxed);
        Ok(written)
    }

    /// Moves the counts of an earlier hour out of a key's cell.
    fn begin_hour(&self, key: &CachedKey, hour: Timestamp) {
        let mut unwritten = self.unwritten.lock();
        if key.used.hour.load(Ordering::Relaxed) == hour.unix() {
            return;
        }
        if let Some(record) = key.take_use() {
            add(&mut unwritten.records, record);
        }
        key.used.hour.store(hour.unix(), Ordering::Relaxed);
    }

    fn collect(&self, key: &CachedKey) -> Option<UseRecord> {
        // The lock keeps a new hour from beginning meanwhile.
        let _unwritten = self.unwritten.lock();
        key.used.waiting.swap(false, Ordering::AcqRel);
        key.take_use()
    }

    fn put_back(&self, records: &[UseRecord]) {
        let mut unwritten = self.unwritten.lock();
        for record in records {
            add(&mut unwritten.records, record.clone());
        }
    }
}

fn add(records: &mut Records, record: UseRecord) {
    match records.get_mut(&(record.key, record.hour)) {
        Some(same) => same.add(record),
        None => drop(records.insert((record.key, record.hour), record)),
    }
}

impl CachedKey {
    fn take_use(&self) -> Option<UseRecord> {
        let mut counts = UseCounts::default();
        for kind in UseKind::ALL {
            counts.add(kind, self.used.counts[kind.index()].swap(0, Ordering::AcqRel).into());
        }
        if counts.is_empty() {
            return None;
        }
        let secrets = self.secrets.iter().map(|secret| (secret.id.into(), &secret.used));
        let public_keys = self.public_keys.iter().map(|registered| (registered.id.into(), &registered.used));
        let rules = self.trust_rules.iter().map(|registered| (registered.id.into(), &registered.used));
        let credentials: Vec<_> = secrets
            .chain(public_keys)
            .chain(rules)
            .filter_map(|(id, used)| Some((id, used.take()?)))
            .collect();
        let last_used_at = credentials.iter().map(|(_, at)| *at).chain(self.used.by_token.take()).max();
        Some(UseRecord {
            key: self.key.id,
            organization: self.key.organization.clone(),
            project: self.key.project.clone(),
            hour: Timestamp::from_unix(self.used.hour.load(Ordering::Relaxed)),
            counts,
            last_used_at,
            last_seen: self.used.seen.lock().take(),
            credentials,
        })
    }
}

impl LastUse {
    fn note(&self, now: Timestamp) {
        self.0.fetch_max(now.unix(), Ordering::Relaxed);
    }

    fn take(&self) -> Option<Timestamp> {
        let at = self.0.swap(0, Ordering::AcqRel);
        (at > 0).then(|| Timestamp::from_unix(at))
    }
}
