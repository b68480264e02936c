//! Refusals worth knowing, for the audit trail: of keys whose secret is right, and of what a scope was missing for.
//!
//! Whoever is refused can ask as often as they like. So of one refusal there is one event an hour, and of all of
//! them there are bounds. Keys that are refused beyond are counted all the same.

use std::collections::HashMap;
use std::hash::{BuildHasher as _, RandomState};
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde_json::json;

use crate::address::{Origin, network};
use crate::api_key::KeyId;
use crate::audit::{Actor, AuditEvent, PastEvent, Who};
use crate::clock::Timestamp;
use crate::key::ApiKey;
use crate::text::redacted;
use crate::usage::RefusedFor;

/// For so many seconds a refusal is not noted again.
const QUIET_SECONDS: i64 = 3_600;

/// Refusals of one key that are noted in that time, of each of the two kinds.
const MOST_OF_A_KEY: usize = 10;

/// Keys of which any are.
const MOST_KEYS: usize = 1_000;

/// Events that may wait to be written.
const MOST_WAITING: usize = 500;

/// What there is to write, and what was noted within the hour.
#[derive(Debug, Default)]
pub struct RefusalLog {
    log: Mutex<Log>,
    digests: RandomState,
}

#[derive(Debug, Default)]
struct Log {
    /// For each key and action: digests of the reason and the network, and when that was noted.
    noted: HashMap<(KeyId, &'static str), Vec<(u64, Timestamp)>>,
    waiting: Vec<PastEvent>,
}

impl RefusalLog {
    /// Notes that a key, or a token of it, was refused to someone who had it.
    pub fn refused(&self, key: &ApiKey, reason: RefusedFor, origin: Origin<'_>, now: Timestamp) {
        let reason = reason.as_str();
        self.note("key.refused", key, reason, origin, now, |event| AuditEvent {
            subject: key.id.to_string(),
            after: Some(json!({ "reason": reason })),
            ..event
        });
    }

    /// Notes that a caller was missing something: a scope, or what else `missing` says.
    pub fn denied(&self, caller: &ApiKey, missing: &str, origin: Origin<'_>, now: Timestamp) {
        self.note("access.denied", caller, missing, origin, now, |event| AuditEvent {
            subject: redacted(missing),
            ..event
        });
    }

    /// What there is to write.
    pub(super) fn take(&self, now: Timestamp) -> Vec<PastEvent> {
        let mut log = self.lock();
        log.noted.retain(|_, noted| noted.iter().any(|(_, at)| is_recent(*at, now)));
        std::mem::take(&mut log.waiting)
    }

    /// Keeps what could not be written for the next time.
    pub(super) fn put_back(&self, mut events: Vec<PastEvent>) {
        let mut log = self.lock();
        events.append(&mut log.waiting);
        log.waiting = events;
    }

    fn note(
        &self,
        action: &'static str,
        key: &ApiKey,
        reason: &str,
        origin: Origin<'_>,
        now: Timestamp,
        complete: impl FnOnce(AuditEvent) -> AuditEvent,
    ) {
        let digest = self.digests.hash_one((reason, origin.address.known().map(network)));
        let mut log = self.lock();
        if !log.is_news((key.id, action), digest, now) {
            return;
        }
        let event = AuditEvent {
            action,
            organization: Some(key.organization.clone()),
            key: Some(key.id),
            subject: String::new(),
            before: None,
            after: None,
        };
        let actor = Actor {
            who: Who::Key(key.id),
            address: origin.address.known(),
            request_id: Some(origin.request_id.to_owned()),
            dry_run: false,
        };
        log.waiting.push(PastEvent { at: now, actor, event: complete(event) });
    }

    fn lock(&self) -> MutexGuard<'_, Log> {
        self.log.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Log {
    /// Whether this is to be noted; if so, it is not for an hour.
    fn is_news(&mut self, of: (KeyId, &'static str), digest: u64, now: Timestamp) -> bool {
        let is_known = self.noted.contains_key(&of);
        if self.waiting.len() >= MOST_WAITING || (!is_known && self.noted.len() >= MOST_KEYS) {
            return false;
        }
        let noted = self.noted.entry(of).or_default();
        noted.retain(|(_, at)| is_recent(*at, now));
        if noted.len() >= MOST_OF_A_KEY || noted.iter().any(|(same, _)| *same == digest) {
            return false;
        }
        noted.push((digest, now));
        true
    }
}

fn is_recent(at: Timestamp, now: Timestamp) -> bool {
    now.since(at) < QUIET_SECONDS
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entropy::Entropy;

    const START: Timestamp = Timestamp::from_unix(1_000_000);

    fn key() -> (KeyId, &'static str) {
        (KeyId::generate(&Entropy::system()).unwrap(), "key.refused")
    }

    fn event() -> PastEvent {
        let event = AuditEvent {
            action: "key.refused",
            organization: None,
            key: None,
            subject: String::new(),
            before: None,
            after: None,
        };
        PastEvent { at: START, actor: Actor::server(Who::Schedule), event }
    }

    #[test]
    fn a_refusal_is_news_once_an_hour() {
        let (mut log, key) = (Log::default(), key());
        assert!(log.is_news(key, 1, START));
        assert!(!log.is_news(key, 1, START));
        assert!(log.is_news(key, 2, START), "for another reason, or from another network");
        assert!(log.is_news((key.0, "access.denied"), 1, START), "of another kind");
        assert!(!log.is_news(key, 1, START.plus(QUIET_SECONDS - 1)));
        assert!(log.is_news(key, 1, START.plus(QUIET_SECONDS)));
    }

    #[test]
    fn there_are_bounds_to_what_is_news() {
        let (mut log, first) = (Log::default(), key());
        for digest in 0..MOST_OF_A_KEY as u64 {
            assert!(log.is_news(first, digest, START));
        }
        assert!(!log.is_news(first, 99, START), "of one key");
        for _ in 1..MOST_KEYS {
            assert!(log.is_news(key(), 1, START));
        }
        assert!(!log.is_news(key(), 1, START), "of all keys");
        assert!(log.is_news(first, 99, START.plus(QUIET_SECONDS)));
        assert_eq!(log.noted[&first].len(), 1, "what is old makes room");
    }

    #[test]
    fn what_waits_is_bounded_and_what_is_old_is_forgotten() {
        let refusals = RefusalLog::default();
        refusals.put_back(vec![event(); MOST_WAITING]);
        assert!(!refusals.lock().is_news(key(), 1, START), "until there is room");
        assert_eq!(refusals.take(START).len(), MOST_WAITING);
        assert!(refusals.lock().is_news(key(), 1, START));
        assert_eq!(refusals.take(START.plus(QUIET_SECONDS - 1)).len(), 0);
        assert_eq!(refusals.lock().noted.len(), 1);
        refusals.take(START.plus(QUIET_SECONDS));
        assert_eq!(refusals.lock().noted.len(), 0);
    }
}
