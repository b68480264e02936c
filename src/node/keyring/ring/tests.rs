//! Tests of a ring's rules, by example and for random rings and moments.

use std::sync::OnceLock;

use proptest::collection::vec;
use proptest::prelude::*;

use super::*;
use crate::jose::jwk::{Algorithm, Pkcs8};

fn key(activates_at: i64, withdrawn_at: Option<i64>) -> RingKey {
    let (key, _) = SigningKey::generate(Algorithm::EdDsa).unwrap();
    RingKey::new(key, at(0), at(activates_at), withdrawn_at.map(at))
}

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_unix(seconds)
}

fn statuses(ring: &Ring, now: i64) -> Vec<&'static str> {
    ring.keys().iter().map(|key| key.status(at(now)).as_str()).collect()
}

fn signing(ring: &Ring, now: i64) -> Option<usize> {
    let signing = ring.signing(at(now))?.kid();
    ring.keys().iter().position(|key| key.kid() == signing)
}

fn verifies(ring: &Ring, index: usize, now: i64) -> bool {
    ring.verifying(ring.keys()[index].kid(), at(now)).is_some()
}

#[test]
fn the_status_follows_from_activation_and_withdrawal() {
    let ring = Ring::new(vec![key(1_000, None), key(0, None)]);
    assert_eq!(statuses(&ring, 999), ["active", "next"]);
    assert_eq!(statuses(&ring, 1_000), ["retiring", "active"]);
    assert_eq!(statuses(&ring, 1_000 + AFTERLIFE_SECONDS - 1), ["retiring", "active"]);
    assert_eq!(statuses(&ring, 1_000 + AFTERLIFE_SECONDS), ["retired", "active"]);
    assert_eq!(ring.published(at(999)).count(), 2);
    assert_eq!(ring.published(at(5_000)).count(), 1);
}

#[test]
fn a_next_key_verifies_within_the_skew_and_a_withdrawn_one_never() {
    let ring = Ring::new(vec![key(0, Some(500)), key(500, None), key(1_000, None)]);
    assert_eq!(statuses(&ring, 600), ["withdrawn", "active", "next"]);
    assert_eq!([0, 1, 2].map(|index| verifies(&ring, index, 600)), [false, true, false]);
    assert_eq!(signing(&ring, 600), Some(1));
    let skew = NODE_SKEW_SECONDS;
    assert!(!verifies(&ring, 2, 1_000 - skew - 1), "no clock that keeps the promise has it active");
    assert!(verifies(&ring, 2, 1_000 - skew), "a node that is ahead signs with it");
    assert_eq!(signing(&ring, 1_000 - skew), Some(1), "and this one does not yet");
}

#[test]
fn the_earliest_next_key_signs_when_none_is_active_yet() {
    // A bootstrap by a clock that was a year ahead, followed by a rotation.
    let ring = Ring::new(vec![key(1_000, None), key(2_000, None)]);
    assert_eq!((signing(&ring, 10), verifies(&ring, 0, 10), verifies(&ring, 1, 10)), (Some(0), true, false));
    // Another node has just replaced the active key, by a clock that is ahead of this one.
    let ring = Ring::new(vec![key(0, None), key(500, Some(1_000)), key(1_000, None)]);
    assert_eq!(statuses(&ring, 996), ["retiring", "withdrawn", "next"]);
    assert_eq!((signing(&ring, 996), verifies(&ring, 2, 996)), (Some(2), true));
}

#[test]
fn withdrawing_a_next_key_leaves_the_active_one_alone() {
    let ring = Ring::new(vec![key(0, None), key(1_000, Some(999))]);
    for now in [999, 1_000, 5_000] {
        assert_eq!((statuses(&ring, now)[0], signing(&ring, now)), ("active", Some(0)), "{now}");
    }
}

#[test]
fn a_superseded_key_stays_so_when_its_successor_is_withdrawn() {
    let ring = Ring::new(vec![key(0, None), key(1_000, Some(10_000)), key(10_000, None)]);
    assert_eq!(statuses(&ring, 10_000), ["retired", "withdrawn", "active"]);
    assert!(!verifies(&ring, 0, 10_000));
    assert_eq!(ring.keys()[0].superseded_at, Some(at(1_000)));
    // No key signs, rather than one that is over.
    let ring = Ring::new(vec![key(0, None), key(1_000, Some(10_000))]);
    assert_eq!((statuses(&ring, 10_000), signing(&ring, 10_000)), (vec!["retired", "withdrawn"], None));
}

/// One of a few fixed keys, with random dates.
fn dated(index: usize, activates_at: i64, withdrawn_at: Option<i64>) -> RingKey {
    static KEYS: OnceLock<Vec<Pkcs8>> = OnceLock::new();
    let pkcs8 = &KEYS
        .get_or_init(|| (0..6).map(|_| SigningKey::generate(Algorithm::EdDsa).unwrap().1).collect())[index];
    let key = SigningKey::from_pkcs8(Algorithm::EdDsa, pkcs8.as_bytes()).unwrap();
    // The order of creation decides between keys that activate in the same second.
    let created_at = at(index.try_into().unwrap());
    RingKey::new(key, created_at, at(activates_at), withdrawn_at.map(at))
}

type Dates = Vec<(i64, Option<i64>)>;

fn ring(dates: &Dates) -> Ring {
    let keys = dates.iter().enumerate();
    Ring::new(keys.map(|(index, (activates, withdrawn))| dated(index, *activates, *withdrawn)).collect())
}

fn dates() -> impl Strategy<Value = Dates> {
    vec((moment(), proptest::option::of(moment())), 1..6)
}

/// Often one of a few values, so that events coincide in the same second.
fn moment() -> impl Strategy<Value = i64> {
    prop_oneof![0..8_i64, 0..4_000_i64]
}

/// The dates after the withdrawal of the key `kid` at `now`, as `Rotation` does it.
fn withdrawn(dates: &Dates, kid: &str, now: i64) -> Dates {
    let before = ring(dates);
    let mut after: Dates = (0..dates.len())
        .map(|index| {
            let is_it = dated(index, 0, None).kid() == kid;
            (dates[index].0, if is_it { Some(now) } else { dates[index].1 })
        })
        .collect();
    if before.signs(kid, at(now)) {
        after.push((now, None));
    }
    after
}

proptest! {
    #[test]
    fn there_is_a_signer_as_long_as_a_key_is_neither_withdrawn_nor_superseded(dates in dates(), now in moment()) {
        let ring = ring(&dates);
        let is_left = |key: &&RingKey| {
            key.withdrawn_at.is_none() && key.superseded_at.is_none_or(|end| end > at(now) && end > key.activates_at)
        };
        prop_assert_eq!(ring.signing(at(now)).is_some(), ring.keys().iter().any(|key| is_left(&key)));
        if let Some(signing) = ring.signing(at(now)) {
            prop_assert!(matches!(signing.status(at(now)), SigningKeyStatus::Active | SigningKeyStatus::Next));
            prop_assert!(ring.verifying(signing.kid(), at(now)).is_some(), "what it signs is accepted");
            prop_assert!(ring.published(at(now)).any(|key| key.kid() == signing.kid()), "and published");
        }
    }

    #[test]
    fn nodes_accept_what_another_one_within_the_skew_signs(
        dates in dates(), now in moment(), apart in -NODE_SKEW_SECONDS..=NODE_SKEW_SECONDS,
    ) {
        let ring = ring(&dates);
        if let Some(signing) = ring.signing(at(now + apart)) {
            prop_assert!(ring.verifying(signing.kid(), at(now)).is_some());
        }
    }

    #[test]
    fn a_retired_or_withdrawn_key_is_never_published_again(
        dates in dates(), now in moment(), later in 0..4_000_i64, which in 0..6_usize,
    ) {
        let before = ring(&dates);
        // No withdrawal is later than now.
        prop_assume!(dates.iter().all(|(_, end)| end.is_none_or(|end| end <= now)));
        let key = &before.keys()[which % dates.len()];
        prop_assume!(key.withdrawn_at.is_none());
        let after = ring(&withdrawn(&dates, key.kid(), now));
        for (moment, past) in before.keys().iter().flat_map(|key| [(now, key), (now + later, key)]) {
            let status = after.key(past.kid()).unwrap().status(at(moment));
            if matches!(past.status(at(now)), SigningKeyStatus::Retired | SigningKeyStatus::Withdrawn) {
                prop_assert!(!status.is_published(), "{status:?} again");
            }
            if past.status(at(now)) == SigningKeyStatus::Retiring {
                prop_assert!(!matches!(status, SigningKeyStatus::Active | SigningKeyStatus::Next), "{status:?} again");
            }
        }
    }

    #[test]
    fn withdrawing_any_key_but_the_signing_one_changes_nothing_about_who_signs(
        dates in dates(), now in moment(), which in 0..6_usize,
    ) {
        prop_assume!(dates.iter().all(|(_, end)| end.is_none_or(|end| end <= now)));
        let before = ring(&dates);
        let key = &before.keys()[which % dates.len()];
        prop_assume!(key.withdrawn_at.is_none());
        let after = ring(&withdrawn(&dates, key.kid(), now));
        let signing = before.signing(at(now)).map(RingKey::kid);
        if signing == Some(key.kid()) {
            prop_assert!(after.signing(at(now)).is_some_and(|new| before.key(new.kid()).is_none()));
        } else {
            prop_assert_eq!(after.signing(at(now)).map(RingKey::kid), signing);
        }
    }
}
