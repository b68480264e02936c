use super::*;
use crate::base::entropy::Entropy;

const START: Timestamp = Timestamp::from_unix(1_000_000);

fn key() -> (CallerId, &'static str) {
    (CallerId::Key(KeyId::generate(&Entropy::system()).unwrap()), "key.refused")
}

fn organization(name: &str) -> Option<OrganizationId> {
    Some(name.parse().unwrap())
}

fn event(organization: Option<OrganizationId>) -> PastEvent {
    let event = AuditEvent {
        action: "key.refused",
        organization,
        key: None,
        subject: String::new(),
        before: None,
        after: None,
    };
    PastEvent { at: START, actor: Actor::server(Who::Schedule), event }
}

#[test]
fn the_same_refusal_is_recorded_once_an_hour() {
    let (mut log, acme, key) = (Log::default(), organization("acme"), key());
    assert!(log.is_news(&acme, &key, 1, START));
    assert!(!log.is_news(&acme, &key, 1, START));
    assert!(log.is_news(&acme, &key, 2, START), "for another reason, or from another network");
    assert!(log.is_news(&acme, &(key.0.clone(), "access.denied"), 1, START), "of another kind");
    assert!(!log.is_news(&acme, &key, 1, START.plus(QUIET_SECONDS - 1)));
    assert!(log.is_news(&acme, &key, 1, START.plus(QUIET_SECONDS)));
}

#[test]
fn the_refusals_of_one_organization_are_bounded() {
    let (mut log, noisy, quiet, first) =
        (Log::default(), organization("noisy"), organization("quiet"), key());
    for digest in 0..MOST_OF_A_CALLER as u64 {
        assert!(log.is_news(&noisy, &first, digest, START));
    }
    assert!(!log.is_news(&noisy, &first, 99, START), "of one key");
    for _ in 1..CALLERS.of_organization {
        assert!(log.is_news(&noisy, &key(), 1, START));
    }
    assert!(!log.is_news(&noisy, &key(), 1, START), "of all keys of the organization");
    assert!(log.is_news(&quiet, &key(), 1, START), "another organization has its own room");
    assert!(log.is_news(&noisy, &first, 99, START.plus(QUIET_SECONDS)));
    assert_eq!(log.of(noisy).noted[&first].len(), 1, "what is old makes room");
}

#[test]
fn the_organization_with_the_most_refusals_gives_way() {
    let mut log = Log::default();
    for at in 0..CALLERS.of_all {
        assert!(log.is_news(&organization(&format!("noisy-{}", at % 20)), &key(), 1, START));
    }
    let quiet = organization("quiet");
    assert!(log.is_news(&quiet, &key(), 1, START), "although all of the room is taken");
    let total: usize = log.organizations.values().map(|of| of.noted.len()).sum();
    assert_eq!(total, CALLERS.of_all);
}

#[test]
fn what_waits_is_bounded_and_what_is_old_is_dropped() {
    let refusals = RefusalLog::default();
    let (noisy, quiet) = (organization("noisy"), organization("quiet"));
    refusals.put_back(vec![event(noisy.clone()); WAITING.of_organization]);
    assert!(!refusals.log.lock().is_news(&noisy, &key(), 1, START), "until there is room");
    assert!(
        refusals.log.lock().is_news(&quiet, &key(), 1, START),
        "another organization's do not wait for that"
    );
    assert_eq!(refusals.take(START).len(), WAITING.of_organization);
    assert!(refusals.log.lock().is_news(&noisy, &key(), 1, START));
    assert_eq!(refusals.take(START.plus(QUIET_SECONDS - 1)).len(), 0);
    assert_eq!(refusals.log.lock().organizations.len(), 2);
    refusals.take(START.plus(QUIET_SECONDS));
    assert!(refusals.log.lock().organizations.is_empty());
}

#[test]
fn events_that_wait_give_way_to_those_of_an_organization_with_fewer() {
    let refusals = RefusalLog::default();
    for at in 0..WAITING.of_all / WAITING.of_organization {
        refusals.put_back(vec![event(organization(&format!("noisy-{at}"))); WAITING.of_organization]);
    }
    assert!(refusals.log.lock().is_news(&organization("quiet"), &key(), 1, START));
    refusals.put_back(vec![event(organization("quiet"))]);
    let written = refusals.take(START);
    assert_eq!(written.len(), WAITING.of_all);
    assert!(written.iter().any(|event| event.event.organization == organization("quiet")));
}

#[test]
fn refusals_that_are_dropped_for_lack_of_space_are_counted() {
    let refusals = RefusalLog::default();
    let noisy = organization("noisy");
    refusals.put_back((0..WAITING.of_organization).map(|_| event(noisy.clone())).collect());
    assert!(!refusals.log.lock().is_news(&noisy, &key(), 1, START));
    assert_eq!(refusals.dropped(), 1);
    refusals.put_back((WAITING.of_organization..WAITING.of_all).map(|_| event(noisy.clone())).collect());
    assert!(
        refusals.log.lock().is_news(&organization("quiet"), &key(), 1, START),
        "in the place of a noisy one"
    );
    assert_eq!(refusals.dropped(), 2);
}
