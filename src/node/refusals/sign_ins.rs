//! Refused sign-ins for the audit trail: of people whom a provider vouched for.
//!
//! Anybody with an account at a provider can cause them. They are bounded for each network and for all together, before
//! anything is looked up or kept. What is beyond the bounds is counted.

use std::collections::HashMap;
use std::hash::BuildHasher as _;
use std::net::IpAddr;

use super::{RefusalLog, Space, WAITING, is_recent};
use crate::base::clock::Timestamp;
use crate::domain::address::{CallerAddress, network};
use crate::domain::audit::{Actor, AuditEvent, PastEvent};

/// The refused sign-ins from one network that are recorded in a minute.
const MOST_OF_A_NETWORK: usize = 5;

/// The refused sign-ins that are recorded in a minute, of all together.
const MOST_OF_ALL: usize = 60;

const MINUTE: i64 = 60;

/// What was admitted lately. It never has more entries than are admitted in an hour.
#[derive(Debug, Default)]
pub(super) struct SignIns {
    /// The minute that is counted, since 1970.
    minute: i64,
    of_all: usize,
    of_network: HashMap<Option<IpAddr>, usize>,
    /// Digests of what was admitted, and when.
    admitted: HashMap<u64, Timestamp>,
    omitted: u64,
}

impl RefusalLog {
    /// Whether the refusal of a sign-in from this address is to be recorded. The same one, by what `same` says and by the
    /// network, is recorded once an hour.
    pub fn admits_sign_in(&self, same: &[&str], address: CallerAddress, now: Timestamp) -> bool {
        let network = address.known().map(network);
        let digest = self.digests.hash_one((same, network));
        self.sign_ins.lock().admit(digest, network, now)
    }

    /// Records a refused sign-in that was admitted ([`RefusalLog::admits_sign_in`]).
    pub fn refused_sign_in(&self, actor: Actor, event: AuditEvent, now: Timestamp) {
        let mut log = self.log.lock();
        let organization = event.organization.clone();
        let space = log.make_space(&organization, &WAITING, |of| of.waiting.len(), |of| _ = of.waiting.pop());
        log.dropped += u64::from(space != Space::Free);
        if space != Space::None {
            log.of(organization).waiting.push(PastEvent { at: now, actor, event });
        }
    }

    /// The refused sign-ins that are in no audit trail, because there were too many, or the same one shortly before.
    pub fn omitted_sign_ins(&self) -> u64 {
        self.sign_ins.lock().omitted
    }
}

impl SignIns {
    fn admit(&mut self, digest: u64, network: Option<IpAddr>, now: Timestamp) -> bool {
        let minute = now.unix().div_euclid(MINUTE);
        if self.minute != minute {
            self.minute = minute;
            self.of_all = 0;
            self.of_network.clear();
            self.admitted.retain(|_, at| is_recent(*at, now));
        }
        let is_known = self.admitted.get(&digest).is_some_and(|at| is_recent(*at, now));
        let own = self.of_network.get(&network).copied().unwrap_or_default();
        let is_admitted = !is_known && own < MOST_OF_A_NETWORK && self.of_all < MOST_OF_ALL;
        if is_admitted {
            self.of_all += 1;
            self.of_network.insert(network, own + 1);
            self.admitted.insert(digest, now);
        } else {
            self.omitted += 1;
        }
        is_admitted
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::super::QUIET_SECONDS;
    use super::*;

    const START: Timestamp = Timestamp::from_unix(1_000_020);

    fn from(host: u32) -> CallerAddress {
        CallerAddress::Known(IpAddr::V4(Ipv4Addr::from_bits(host)))
    }

    #[test]
    fn a_flood_from_one_network_leaves_room_for_others() {
        let log = RefusalLog::default();
        let admitted = |host: u32, from_to: std::ops::Range<usize>| {
            let texts: Vec<_> = from_to.map(|n| n.to_string()).collect();
            texts.iter().filter(|text| log.admits_sign_in(&[text.as_str()], from(host), START)).count()
        };
        assert_eq!(admitted(1, 0..1_000), MOST_OF_A_NETWORK);
        assert_eq!(admitted(2, 0..2), 2);
        assert_eq!(log.omitted_sign_ins(), 1_000 - MOST_OF_A_NETWORK as u64);
        let others: usize = (3..10_000).map(|host| admitted(host, 0..1)).sum();
        assert_eq!(others, MOST_OF_ALL - MOST_OF_A_NETWORK - 2);
        let state = log.sign_ins.lock();
        assert_eq!((state.admitted.len(), state.of_network.len()), (MOST_OF_ALL, MOST_OF_ALL - 5));
    }

    #[test]
    fn the_same_refusal_is_recorded_once_an_hour() {
        let log = RefusalLog::default();
        let at = |seconds, text| log.admits_sign_in(&[text], from(1), START.plus(seconds));
        assert!(at(0, "a") && !at(1, "a") && at(1, "b"));
        assert!(!at(QUIET_SECONDS - 1, "a"));
        assert!(at(QUIET_SECONDS, "a"));
        assert_eq!(log.omitted_sign_ins(), 2);
        // What is old is forgotten.
        assert!(at(3 * QUIET_SECONDS, "c"));
        assert_eq!(log.sign_ins.lock().admitted.len(), 1);
    }
}
