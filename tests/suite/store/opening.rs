//! Opening a store: its schema, its settings, and who else has it open.

use claviger::store::{OpenError, Store};

use crate::support::{Backend, in_time, on_both};

on_both!(many_may_open_an_empty_store_at_once, a_newer_schema_is_refused, a_changed_migration_is_refused);

async fn many_may_open_an_empty_store_at_once(backend: Backend) {
    let migrations = std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/migrations")).unwrap().count();
    for _ in 0..5 {
        let database = backend.fresh().await;
        let mut opening = tokio::task::JoinSet::new();
        for _ in 0..8 {
            opening.spawn(open_in_turn(database.url.clone()));
        }
        let opened = in_time("eight at once", opening.join_all()).await;
        assert_eq!(opened, [0; 8], "the change that a new store stands at");
        let made = database.number("SELECT COUNT(*) FROM _sqlx_migrations").await;
        assert_eq!(usize::try_from(made), Ok(migrations));
    }
}

/// SQLite has one server at a time: the others are told so, and come again.
async fn open_in_turn(url: String) -> i64 {
    loop {
        match Store::open(&url).await {
            Ok(store) => {
                let last = store.last_change().await.expect("a schema");
                store.close().await;
                return last;
            }
            Err(OpenError::InUse(_)) if url.starts_with("sqlite") => tokio::task::yield_now().await,
            Err(error) => panic!("{error}"),
        }
    }
}

async fn a_newer_schema_is_refused(backend: Backend) {
    let database = backend.fresh().await;
    Store::open(&database.url).await.expect("a store").close().await;
    let newer = "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time)
                 SELECT 99, 'newer', success, checksum, execution_time FROM _sqlx_migrations WHERE version = 1";
    database.execute(newer).await;
    let refused = Store::open(&database.url).await.expect_err("a newer schema");
    assert!(matches!(refused, OpenError::NewerSchema(99)), "{refused}");
    assert!(refused.to_string().contains("version 99, which is newer than this binary knows"), "{refused}");
}

async fn a_changed_migration_is_refused(backend: Backend) {
    let database = backend.fresh().await;
    Store::open(&database.url).await.expect("a store").close().await;
    database.execute("UPDATE _sqlx_migrations SET checksum = substr(checksum, 2)").await;
    let refused = Store::open(&database.url).await.expect_err("a schema of another make");
    assert!(matches!(refused, OpenError::Migrate(_)), "{refused}");
}

#[tokio::test]
async fn sqlite_is_refused_where_it_would_lose_what_it_acknowledged() {
    for url in ["sqlite::memory:", "sqlite://file?mode=memory"] {
        let refused = Store::open(url).await.expect_err("no file");
        assert!(matches!(refused, OpenError::Unsafe { setting: "journal_mode", .. }), "{url}: {refused}");
    }
}
