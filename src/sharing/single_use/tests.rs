use super::*;

const NOW: i64 = 1_000_000;

fn memory() -> SingleUse {
    SingleUse::new(UseLimits { of_owner: 3, of_organization: 5 })
}

fn id<'a>(owner: &'a str, id: &'a str, until: i64) -> UsedId<'a> {
    UsedId { organization: "acme", owner, chosen_by: owner, id, until }
}

#[test]
fn an_id_is_accepted_once_for_each_owner() {
    let memory = memory();
    assert_eq!(memory.accept(id("a", "x", NOW + 60), NOW), Ok(()));
    assert_eq!(memory.accept(id("a", "x", NOW + 60), NOW), Err(UseRefused::Again));
    assert_eq!(memory.accept(id("b", "x", NOW + 60), NOW), Ok(()));
}

#[test]
fn a_used_id_in_a_document_with_another_end_is_refused() {
    let memory = memory();
    assert_eq!(memory.accept(id("a", "x", NOW + 60), NOW), Ok(()));
    assert_eq!(memory.accept(id("a", "x", NOW + 300), NOW + 1), Err(UseRefused::Again));
}

#[test]
fn an_id_is_remembered_until_its_end_and_not_much_longer() {
    let memory = memory();
    assert_eq!(memory.accept(id("a", "x", NOW + 60), NOW), Ok(()));
    assert_eq!(memory.accept(id("a", "x", NOW + 60), NOW + 59), Err(UseRefused::Again));
    assert_eq!(memory.accept(id("a", "x", NOW + 300), NOW + 60 + SPAN), Ok(()));
    assert_eq!(memory.len(), 1);
}

#[test]
fn a_full_owner_is_refused_alone_and_loses_nothing() {
    let memory = memory();
    for used in ["1", "2", "3"] {
        assert_eq!(memory.accept(id("a", used, NOW + 60), NOW), Ok(()));
    }
    assert_eq!(memory.accept(id("a", "4", NOW + 60), NOW), Err(UseRefused::Full));
    assert_eq!(memory.accept(id("a", "1", NOW + 60), NOW), Err(UseRefused::Again));
    assert_eq!(memory.accept(id("b", "1", NOW + 60), NOW), Ok(()));
    assert_eq!(memory.accept(id("a", "4", NOW + 200), NOW + 60 + SPAN), Ok(()));
}

#[test]
fn a_full_organization_is_refused_alone() {
    let memory = memory();
    for (owner, used) in [("a", "1"), ("a", "2"), ("b", "1"), ("b", "2"), ("c", "1")] {
        assert_eq!(memory.accept(id(owner, used, NOW + 60), NOW), Ok(()));
    }
    assert_eq!(memory.accept(id("c", "2", NOW + 60), NOW), Err(UseRefused::Full));
    let other = UsedId { organization: "globex", ..id("d", "1", NOW + 60) };
    assert_eq!(memory.accept(other, NOW), Ok(()));
}

#[test]
#[cfg(feature = "server")]
fn an_id_that_is_taken_back_can_be_used_again_and_takes_no_space() {
    let memory = memory();
    for _ in 0..10 {
        assert_eq!(memory.accept(id("a", "x", NOW + 60), NOW), Ok(()));
        memory.take_back(id("a", "x", NOW + 60));
    }
    assert_eq!(memory.len(), 0);
    memory.take_back(id("a", "x", NOW + 60));
    assert_eq!(memory.accept(id("a", "x", NOW + 60), NOW), Ok(()));
    assert_eq!(memory.len(), 1);
}
