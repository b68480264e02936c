//! How long things are kept: by setting, and no longer.

use serde_json::json;

use super::{AUDIT, KEYS, acts, events_behind};
use crate::support::{Backend, Options, START, Server, on_both};

on_both!(
    events_are_kept_for_as_long_as_is_set,
    events_are_kept_for_ever_when_that_is_set,
    a_cursor_whose_event_was_pruned_is_at_the_end,
    answers_to_repeated_requests_are_kept_for_a_day,
);

const DAY: i64 = 86_400;

async fn count(server: &Server, table: &str) -> i64 {
    server.database.number(&format!("SELECT COUNT(*) FROM {table}")).await
}

async fn keeping(backend: Backend, events_kept_seconds: Option<i64>) -> Server {
    Server::start_with(backend, Options { events_kept_seconds, ..Options::default() }).await
}

async fn events_are_kept_for_as_long_as_is_set(backend: Backend) {
    let server = keeping(backend, Some(30 * DAY)).await;
    // One a second from the first second on, and more than are forgotten at once.
    events_behind(&server, 3_500, "NULL").await;
    server.advance(30 * DAY).await;
    server.node.tidy_once().await;
    assert_eq!(count(&server, "audit_events").await, 3_501);
    server.advance(1_200).await;
    server.node.tidy_once().await;
    assert_eq!(count(&server, "audit_events").await, 2_301, "of 1200 seconds, with the bootstrap's own");
    let oldest = server.database.number("SELECT MIN(at) FROM audit_events").await;
    assert_eq!(oldest, START.plus(1_200).unix());
    server.advance(DAY).await;
    server.node.tidy_once().await;
    assert_eq!(count(&server, "audit_events").await, 0);
}

async fn events_are_kept_for_ever_when_that_is_set(backend: Backend) {
    let server = keeping(backend, None).await;
    server.advance(80 * DAY).await;
    server.node.tidy_once().await;
    server.advance(10_000 * DAY).await;
    server.node.tidy_once().await;
    assert_eq!(server.database.number("SELECT MIN(at) FROM audit_events").await, START.unix());
}

async fn a_cursor_whose_event_was_pruned_is_at_the_end(backend: Backend) {
    let server = keeping(backend, Some(30 * DAY)).await;
    events_behind(&server, 10, "NULL").await;
    let page = server.admin().get(&format!("{AUDIT}?limit=4")).await.json();
    let rest = format!("{AUDIT}?cursor={}", page["next_cursor"].as_str().unwrap());
    assert_eq!(acts(&server.admin(), &rest).await.len(), 6);
    server.advance(30 * DAY + 8).await;
    server.node.tidy_once().await;
    assert_eq!(
        acts(&server.admin(), AUDIT).await,
        ["test.event thing 10", "test.event thing 9", "test.event thing 8"]
    );
    assert_eq!(acts(&server.admin(), &rest).await, [""; 0]);
}

async fn answers_to_repeated_requests_are_kept_for_a_day(backend: Backend) {
    let server = Server::start(backend).await;
    let admin = server.admin().with("idempotency-key", "once");
    let body = json!({ "name": "x", "project": "default", "environment": "prd", "preset": "query_only" });
    let first = admin.post_json(KEYS, &body).await.json();
    for (seconds, kept) in [(0, 1), (DAY, 1), (1, 0)] {
        server.advance(seconds).await;
        server.node.tidy_once().await;
        assert_eq!(count(&server, "repeatable_requests").await, kept);
    }
    let anew = admin.post_json(KEYS, &body).await;
    assert_eq!(anew.status, 201);
    assert_ne!(anew.json()["id"], first["id"]);
}
