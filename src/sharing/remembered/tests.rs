use proptest::prelude::*;

use super::*;

/// Credential number `number` of an organization.
fn of(organization: &str, number: usize) -> Digest {
    digest_of(&format!("{organization} {number}"))
}

fn keep(remembered: &Remembered<usize>, organization: &str, number: usize) {
    remembered.keep(of(organization, number), organization, number);
}

fn held(remembered: &Remembered<usize>, organization: &str, numbers: std::ops::Range<usize>) -> usize {
    numbers.filter(|number| remembered.get(&of(organization, *number)) == Some(*number)).count()
}

fn entries(remembered: &Remembered<usize>) -> usize {
    remembered.shards.iter().map(|shard| shard.read().unwrap().len()).sum()
}

#[test]
fn one_organization_can_use_all_the_room_and_no_more() {
    let remembered = Remembered::new(100);
    (0..1_000).for_each(|number| keep(&remembered, "acme", number));
    assert_eq!((entries(&remembered), held(&remembered, "acme", 900..1_000)), (100, 100));
}

#[test]
fn an_organization_keeps_its_share_whatever_others_present() {
    let remembered = Remembered::new(100);
    // The others came first and have taken everything.
    (0..1_000).for_each(|number| keep(&remembered, "noisy", number));
    (0..50).for_each(|number| keep(&remembered, "quiet", number));
    (0..10_000).for_each(|number| keep(&remembered, "noisy", 1_000 + number));
    assert_eq!(held(&remembered, "quiet", 0..50), 50);
    assert_eq!(entries(&remembered), 100);
}

#[test]
fn nothing_is_remembered_without_room() {
    let remembered = Remembered::new(0);
    keep(&remembered, "acme", 1);
    assert_eq!((held(&remembered, "acme", 0..10), entries(&remembered)), (0, 0));
}

#[test]
fn a_second_answer_replaces_the_first_and_takes_no_more_room() {
    let remembered = Remembered::new(2);
    keep(&remembered, "acme", 1);
    for made in 0..10 {
        remembered.keep(of("acme", 0), "acme", made);
    }
    assert_eq!(remembered.get(&of("acme", 0)), Some(9));
    assert_eq!(remembered.get(&of("acme", 1)), Some(1));
    assert_eq!(remembered.rooms.lock().unwrap().total, 2);
}

#[derive(Clone, Debug)]
enum Step {
    Keep(usize, usize),
    Forget(usize, usize),
}

fn step() -> impl Strategy<Value = Step> {
    let which = (0..5_usize, 0..40_usize);
    prop_oneof![
        4 => which.clone().prop_map(|(organization, number)| Step::Keep(organization, number)),
        1 => which.prop_map(|(organization, number)| Step::Forget(organization, number)),
    ]
}

proptest! {
    #[test]
    fn whatever_is_inserted_and_invalidated_the_room_is_bounded_and_shared(
        most in 1..40_usize,
        steps in proptest::collection::vec(step(), 0..400),
    ) {
        let names = ["a", "b", "c", "d", "e"];
        let remembered = Remembered::new(most);
        for step in steps {
            let before = names.map(|name| held(&remembered, name, 0..40));
            let rooms = names.map(|name| remembered.rooms.lock().unwrap().of.get(name).map_or(0, VecDeque::len));
            match step {
                Step::Keep(organization, number) => {
                    keep(&remembered, names[organization], number);
                    prop_assert_eq!(remembered.get(&of(names[organization], number)), Some(number));
                    let after = names.map(|name| held(&remembered, name, 0..40));
                    for index in (0..names.len()).filter(|index| *index != organization) {
                        let has_lost = after[index] < before[index];
                        prop_assert!(!has_lost || rooms[index] > most / names.len(), "{} of {most}", names[index]);
                    }
                }
                Step::Forget(organization, number) => {
                    remembered.invalidate(&of(names[organization], number));
                    prop_assert_eq!(remembered.get(&of(names[organization], number)), None);
                }
            }
            let rooms = remembered.rooms.lock().unwrap();
            prop_assert!(entries(&remembered) <= rooms.total && rooms.total <= most);
            prop_assert_eq!(rooms.total, rooms.of.values().map(VecDeque::len).sum::<usize>());
            prop_assert_eq!(rooms.by_size.len(), rooms.of.len());
        }
    }
}
