//! A mutation happens whole or not at all, whichever of its writes fails, and when only its commit does.

use super::faults;
use super::mutation::{Mutation, Scenario};
use crate::support::{Backend, Server, on_both};

on_both!(a_mutation_that_fails_midway_leaves_nothing_behind);

/// Each mutation writes its change number, the change and the event, and whatever it is about.
const LEAST_WRITES: u32 = 4;

async fn a_mutation_that_fails_midway_leaves_nothing_behind(backend: Backend) {
    let server = Server::start(backend).await;
    let database = &server.database;
    let (_, key) = server.key(&["read:*"]).await;
    faults::prepare(database).await;
    for (at, mutation) in Mutation::all().iter().enumerate() {
        let scenario = Scenario::set(&server, &format!("org-{at}"), mutation).await;
        let before = faults::dump(database).await;
        faults::fail_commits(database).await;
        let mut failing = 0;
        loop {
            let answer = scenario.ask().await;
            if answer.status < 300 {
                break;
            }
            assert!(answer.status >= 500, "{mutation:?}, at write {failing}: {}", answer.text);
            assert!(!answer.text.contains("fault"), "{mutation:?}: {}", answer.text);
            assert_eq!(faults::dump(database).await, before, "{mutation:?}, at write {failing}");
            failing += 1;
            faults::fail_write(database, failing).await;
        }
        assert!(failing > LEAST_WRITES, "{mutation:?} went well at write {failing}");
        faults::none(database).await;
        server.client().token(&key, "").await.done(200);
    }
}
