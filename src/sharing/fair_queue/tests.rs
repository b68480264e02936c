use super::*;

const QUOTA: Quota = Quota { permits: 2, per_organization: 1, waiting: 3, waiting_per_caller: 2 };

fn of(organization: &str) -> Principal {
    Principal { organization: Some(organization.parse().unwrap()), caller: None }
}

fn key(organization: &str, key: char) -> Principal {
    let id = format!("key_{}", String::from(key).repeat(16));
    Principal { caller: Some(CallerId::Key(id.parse().unwrap())), ..of(organization) }
}

/// The waiters that have received a permit.
fn served(waiting: &mut Vec<(&'static str, oneshot::Receiver<Permit>)>) -> Vec<(&'static str, Permit)> {
    let mut served = Vec::new();
    waiting.retain_mut(|(name, permit)| match permit.try_recv() {
        Ok(permit) => {
            served.push((*name, permit));
            false
        }
        Err(_) => true,
    });
    served
}

#[test]
fn a_free_turn_goes_to_the_next_organization_in_rotation() {
    let queue = FairQueue::new(Quota { permits: 1, waiting: 9, waiting_per_caller: 9, ..QUOTA });
    let mut waiting: Vec<_> = ["noisy", "noisy", "noisy", "noisy", "quiet", "other"]
        .into_iter()
        .map(|name| (name, queue.enter(&of(name)).unwrap()))
        .collect();
    let mut order = Vec::new();
    while let Some((name, permit)) = served(&mut waiting).pop() {
        order.push(name);
        drop(permit);
    }
    assert_eq!(order, ["noisy", "noisy", "quiet", "other", "noisy", "noisy"]);
    assert!(queue.state.lock().queues.is_empty(), "nothing is kept of those who have gone");
}

#[test]
fn one_organization_leaves_turns_to_others() {
    let queue = FairQueue::new(QUOTA);
    let first = queue.try_acquire(&of("noisy")).unwrap();
    let mut second = queue.enter(&of("noisy")).unwrap();
    assert!(second.try_recv().is_err(), "it has one permit, and may have no more");
    let other = queue.try_acquire(&of("quiet")).unwrap();
    drop(other);
    assert!(second.try_recv().is_err());
    drop(first);
    assert!(second.try_recv().is_ok());
}

#[test]
fn the_waiters_of_an_organization_and_of_each_key_are_bounded() {
    let queue = FairQueue::new(QUOTA);
    let permit = queue.try_acquire(&key("noisy", 'a')).unwrap();
    let waiting: Vec<_> =
        ["a", "a", "b"].map(|name| queue.enter(&key("noisy", name.chars().next().unwrap())).unwrap()).into();
    assert_eq!(queue.enter(&key("noisy", 'a')).err(), Some(QueueFull), "of one key");
    assert_eq!(queue.enter(&key("noisy", 'c')).err(), Some(QueueFull), "of one organization");
    assert!(queue.try_acquire(&of("quiet")).is_ok());
    drop(waiting);
    assert!(queue.enter(&key("noisy", 'a')).is_ok(), "those who went away left room");
    drop(permit);
}

#[test]
fn a_waiter_that_leaves_passes_its_permit_on() {
    let queue = FairQueue::new(QUOTA);
    let permit = queue.try_acquire(&of("noisy")).unwrap();
    let (gone, mut stays) = (queue.enter(&of("noisy")).unwrap(), queue.enter(&of("noisy")).unwrap());
    drop(gone);
    drop(permit);
    let permit = stays.try_recv().unwrap();
    // This waiter leaves after it is given a permit and before it receives it.
    let gone = queue.enter(&of("noisy")).unwrap();
    drop(permit);
    drop(gone);
    assert!(queue.try_acquire(&of("noisy")).is_ok());
    assert!(queue.state.lock().queues.is_empty());
}

#[tokio::test]
async fn a_waiter_gets_the_permit_that_is_returned() {
    let queue = FairQueue::new(QUOTA);
    let permit = queue.try_acquire(&of("noisy")).unwrap();
    let waiting = tokio::spawn({
        let queue = queue.clone();
        async move { queue.acquire(&of("noisy")).await.map(drop) }
    });
    drop(permit);
    assert_eq!(waiting.await.unwrap(), Ok(()));
}

#[test]
fn the_load_counts_those_who_have_left_no_more() {
    let queue = FairQueue::new(QUOTA);
    let load = |taken, waiting, refused| QueueLoad { taken, permits: Some(2), waiting, refused };
    assert_eq!(queue.load(), load(0, 0, 0));
    let permit = queue.try_acquire(&of("noisy")).unwrap();
    let waiting = queue.enter(&of("noisy")).unwrap();
    assert_eq!(queue.load(), load(1, 1, 0));
    assert!(queue.try_acquire(&of("noisy")).is_err());
    assert_eq!(queue.load(), load(1, 1, 1));
    drop(waiting);
    assert_eq!(queue.load(), load(1, 0, 1));
    drop(permit);
    assert_eq!(queue.load(), load(0, 0, 1));
    let unlimited =
        FairQueue::new(Quota { permits: usize::MAX, per_organization: 1, waiting: 0, waiting_per_caller: 0 });
    assert_eq!(unlimited.load().permits, None);
}
