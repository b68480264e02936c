use super::*;

const SHARES: Shares = Shares { turns: 2, of_organization: 1, waiting: 3, waiting_of_key: 2 };

fn of(organization: &str) -> Principal {
    Principal { organization: Some(organization.parse().unwrap()), key: None }
}

fn key(organization: &str, key: char) -> Principal {
    let id = format!("key_{}", String::from(key).repeat(16));
    Principal { key: Some(id.parse().unwrap()), ..of(organization) }
}

/// Who of those that wait has a turn now.
fn served(waiting: &mut Vec<(&'static str, oneshot::Receiver<Turn>)>) -> Vec<(&'static str, Turn)> {
    let mut served = Vec::new();
    waiting.retain_mut(|(name, turn)| match turn.try_recv() {
        Ok(turn) => {
            served.push((*name, turn));
            false
        }
        Err(_) => true,
    });
    served
}

#[test]
fn a_free_turn_goes_to_the_next_organization_in_rotation() {
    let queue = FairQueue::new(Shares { turns: 1, waiting: 9, waiting_of_key: 9, ..SHARES });
    let mut waiting: Vec<_> = ["noisy", "noisy", "noisy", "noisy", "quiet", "other"]
        .into_iter()
        .map(|name| (name, queue.enter(&of(name)).unwrap()))
        .collect();
    let mut order = Vec::new();
    while let Some((name, turn)) = served(&mut waiting).pop() {
        order.push(name);
        drop(turn);
    }
    assert_eq!(order, ["noisy", "noisy", "quiet", "other", "noisy", "noisy"]);
    assert!(queue.lock().lines.is_empty(), "nothing is kept of those who have gone");
}

#[test]
fn one_organization_leaves_turns_to_others() {
    let queue = FairQueue::new(SHARES);
    let first = queue.turn_now(&of("noisy")).unwrap();
    let mut second = queue.enter(&of("noisy")).unwrap();
    assert!(second.try_recv().is_err(), "it has one turn, and may have no more");
    let other = queue.turn_now(&of("quiet")).unwrap();
    drop(other);
    assert!(second.try_recv().is_err());
    drop(first);
    assert!(second.try_recv().is_ok());
}

#[test]
fn a_line_is_bounded_and_so_is_each_key_in_it() {
    let queue = FairQueue::new(SHARES);
    let turn = queue.turn_now(&key("noisy", 'a')).unwrap();
    let waiting: Vec<_> =
        ["a", "a", "b"].map(|name| queue.enter(&key("noisy", name.chars().next().unwrap())).unwrap()).into();
    assert_eq!(queue.enter(&key("noisy", 'a')).err(), Some(Crowded), "of one key");
    assert_eq!(queue.enter(&key("noisy", 'c')).err(), Some(Crowded), "of one organization");
    assert!(queue.turn_now(&of("quiet")).is_ok());
    drop(waiting);
    assert!(queue.enter(&key("noisy", 'a')).is_ok(), "those who went away left room");
    drop(turn);
}

#[test]
fn who_goes_away_keeps_nobody_waiting() {
    let queue = FairQueue::new(SHARES);
    let turn = queue.turn_now(&of("noisy")).unwrap();
    let (gone, mut stays) = (queue.enter(&of("noisy")).unwrap(), queue.enter(&of("noisy")).unwrap());
    drop(gone);
    drop(turn);
    let turn = stays.try_recv().unwrap();
    // Gone after the turn was handed out, and before it was taken.
    let gone = queue.enter(&of("noisy")).unwrap();
    drop(turn);
    drop(gone);
    assert!(queue.turn_now(&of("noisy")).is_ok());
    assert!(queue.lock().lines.is_empty());
}

#[tokio::test]
async fn a_turn_is_waited_for() {
    let queue = FairQueue::new(SHARES);
    let turn = queue.turn_now(&of("noisy")).unwrap();
    let waiting = tokio::spawn({
        let queue = queue.clone();
        async move { queue.turn(&of("noisy")).await.map(drop) }
    });
    drop(turn);
    assert_eq!(waiting.await.unwrap(), Ok(()));
}
