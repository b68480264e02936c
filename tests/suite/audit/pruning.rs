//! How long things are kept: by setting, and no longer.

use claviger::base::clock::Clock;
use claviger::base::entropy::Entropy;
use claviger::node::Node;
use serde_json::json;

use super::{AUDIT, KEYS, acts, events_behind};
use crate::support::{Backend, Options, START, Server, on_both};

on_both!(
    events_are_kept_for_as_long_as_is_set,
    events_are_kept_for_ever_when_that_is_set,
    a_cursor_whose_event_was_pruned_is_at_the_end,
    answers_to_repeated_requests_are_kept_for_a_day,
    a_clock_that_jumps_ahead_deletes_nothing_and_is_believed_after_a_day,
    a_start_with_a_clock_that_is_ahead_deletes_nothing,
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

/// What is deleted for its age, and how many rows there are of it.
async fn counts(server: &Server) -> Vec<i64> {
    let mut counts = Vec::new();
    for table in [
        "audit_events",
        "changes",
        "withdrawals",
        "revoked_tokens",
        "repeatable_requests",
        "console_sessions",
        "key_usage",
        "project_usage",
        "key_totals",
    ] {
        counts.push(count(server, table).await);
    }
    counts
}

/// One row at least of each thing that is deleted for its age.
async fn with_something_of_everything(backend: Backend) -> Server {
    let server = Server::start(backend).await;
    let (id, key) = server.key(&["read:*"]).await;
    let once = server.admin().with("idempotency-key", "once");
    let body = json!({ "name": "x", "project": "default", "environment": "prd", "preset": "query_only" });
    once.post_json(KEYS, &body).await.done(201);
    let token = server.client().access_token(&key, "").await;
    server.admin().post_form("/oauth/revoke", &format!("token={token}")).await;
    server.admin().post_json(&format!("{KEYS}/{id}/revoke"), &json!({})).await.done(200);
    server.flush().await;
    server
        .database
        .execute(&format!(
            "INSERT INTO console_sessions (digest, id, key_id, secret_id, created_at, last_seen_at)
             VALUES ('x', 'ses_0000000000000000', '{id}', 'sec_0000000000000000', {0}, {0})",
            START.unix()
        ))
        .await;
    let counts = counts(&server).await;
    assert!(counts.iter().all(|count| *count > 0), "{counts:?}");
    server
}

/// Rounds of the schedule, an hour apart, for so long.
async fn pass(server: &Server, seconds: i64) {
    for _ in 0..seconds / 3_600 {
        server.advance(3_600).await;
        server.node.tidy_once().await;
    }
}

async fn a_clock_that_jumps_ahead_deletes_nothing_and_is_believed_after_a_day(backend: Backend) {
    let server = with_something_of_everything(backend).await;
    server.node.tidy_once().await;
    let before = counts(&server).await;
    server.clock.step(1_200 * DAY);
    server.node.catch_up().await.expect("the store answers");
    server.node.tidy_once().await;
    // A signing key is put in line by that clock, which is an event.
    let jumped = counts(&server).await;
    assert_eq!(jumped[2..], before[2..], "nothing is deleted by a clock that has jumped");
    assert_eq!(jumped[0], before[0] + 1);
    assert_eq!(server.client().get("/readyz").await.status, 200);
    // Corrected before anything was believed.
    server.clock.step(-1_200 * DAY);
    server.node.catch_up().await.expect("the store answers");
    server.node.tidy_once().await;
    assert_eq!(counts(&server).await, jumped);
    // What is old by steady time is deleted as ever, and all the rest once the clock has gone on for a day.
    server.clock.step(1_200 * DAY);
    server.node.catch_up().await.expect("the store answers");
    server.node.tidy_once().await;
    pass(&server, DAY - 3_600).await;
    assert_eq!(count(&server, "audit_events").await, jumped[0]);
    pass(&server, 2 * 3_600).await;
    assert_eq!(count(&server, "audit_events").await, 1);
}

async fn a_start_with_a_clock_that_is_ahead_deletes_nothing(backend: Backend) {
    let server = with_something_of_everything(backend).await;
    let before = counts(&server).await;
    // A node that has never run before, over a store whose last moment is the latest in its trail.
    let clock = Clock::manual(START.plus(402 * DAY));
    let (store, deployment) = (server.node.records.store.clone(), server.node.deployment.clone());
    let master_key = server.master_key();
    let node = Node::over(store, deployment, &master_key, clock.clone(), Entropy::system());
    let node = node.await.expect("a node");
    for _ in 0..3 {
        node.tidy_once().await;
        clock.advance(60);
    }
    let after = counts(&server).await;
    assert_eq!(after[2..], before[2..]);
    assert!(after[0] >= before[0] && after[1] >= before[1], "but for a signing key put in line");
}
