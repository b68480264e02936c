use proptest::prelude::*;

use super::*;

const FOREVER: Life = Life { now: 0, until: i64::MAX };

fn of(organization: &str, number: usize) -> Digest {
    digest_of(&format!("{organization} {number}"))
}

fn insert(cache: &FairCache<usize>, organization: &str, number: usize) {
    cache.insert(of(organization, number), organization, number, FOREVER);
}

fn held(cache: &FairCache<usize>, organization: &str, numbers: std::ops::Range<usize>) -> usize {
    numbers.filter(|number| cache.get(&of(organization, *number)) == Some(*number)).count()
}

fn entries(cache: &FairCache<usize>) -> usize {
    cache.shards.iter().map(|shard| shard.read().len()).sum()
}

#[test]
fn one_organization_can_use_all_the_room_and_no_more() {
    let cache = FairCache::new(100);
    (0..1_000).for_each(|number| insert(&cache, "acme", number));
    assert_eq!((entries(&cache), held(&cache, "acme", 900..1_000)), (100, 100));
}

#[test]
fn an_organization_keeps_its_share_whatever_others_present() {
    let cache = FairCache::new(100);
    // The noisy organization fills the cache first.
    (0..1_000).for_each(|number| insert(&cache, "noisy", number));
    (0..50).for_each(|number| insert(&cache, "quiet", number));
    (0..10_000).for_each(|number| insert(&cache, "noisy", 1_000 + number));
    assert_eq!(held(&cache, "quiet", 0..50), 50);
    assert_eq!(entries(&cache), 100);
}

#[test]
fn nothing_is_remembered_without_room() {
    let cache = FairCache::new(0);
    insert(&cache, "acme", 1);
    assert_eq!((held(&cache, "acme", 0..10), entries(&cache)), (0, 0));
}

#[test]
fn a_second_answer_replaces_the_first_and_takes_no_more_room() {
    let cache = FairCache::new(2);
    insert(&cache, "acme", 1);
    for made in 0..10 {
        cache.insert(of("acme", 0), "acme", made, FOREVER);
    }
    assert_eq!(cache.get(&of("acme", 0)), Some(9));
    assert_eq!(cache.get(&of("acme", 1)), Some(1));
    assert_eq!(cache.shares.lock().total, 2);
}

#[test]
fn entries_whose_time_is_over_make_room_and_renewed_ones_stay() {
    let cache = FairCache::new(1_000);
    for number in 0..100 {
        cache.insert(of("acme", number), "acme", number, Life { now: 0, until: 10 });
    }
    cache.insert(of("acme", 7), "acme", 7, Life { now: 5, until: 1_000 });
    // Insertions of another organization remove them, too.
    for number in 0..60 {
        cache.insert(of("other", number), "other", number, Life { now: 10, until: 20 });
    }
    assert_eq!((held(&cache, "acme", 0..100), cache.get(&of("acme", 7))), (1, Some(7)));
    assert_eq!((held(&cache, "other", 0..60), cache.shares.lock().total), (60, 61));
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
        capacity in 1..40_usize,
        steps in proptest::collection::vec(step(), 0..400),
    ) {
        let names = ["a", "b", "c", "d", "e"];
        let cache = FairCache::new(capacity);
        for step in steps {
            let before = names.map(|name| held(&cache, name, 0..40));
            let shares = names.map(|name| cache.shares.lock().of.get(name).map_or(0, VecDeque::len));
            match step {
                Step::Keep(organization, number) => {
                    insert(&cache, names[organization], number);
                    prop_assert_eq!(cache.get(&of(names[organization], number)), Some(number));
                    let after = names.map(|name| held(&cache, name, 0..40));
                    for index in (0..names.len()).filter(|index| *index != organization) {
                        let has_lost = after[index] < before[index];
                        prop_assert!(!has_lost || shares[index] > capacity / names.len(), "{} of {capacity}", names[index]);
                    }
                }
                Step::Forget(organization, number) => {
                    cache.invalidate(&of(names[organization], number));
                    prop_assert_eq!(cache.get(&of(names[organization], number)), None);
                }
            }
            let shares = cache.shares.lock();
            prop_assert!(entries(&cache) <= shares.total && shares.total <= capacity);
            prop_assert_eq!(shares.total, shares.of.values().map(VecDeque::len).sum::<usize>());
            prop_assert_eq!(shares.by_size.len(), shares.of.len());
            prop_assert_eq!(shares.by_end.len(), shares.of.len());
        }
    }
}
