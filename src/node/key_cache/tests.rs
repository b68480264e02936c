use proptest::prelude::*;

use super::*;
use crate::base::clock::Timestamp;
use crate::domain::cidr::Cidrs;
use crate::domain::key::{ApiKey, Creator};
use crate::domain::scope::Scopes;

fn id(text: &str) -> KeyId {
    text.parse().unwrap()
}

fn own() -> KeyId {
    id("key_0123456789abcdef")
}

fn organization() -> OrganizationId {
    "acme".parse().unwrap()
}

fn project() -> ProjectId {
    "web".parse().unwrap()
}

fn key(generation: u64) -> StoredKey {
    let key = ApiKey {
        id: own(),
        organization: organization(),
        project: project(),
        environment: "prd".parse().unwrap(),
        brand: "clv".parse().unwrap(),
        name: String::new(),
        note: None,
        tags: Default::default(),
        owner: None,
        scopes: Scopes::parse_list("read:*").unwrap(),
        cidrs: Cidrs::everyone(),
        dpop: Default::default(),
        generation,
        created_at: Timestamp::from_unix(0),
        created_by: Creator::default(),
        expires_at: None,
        disabled_at: None,
        revoked: None,
        last_used_at: None,
        last_seen: None,
        secrets: Vec::new(),
        public_keys: Vec::new(),
        trust_rules: Vec::new(),
    };
    StoredKey { key, organization_audiences: None, project_audiences: None, trusted_issuers: Vec::new() }
}

fn cache() -> KeyCache {
    KeyCache::new(10, Vec::new())
}

fn generation_held(cache: &KeyCache) -> Option<u64> {
    cache.cached(&own()).map(|cached| cached.key.generation)
}

/// A change, and whether it affects the one key of these tests.
type Case = (&'static str, fn(&KeyCache), bool);

const CHANGES: [Case; 7] = [
    ("the key", |cache| cache.invalidate(&own()), true),
    ("another key", |cache| cache.invalidate(&id("key_fedcba9876543210")), false),
    ("its organization", |cache| cache.invalidate_organization(&organization()), true),
    ("another organization", |cache| cache.invalidate_organization(&"other".parse().unwrap()), false),
    ("its project", |cache| cache.invalidate_project(&organization(), &project()), true),
    (
        "another organization's project of that name",
        |cache| cache.invalidate_project(&"other".parse().unwrap(), &project()),
        false,
    ),
    ("everything", KeyCache::invalidate_all, true),
];

#[test]
fn a_change_invalidates_the_copies_that_depend_on_what_was_changed() {
    for (name, change, is_concerned) in CHANGES {
        let cache = cache();
        cache.keep(key(1), cache.fence.latest()).unwrap();
        change(&cache);
        assert_eq!(generation_held(&cache), (!is_concerned).then_some(1), "a change of {name}");
        cache.keep(key(2), cache.fence.latest()).unwrap();
        assert_eq!(generation_held(&cache), Some(2), "read after a change of {name}");
    }
}

#[test]
fn what_was_read_before_a_change_is_used_once_and_not_kept() {
    for (name, change, is_concerned) in CHANGES {
        let cache = cache();
        let before = cache.fence.latest();
        change(&cache);
        assert_eq!(cache.keep(key(1), before).unwrap().key.generation, 1, "whoever read it may use it");
        let cached = generation_held(&cache);
        // At worst, another subject in the same slot costs one more read.
        assert!(cached.is_none() || !is_concerned, "read before a change of {name}: {cached:?}");
    }
}

#[test]
fn what_was_read_before_a_change_is_not_used_in_the_place_of_what_was_read_after_it() {
    let cache = cache();
    let before = cache.fence.latest();
    cache.invalidate(&own());
    cache.keep(key(2), cache.fence.latest()).unwrap();
    cache.keep(key(1), before).unwrap();
    assert_ne!(generation_held(&cache), Some(1));
    cache.keep(key(2), cache.fence.latest()).unwrap();
    assert_eq!(generation_held(&cache), Some(2));
}

/// The state of the store: how often the key, its organization and its project were changed.
type State = [u64; 3];

/// The subject of a change: an index into [`State`], or everything.
const EVERYTHING: usize = 3;

/// A request that reads the key on a miss, step by step.
#[derive(Default)]
struct Reader {
    read_after: u64,
    seen: State,
    copy: Option<KeyCopy>,
}

const READER_STEPS: usize = 5;
const CHANGE_STEPS: usize = 3;

/// Readers and changes that take their steps in any order.
struct Model {
    cache: KeyCache,
    store: State,
    /// The least that every request must see from now on.
    acknowledged: State,
    readers: Vec<(usize, Reader)>,
    changes: Vec<(usize, Change)>,
}

/// A change, step by step.
struct Change {
    of: usize,
    /// The store's state for the subject once the change is committed.
    committed: State,
}

impl Model {
    fn new(readers: usize, changes: &[usize]) -> Self {
        Self {
            cache: cache(),
            store: State::default(),
            acknowledged: State::default(),
            readers: (0..readers).map(|_| (0, Reader::default())).collect(),
            changes: changes.iter().map(|of| (0, Change { of: *of, committed: State::default() })).collect(),
        }
    }

    /// Runs the next step of reader or change number `who`, if it has one left.
    fn step(&mut self, who: usize) {
        match who.checked_sub(self.readers.len()) {
            None => self.read(who),
            Some(change) => self.change(change),
        }
        self.check();
    }

    fn read(&mut self, who: usize) {
        let (step, reader) = &mut self.readers[who];
        match *step {
            0 => reader.read_after = self.cache.fence.latest(),
            1 => reader.seen = self.store,
            2 => {
                let mut stored = key(reader.seen[0]);
                stored.key.name = format!("{} {}", reader.seen[1], reader.seen[2]);
                reader.copy = Some(self.cache.copy(stored, reader.read_after).unwrap());
            }
            3 => reader.copy.iter().for_each(|copy| self.cache.insert(copy)),
            4 => reader.copy.iter().for_each(|copy| self.cache.confirm(copy)),
            _ => return,
        }
        *step += 1;
    }

    fn change(&mut self, which: usize) {
        let (step, Change { of, committed }) = &mut self.changes[which];
        let (organization, project) =
            (Tenant::organization(&organization()), Tenant::project(&organization(), &project()));
        match (*step, *of) {
            (0, of) => {
                for index in (0..EVERYTHING).filter(|index| of == *index || of == EVERYTHING) {
                    self.store[index] += 1;
                    committed[index] = self.store[index];
                }
            }
            (1, 0) => self.cache.fence.raise(&own()),
            (1, 1) => self.cache.fence.raise(&organization),
            (1, 2) => self.cache.fence.raise(&project),
            (1, _) => self.cache.fence.raise_for_everything(),
            (2, of) => {
                match of {
                    0 => self.cache.drop_copy(&own()),
                    1 => self.cache.leases.end(&organization),
                    2 => self.cache.leases.end(&project),
                    _ => self.cache.keys.invalidate_all(),
                }
                for (least, committed) in self.acknowledged.iter_mut().zip(committed) {
                    *least = (*least).max(*committed);
                }
            }
            _ => return,
        }
        *step += 1;
    }

    /// Checks that a request that came now would see everything that was acknowledged.
    fn check(&self) {
        let Some(cached) = self.cache.cached(&own()) else { return };
        let tenants = cached.key.name.split(' ').map(|count| count.parse().unwrap());
        let seen: Vec<u64> = std::iter::once(cached.key.generation).chain(tenants).collect();
        let is_current = seen.iter().zip(&self.acknowledged).all(|(seen, least)| seen >= least);
        assert!(is_current, "a copy of {seen:?} is used when {:?} is acknowledged", self.acknowledged);
    }
}

/// Covers all orders in which one reader and one change can take their steps.
#[test]
fn no_order_of_one_reader_and_one_change_leaves_an_outdated_copy() {
    let steps = READER_STEPS + CHANGE_STEPS;
    for of in 0..=EVERYTHING {
        for order in (0..1_u32 << steps).filter(|order| order.count_ones() as usize == CHANGE_STEPS) {
            let mut model = Model::new(1, &[of]);
            (0..steps).for_each(|at| model.step((order >> at & 1) as usize));
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn no_order_of_readers_and_changes_leaves_an_outdated_copy(
        changes in proptest::collection::vec(0..=EVERYTHING, 0..4),
        readers in 1..4_usize,
        order in proptest::collection::vec(any::<prop::sample::Index>(), 0..40),
    ) {
        let mut model = Model::new(readers, &changes);
        for who in order {
            model.step(who.index(readers + changes.len()));
        }
    }
}
