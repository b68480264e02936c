//! What a session on PostgreSQL must be, whatever the role, the database or a pooler makes of it.

use std::net::{Ipv4Addr, TcpListener};

use claviger::store::{OpenError, Store};
use serde_json::json;

use crate::support::{Backend, Database, Options, Pooler, Postgres, Server, on_both, on_postgres};

on_both!(text_has_one_order);

/// What only PostgreSQL has.
mod there {
    use super::*;

    on_postgres!(
        text_has_one_order_whatever_the_database_was_made_with,
        settings_of_the_role_change_nothing,
        a_pooler_that_lends_whole_sessions_works,
        a_pooler_that_lends_single_transactions_is_refused,
    );
}

const NAMES: [&str; 8] = ["a", "A", "B", "b_", "b", "ä", "z", "_"];

/// The keys' names in the order of the list.
async fn listed(server: &Server) -> Vec<String> {
    for name in NAMES {
        let members =
            json!({ "name": name, "project": "default", "environment": "prd", "preset": "query_only" });
        server.key_from(members).await;
    }
    server.database.texts("SELECT name FROM api_keys WHERE name_folded NOT LIKE 'admin%' ORDER BY name").await
}

async fn text_has_one_order(backend: Backend) {
    let server = Server::start(backend).await;
    let mut sorted = NAMES;
    sorted.sort_unstable();
    assert_eq!(listed(&server).await, sorted);
}

async fn text_has_one_order_whatever_the_database_was_made_with(_: Backend) {
    let postgres = Postgres::shared().expect("asked for before");
    let database = Database::on(postgres).await;
    let name = "ordered_otherwise";
    let made = format!("CREATE DATABASE {name} TEMPLATE template0 LOCALE_PROVIDER icu ICU_LOCALE 'en-US'");
    database.execute(&made).await;
    let database = Database { url: postgres.url(name), ..database };
    let server = Server::start_on(database, Options::default()).await;
    let mut sorted = NAMES;
    sorted.sort_unstable();
    assert_eq!(listed(&server).await, sorted);
    let others = "SELECT COUNT(*) FROM information_schema.columns WHERE table_schema = 'public'
        AND data_type = 'text' AND collation_name IS DISTINCT FROM 'C' AND table_name <> '_sqlx_migrations'";
    assert_eq!(server.database.number(others).await, 0);
}

async fn settings_of_the_role_change_nothing(backend: Backend) {
    let database = backend.fresh().await;
    let name = database.texts("SELECT current_database()::text").await.remove(0);
    for setting in [
        "standard_conforming_strings = off",
        "default_transaction_isolation = 'serializable'",
        "statement_timeout = '1s'",
        "synchronous_commit = off",
    ] {
        database.execute(&format!("ALTER DATABASE {name} SET {setting}")).await;
    }
    let server = Server::start_on(database, Options::default()).await;
    let (id, _) = server
        .key_from(
            json!({ "name": r"50%\_x", "project": "default", "environment": "prd", "preset": "query_only" }),
        )
        .await;
    for search in ["50%25", "%5C_", "_x"] {
        let found = server.admin().get(&format!("/v1/orgs/default/keys?q={search}")).await;
        assert_eq!(found.status, 200, "{}", found.text);
        assert!(found.text.contains(&id), "{search}: {}", found.text);
    }
}

#[tokio::test]
async fn a_database_that_refuses_connections_is_named_as_that() {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
    let port = listener.local_addr().expect("an address").port();
    drop(listener);
    let refused = Store::open(&format!("postgres://postgres@127.0.0.1:{port}/claviger")).await;
    let refused = refused.expect_err("nobody who listens").to_string();
    assert!(
        refused.starts_with(&format!("the database at 127.0.0.1:{port} refuses connections")),
        "{refused}"
    );
}

async fn a_pooler_that_lends_whole_sessions_works(backend: Backend) {
    let Some(pooler) = Pooler::start(&backend.fresh().await, "session").await else { return };
    let database = pooler.database();
    let server = Server::start_on(database, Options::default()).await;
    let second = server.second_node().await;
    let (key_id, key) = server.key(&["read:*"]).await;
    let path = format!("/v1/orgs/default/keys/{key_id}/revoke");
    assert_eq!(second.client().token(&key, "").await.status, 200);
    assert_eq!(server.admin().post_json(&path, &json!({})).await.status, 200);
    second.node.catch_up().await.expect("a store that answers");
    assert_eq!(second.client().token(&key, "").await.status, 401);
}

async fn a_pooler_that_lends_single_transactions_is_refused(backend: Backend) {
    let database = backend.fresh().await;
    for mode in ["transaction", "statement"] {
        let Some(pooler) = Pooler::start(&database, mode).await else { return };
        for _ in 0..3 {
            let refused = Store::open(&pooler.database().url).await.expect_err(mode);
            assert!(matches!(refused, OpenError::TransactionPooling), "{mode}: {refused}");
            assert!(refused.to_string().contains("set pool_mode = session"), "{refused}");
        }
    }
    let made = "SELECT COUNT(*) FROM pg_tables WHERE schemaname = 'public'";
    assert_eq!(database.number(made).await, 0, "nothing was written");
}
