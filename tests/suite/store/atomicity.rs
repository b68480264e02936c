//! A mutation happens whole or not at all, wherever in it a statement fails.

use super::mutation::{Mutation, Stage};
use crate::support::{Backend, on_both};

on_both!(a_mutation_that_fails_midway_leaves_nothing_behind);

async fn a_mutation_that_fails_midway_leaves_nothing_behind(backend: Backend) {
    for mutation in Mutation::ALL {
        let stage = Stage::set(backend).await;
        let database = &stage.server.database;
        for table in mutation.tables() {
            database.execute(&format!("ALTER TABLE {table} RENAME TO gone")).await;
            let before = database.dump().await;
            let failed = stage.ask(mutation).await;
            assert!(failed.status >= 500, "{mutation:?} without {table}: {}", failed.text);
            assert!(!failed.text.contains("gone") && !failed.text.contains(table), "{}", failed.text);
            assert_eq!(database.dump().await, before, "{mutation:?} without {table}");
            database.execute(&format!("ALTER TABLE gone RENAME TO {table}")).await;
            let still_works = stage.server.client().token(&stage.key, "").await;
            assert_eq!(still_works.status, 200, "{mutation:?} without {table}: {}", still_works.text);
        }
        let done = stage.ask(mutation).await;
        assert!(done.status < 300, "{mutation:?}, nothing being in the way: {}", done.text);
    }
}
