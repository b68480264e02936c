//! Refusals for the audit trail: of keys whose secret is right, of callers who lack a scope, and of people who sign in.
//!
//! A refused caller can ask as often as it likes. Therefore the same refusal makes one event an hour, and the number of
//! events is bounded for each organization. If all organizations together have too many, the one with the most gives
//! way, so no organization's refusals hide another's. Refusals beyond the bounds are still counted.

mod sign_ins;

use std::collections::HashMap;
use std::hash::{BuildHasher as _, RandomState};

use serde_json::json;

use self::sign_ins::SignIns;
use crate::base::clock::Timestamp;
use crate::base::lock::Mutex;
use crate::base::text::redacted;
use crate::domain::address::{Origin, network};
use crate::domain::api_key::KeyId;
use crate::domain::audit::{Actor, AuditEvent, PastEvent, Who};
use crate::domain::key::ApiKey;
use crate::domain::names::OrganizationId;
use crate::domain::principal::CallerId;
use crate::domain::refusal_reason::RefusalReason;
use crate::domain::trust_rule::ComparedClaim;

/// How long the same refusal is not noted again, in seconds.
const QUIET_SECONDS: i64 = 3_600;

/// The refusals of one caller that are noted in that time, for each of the two actions.
const MOST_OF_A_CALLER: usize = 10;

/// The callers with noted refusals.
const CALLERS: Bounds = Bounds { of_organization: 1_000, of_all: 20_000 };

/// The events that may wait to be written.
const WAITING: Bounds = Bounds { of_organization: 500, of_all: 2_000 };

/// The bounds of one organization and of all together.
struct Bounds {
    of_organization: usize,
    of_all: usize,
}

/// The events to write, and what was noted within the hour.
#[derive(Debug, Default)]
pub struct RefusalLog {
    log: Mutex<Log>,
    sign_ins: Mutex<SignIns>,
    digests: RandomState,
}

#[derive(Debug, Default)]
struct Log {
    organizations: HashMap<Option<OrganizationId>, OfOrganization>,
    /// The refusals that are in no audit trail, because too many were waiting.
    dropped: u64,
}

#[derive(Debug, Default)]
struct OfOrganization {
    /// Digests of the reason and the network, and when each was noted, by caller and action.
    noted: HashMap<(CallerId, &'static str), Vec<(u64, Timestamp)>>,
    waiting: Vec<PastEvent>,
}

/// Whether there is space for one more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Space {
    Free,
    /// The organization with the most has lost one.
    TakenFromAnother,
    None,
}

impl RefusalLog {
    /// The refusals that are in no audit trail, because too many were waiting to be written.
    pub fn dropped(&self) -> u64 {
        self.log.lock().dropped
    }

    /// Notes the refusal of a key, or of a token of that key, to a caller who had it.
    pub fn refused(&self, key: &ApiKey, reason: RefusalReason, origin: Origin<'_>, now: Timestamp) {
        let reason = reason.as_str();
        self.note("key.refused", (of(key, origin), Some(key.id)), reason, now, |event| AuditEvent {
            subject: key.id.to_string(),
            after: Some(json!({ "reason": reason })),
            ..event
        });
    }

    /// Notes the refusal of a token of a trusted issuer whose signature holds: the issuer, the check that failed, and what
    /// was compared.
    pub fn refused_token(
        &self,
        key: &ApiKey,
        (issuer, check): (&str, &str),
        compared: &[ComparedClaim],
        origin: Origin<'_>,
        now: Timestamp,
    ) {
        let reason = format!("{issuer} {check}");
        self.note("key.refused", (of(key, origin), Some(key.id)), &reason, now, |event| AuditEvent {
            subject: key.id.to_string(),
            after: Some(json!({ "reason": "token", "issuer": issuer, "check": check, "compared": compared })),
            ..event
        });
    }

    /// Notes that a caller lacked something: a scope, or whatever else `missing` names.
    pub fn denied(&self, caller: Actor, key: Option<KeyId>, missing: &str, now: Timestamp) {
        let event = |event| AuditEvent { subject: redacted(missing), ..event };
        self.note("access.denied", (caller, key), missing, now, event);
    }

    /// Takes the events that are to be written.
    pub(super) fn take(&self, now: Timestamp) -> Vec<PastEvent> {
        let mut log = self.log.lock();
        let mut events = Vec::new();
        log.organizations.retain(|_, of| {
            events.append(&mut of.waiting);
            of.noted.retain(|_, noted| noted.iter().any(|(_, at)| is_recent(*at, now)));
            !of.noted.is_empty()
        });
        events.sort_by_key(|event| event.at);
        events
    }

    /// Returns events that could not be written, for the next time.
    pub(super) fn put_back(&self, events: Vec<PastEvent>) {
        let mut log = self.log.lock();
        for event in events {
            log.of(event.event.organization.clone()).waiting.push(event);
        }
    }

    fn note(
        &self,
        action: &'static str,
        (actor, key): (Actor, Option<KeyId>),
        reason: &str,
        now: Timestamp,
        complete: impl FnOnce(AuditEvent) -> AuditEvent,
    ) {
        let digest = self.digests.hash_one((reason, actor.address.map(network)));
        let mut log = self.log.lock();
        let organization = actor.organization.clone();
        let Who::Caller(caller) = &actor.who else { return };
        if !log.is_news(&organization, &(caller.clone(), action), digest, now) {
            return;
        }
        let event = AuditEvent {
            action,
            organization: organization.clone(),
            key,
            subject: String::new(),
            before: None,
            after: None,
        };
        log.of(organization).waiting.push(PastEvent { at: now, actor, event: complete(event) });
    }
}

/// A key as the actor of its own refusal.
fn of(key: &ApiKey, origin: Origin<'_>) -> Actor {
    Actor {
        who: Who::Caller(CallerId::Key(key.id)),
        name: Some(key.name.clone()),
        organization: Some(key.organization.clone()),
        address: origin.address.known(),
        request_id: Some(origin.request_id.to_owned()),
        dry_run: false,
    }
}

impl Log {
    fn of(&mut self, organization: Option<OrganizationId>) -> &mut OfOrganization {
        self.organizations.entry(organization).or_default()
    }

    /// Whether this refusal is to be noted. If so, it is not noted again for an hour.
    fn is_news(
        &mut self,
        organization: &Option<OrganizationId>,
        caller: &(CallerId, &'static str),
        digest: u64,
        now: Timestamp,
    ) -> bool {
        let own = self.of(organization.clone());
        let is_known = own.noted.contains_key(caller);
        if let Some(noted) = own.noted.get_mut(caller) {
            noted.retain(|(_, at)| is_recent(*at, now));
            if noted.len() >= MOST_OF_A_CALLER || noted.iter().any(|(same, _)| *same == digest) {
                return false;
            }
        }
        let space = self.make_space(organization, &WAITING, |of| of.waiting.len(), |of| _ = of.waiting.pop());
        self.dropped += u64::from(space == Space::TakenFromAnother);
        let has_space = space != Space::None
            && (is_known
                || self.make_space(
                    organization,
                    &CALLERS,
                    |of| of.noted.len(),
                    |of| {
                        let any = of.noted.keys().next().cloned();
                        any.map(|caller| of.noted.remove(&caller));
                    },
                ) != Space::None);
        self.dropped += u64::from(!has_space);
        if has_space {
            self.of(organization.clone()).noted.entry(caller.clone()).or_default().push((digest, now));
        }
        has_space
    }

    /// Whether the organization may have one more of what `count` counts. If all together have too many, the one with
    /// the most loses one, unless it is this one.
    fn make_space(
        &mut self,
        organization: &Option<OrganizationId>,
        bounds: &Bounds,
        count: impl Fn(&OfOrganization) -> usize,
        lose: impl Fn(&mut OfOrganization),
    ) -> Space {
        let own = self.organizations.get(organization).map_or(0, &count);
        if own >= bounds.of_organization {
            return Space::None;
        }
        if self.organizations.values().map(&count).sum::<usize>() < bounds.of_all {
            return Space::Free;
        }
        let largest = self.organizations.values_mut().max_by_key(|of| count(of));
        match largest.filter(|largest| count(largest) > own + 1) {
            Some(largest) => {
                lose(largest);
                Space::TakenFromAnother
            }
            None => Space::None,
        }
    }
}

/// A time in the future comes from a clock that was set back since. It counts as long ago, or it would keep refusals
/// out of the trail.
fn is_recent(at: Timestamp, now: Timestamp) -> bool {
    (0..QUIET_SECONDS).contains(&now.since(at))
}

#[cfg(test)]
mod tests;
