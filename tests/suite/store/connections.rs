//! Connections that went bad: none is used again, and writes go on as soon as the database lets them.

use claviger::domain::audit::{Actor, Who};
use claviger::store::{Store, Write, WriteFault};
use serde_json::json;
use tokio::task::JoinSet;

use crate::support::{Answer, Backend, Server, in_time, on_both, on_postgres, until};

on_both!(
    a_write_that_is_given_up_leaves_no_connection_in_a_transaction,
    a_write_that_is_canceled_leaves_no_connection_in_a_transaction,
    writes_that_do_well_are_reported_as_such,
);

/// What only PostgreSQL has.
mod there {
    use super::*;

    on_postgres!(
        a_store_that_was_read_only_takes_writes_as_soon_as_it_may,
        a_writer_that_stands_still_loses_its_turn,
        sessions_that_the_server_ended_are_replaced,
    );
}

async fn turn(store: &Store) -> Write {
    in_time("a turn", store.write(crate::support::START, &Actor::server(Who::Schedule)))
        .await
        .expect("a turn")
}

async fn new_key(server: &Server) -> Answer {
    let members = json!({ "name": "x", "project": "default", "environment": "prd", "preset": "query_only" });
    server.admin().post_json("/v1/orgs/default/keys", &members).await
}

/// More than there are connections.
const MANY: usize = 40;

async fn a_write_that_is_given_up_leaves_no_connection_in_a_transaction(backend: Backend) {
    let server = Server::start(backend).await;
    for _ in 0..MANY {
        drop(turn(&server.node.records.store).await);
    }
    for _ in 0..MANY {
        assert_eq!(new_key(&server).await.status, 201);
    }
}

async fn a_write_that_is_canceled_leaves_no_connection_in_a_transaction(backend: Backend) {
    let server = Server::start(backend).await;
    let held = turn(&server.node.records.store).await;
    let mut waiting = JoinSet::new();
    for _ in 0..4 {
        let store = server.node.records.store.clone();
        waiting.spawn(async move {
            store.write(crate::support::START, &Actor::server(Who::Schedule)).await.map(drop)
        });
    }
    // Each is canceled at another moment on its way to its turn.
    for _ in 0..4 {
        tokio::task::yield_now().await;
    }
    waiting.shutdown().await;
    drop(held);
    for _ in 0..MANY {
        assert_eq!(new_key(&server).await.status, 201);
    }
}

async fn writes_that_do_well_are_reported_as_such(backend: Backend) {
    let server = Server::start(backend).await;
    assert_eq!(new_key(&server).await.status, 201);
    server.node.records.store.check_writes(server.clock.now()).await;
    assert!(server.node.records.store.writes().failing().is_none());
}

async fn a_store_that_was_read_only_takes_writes_as_soon_as_it_may(backend: Backend) {
    let server = Server::start(backend).await;
    let (key_id, _) = server.key(&["read:*"]).await;
    let name = server.database.texts("SELECT current_database()::text").await.remove(0);
    let sessions = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
                    WHERE datname = current_database() AND pid <> pg_backend_pid()";
    server.database.execute(&format!("ALTER DATABASE {name} SET default_transaction_read_only = on")).await;
    server.database.execute(sessions).await;
    // As many as there are connections that come to be read-only.
    let mut asking = JoinSet::new();
    for _ in 0..MANY {
        let (admin, path) = (server.admin(), format!("/v1/orgs/default/keys/{key_id}"));
        asking.spawn(async move { admin.patch(&path, &json!({ "note": "x" })).await.status });
    }
    assert_eq!(in_time("answers", asking.join_all()).await, [503; MANY]);
    let failing = server.node.records.store.writes().failing().expect("writes that fail");
    assert_eq!(failing.reason, WriteFault::ReadOnly);

    let reset =
        format!("BEGIN READ WRITE; ALTER DATABASE {name} RESET default_transaction_read_only; COMMIT");
    server.database.execute(&reset).await;
    // Nobody has ended those sessions, which are read-only for good.
    for _ in 0..MANY {
        assert_eq!(new_key(&server).await.status, 201);
    }
    assert!(server.node.records.store.writes().failing().is_none());
}

async fn a_writer_that_stands_still_loses_its_turn(backend: Backend) {
    let server = Server::start(backend).await;
    let second = server.second_node().await;
    let (key_id, _) = server.key(&["read:*"]).await;
    // As of a node that was stopped, or whose host has vanished.
    let held = turn(&server.node.records.store).await;
    let begun = std::time::Instant::now();
    let path = format!("/v1/orgs/default/keys/{key_id}/revoke");
    let revoked = second.client().bearer(&server.admin_key).post_json(&path, &json!({})).await;
    println!("revoked at the other node after {:?}", begun.elapsed());
    assert_eq!(revoked.status, 200, "{}", revoked.text);
    held.commit().await.expect_err("a turn that was lost");
    for _ in 0..MANY {
        assert_eq!(new_key(&server).await.status, 201);
    }
}

async fn sessions_that_the_server_ended_are_replaced(backend: Backend) {
    let server = Server::start(backend).await;
    for _ in 0..MANY {
        let sessions = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
                        WHERE datname = current_database() AND pid <> pg_backend_pid()";
        server.database.execute(sessions).await;
        assert_eq!(new_key(&server).await.status, 201);
    }
    let admin = server.admin();
    until("reads go on", async || admin.get("/v1/orgs/default/keys").await.status == 200).await;
}
