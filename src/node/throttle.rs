//! Limits wrong secrets: after ten in a minute for one client id from one network, that pair has to wait. A guesser
//! never delays the rightful owner elsewhere.

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use moka::sync::Cache;

use crate::base::clock::Timestamp;
use crate::base::lock::Mutex;
use crate::domain::address::network;

/// The wrong secrets that a pair may send in [`WINDOW_SECONDS`].
const ALLOWED: u32 = 10;

/// How long wrong secrets count, in seconds, from the first one of a window.
const WINDOW_SECONDS: i64 = 60;

/// The pairs that are tracked at once. Counting does not stop somebody who sends from more networks than this.
const CAPACITY: u64 = 100_000;

/// Counts wrong secrets for each pair of client and network.
#[derive(Debug)]
pub struct Throttle {
    failures: Cache<Pair, Arc<Mutex<Failures>>>,
    /// The time of the last failure of all pairs, in Unix seconds. It spares most requests a lookup.
    last_failure: AtomicI64,
}

/// The claimed client id, and the network: an IPv4 address, or the /64 of an IPv6 address.
type Pair = (Box<str>, Option<IpAddr>);

#[derive(Debug)]
struct Failures {
    since: Timestamp,
    count: u32,
}

impl Failures {
    /// Whether the failures still count. A window in the future was started by a clock that was set back since, and
    /// nobody waits for that time.
    fn still_count(&self, now: Timestamp) -> bool {
        (0..WINDOW_SECONDS).contains(&now.since(self.since))
    }
}

impl Default for Throttle {
    fn default() -> Self {
        let window = Duration::from_secs(WINDOW_SECONDS.unsigned_abs() + 1);
        let failures = Cache::builder().max_capacity(CAPACITY).time_to_live(window).build();
        Self { failures, last_failure: AtomicI64::new(i64::MIN) }
    }
}

impl Throttle {
    /// Seconds until `client` may try again from `address`, if it has to wait.
    pub fn wait(&self, client: &str, address: Option<IpAddr>, now: Timestamp) -> Option<i64> {
        if now.unix().saturating_sub(self.last_failure.load(Ordering::Acquire)) > WINDOW_SECONDS {
            return None;
        }
        let failures = self.failures.get(&pair(client, address))?;
        let failures = failures.lock();
        let left = WINDOW_SECONDS - now.since(failures.since);
        (failures.count >= ALLOWED && failures.still_count(now)).then_some(left)
    }

    /// Counts a wrong secret.
    pub fn failed(&self, client: &str, address: Option<IpAddr>, now: Timestamp) {
        let fresh = || Arc::new(Mutex::new(Failures { since: now, count: 0 }));
        let failures = self.failures.get_with(pair(client, address), fresh);
        let mut failures = failures.lock();
        if !failures.still_count(now) {
            *failures = Failures { since: now, count: 0 };
        }
        failures.count = failures.count.saturating_add(1);
        self.last_failure.fetch_max(now.unix(), Ordering::Release);
    }
}

fn pair(client: &str, address: Option<IpAddr>) -> Pair {
    // A real client id has 20 characters, so longer claims may share a count.
    let end = client.floor_char_boundary(64);
    (client[..end].into(), address.map(network))
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: Timestamp = Timestamp::from_unix(1_000);

    fn from(text: &str) -> Option<IpAddr> {
        Some(text.parse().unwrap())
    }

    #[test]
    fn ten_failures_hold_up_the_pair_and_nobody_else() {
        let throttle = Throttle::default();
        for _ in 0..ALLOWED {
            assert_eq!(throttle.wait("key_a", from("192.0.2.1"), START), None);
            throttle.failed("key_a", from("192.0.2.1"), START);
        }
        assert_eq!(throttle.wait("key_a", from("192.0.2.1"), START.plus(20)), Some(40));
        assert_eq!(throttle.wait("key_a", from("192.0.2.2"), START), None);
        assert_eq!(throttle.wait("key_b", from("192.0.2.1"), START), None);
        assert_eq!(throttle.wait("key_a", None, START), None);
        assert_eq!(throttle.wait("key_a", from("192.0.2.1"), START.plus(60)), None);
        throttle.failed("key_a", from("192.0.2.1"), START.plus(60));
        assert_eq!(throttle.wait("key_a", from("192.0.2.1"), START.plus(60)), None);
    }

    #[test]
    fn a_clock_that_is_set_back_makes_nobody_wait_longer() {
        let throttle = Throttle::default();
        for _ in 0..ALLOWED {
            throttle.failed("key_a", from("192.0.2.1"), START.plus(86_400));
        }
        assert_eq!(throttle.wait("key_a", from("192.0.2.1"), START), None);
        for _ in 0..ALLOWED {
            throttle.failed("key_a", from("192.0.2.1"), START);
        }
        assert_eq!(throttle.wait("key_a", from("192.0.2.1"), START), Some(60));
    }

    #[test]
    fn an_ipv6_network_is_one_address() {
        let throttle = Throttle::default();
        for host in 0..ALLOWED {
            throttle.failed("key_a", from(&format!("2001:db8::{host:x}")), START);
        }
        assert!(throttle.wait("key_a", from("2001:db8::ffff:1"), START).is_some());
        assert!(throttle.wait("key_a", from("2001:db8:0:1::1"), START).is_none());
    }
}
