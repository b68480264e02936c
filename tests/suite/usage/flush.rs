//! Writing down what was counted: all of it, once, whatever comes in between.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use claviger::domain::api_key::KeyId;
use claviger::domain::key::ApiKey;
use claviger::domain::refusal_reason::RefusalReason;
use claviger::domain::scope::Scopes;
use claviger::domain::usage::UseKind;
use claviger::node::CachedKey;

use super::{KEYS, bucket, used};
use crate::support::{Backend, Server, on_both};

on_both!(
    #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
    a_flush_that_fails_loses_nothing_and_counts_nothing_twice,
    thousands_of_keys_are_written_in_turns,
    a_flush_gets_in_nobodys_way,
    nothing_is_lost_between_counting_and_flushing,
);

async fn a_flush_that_fails_loses_nothing_and_counts_nothing_twice(backend: Backend) {
    let server = Server::start(backend).await;
    let (id, key) = server.key(&["read:*"]).await;
    let (_, elsewhere) =
        server.key_from(serde_json::json!({ "preset": "query_only", "cidrs": ["192.0.2.1"] })).await;
    server.flush().await;
    let tables = [
        "key_usage",
        "project_usage",
        "key_totals",
        "key_last_use",
        "key_secrets",
        "audit_events",
        "changes",
        "sequences",
    ];
    for table in tables {
        server.client().access_token(&key, "").await;
        assert_eq!(server.client().token(&elsewhere, "").await.status, 401);
        server.database.execute(&format!("ALTER TABLE {table} RENAME TO gone")).await;
        let before = server.database.dump().await;
        let failed = server.node.usage.flush(&server.node.records.store, server.clock.now()).await;
        failed.expect_err("a table that it needs is not there");
        assert_eq!(server.database.dump().await, before, "without {table}");
        server.database.execute(&format!("ALTER TABLE gone RENAME TO {table}")).await;
        // The refusal is one of another hour the next time.
        server.advance(3_600).await;
    }
    server.flush().await;
    server.flush().await;
    let hours = used(&server.admin(), &format!("{KEYS}/{id}/usage?interval=hour")).await;
    let hour = |hour| bucket(&format!("2026-01-01T{hour:02}:00:00Z"), 1, 0, [0; 4]);
    assert_eq!(hours, (0..8).map(hour).collect::<Vec<_>>());
    let refusals = "SELECT COUNT(*) FROM audit_events WHERE action = 'key.refused'";
    assert_eq!(server.database.number(refusals).await, 8);
}

/// As many keys as asked for, that are in no store.
async fn held_keys(server: &Server, count: usize) -> Vec<Arc<CachedKey>> {
    let (id, _) = server.stored_key().await;
    let template = server.node.records.store.key(&id).await.unwrap().unwrap().key;
    let held = |_| {
        let key = ApiKey { id: KeyId::generate(&server.node.records.entropy).unwrap(), ..template.clone() };
        Arc::new(CachedKey {
            client_id: key.id.to_string(),
            key,
            audiences: Vec::new(),
            secrets: Vec::new(),
            public_keys: Vec::new(),
            trust_rules: Vec::new(),
            cidrs: Vec::new(),
            reserved: Scopes::default().into(),
            unreserved: Scopes::default().into(),
            used: Default::default(),
        })
    };
    (0..count).map(held).collect()
}

async fn thousands_of_keys_are_written_in_turns(backend: Backend) {
    // Neither a multiple of what is written at once, nor less.
    const KEYS: usize = 2_300;
    let server = Server::start(backend).await;
    let keys = held_keys(&server, KEYS).await;
    for key in &keys {
        server.node.usage.count(key, None, UseKind::Token, server.clock.now());
        server.node.usage.count(key, None, UseKind::Refused(RefusalReason::Address), server.clock.now());
    }
    assert_eq!(server.node.usage.flush(&server.node.records.store, server.clock.now()).await.unwrap(), KEYS);
    let database = &server.database;
    assert_eq!(database.number("SELECT COUNT(*) FROM key_usage WHERE count = 1").await, 4 * KEYS as i64);
    let totals =
        "SELECT COUNT(*) FROM key_totals WHERE total = 1 AND token = 1 AND address = 1 AND secret = 0";
    assert_eq!(database.number(totals).await, 2 * KEYS as i64, "by day and month");
    let of_project = "SELECT COUNT(*) FROM project_usage WHERE count = 2300";
    assert_eq!(database.number(of_project).await, 4, "two kinds, by hour and day");
}

async fn a_flush_gets_in_nobodys_way(backend: Backend) {
    let server = Server::start(backend).await;
    let keys = held_keys(&server, 1_500).await;
    let (used_id, _) = server.stored_key().await;
    let flushing = async {
        for _ in 0..5 {
            for key in &keys {
                server.node.usage.count(key, None, UseKind::Token, server.clock.now());
            }
            server.flush().await;
        }
    };
    let mutating = async {
        for round in 0..20 {
            let path = format!("{KEYS}/{used_id}");
            let patch = serde_json::json!({ "name": format!("round {round}") }).to_string();
            let admin = server.admin().with("content-type", "application/json");
            let changed = admin.send(reqwest::Method::PATCH, &path, Some(patch)).await;
            assert_eq!(changed.status, 200, "{}", changed.text);
        }
    };
    tokio::join!(flushing, mutating);
    assert_eq!(server.database.number("SELECT COUNT(*) FROM key_usage WHERE count = 5").await, 3_000);
}

async fn nothing_is_lost_between_counting_and_flushing(backend: Backend) {
    const COUNTERS: usize = 3;
    const TIMES: usize = 20_000;
    let server = Server::start(backend).await;
    let (keys, counting) = (held_keys(&server, 7).await, Arc::new(AtomicUsize::new(COUNTERS)));
    for counter in 0..COUNTERS {
        let (node, keys, counting) = (Arc::clone(&server.node), keys.clone(), Arc::clone(&counting));
        let begun = server.clock.now();
        tokio::task::spawn_blocking(move || {
            for time in 0..TIMES {
                // Each of them goes through three hours, and not in step with the others.
                let now = begun.plus(((time + counter * 1_000) * 3 / TIMES) as i64 * 3_600);
                node.usage.count(&keys[time % keys.len()], None, UseKind::Token, now);
            }
            counting.fetch_sub(1, Ordering::Release);
        });
    }
    while counting.load(Ordering::Acquire) > 0 {
        server.flush().await;
    }
    server.flush().await;
    for span in ["day", "month"] {
        let sum = format!(
            "SELECT CAST(SUM(total) AS BIGINT) FROM key_totals WHERE span = '{span}' AND token = total"
        );
        assert_eq!(server.database.number(&sum).await, (COUNTERS * TIMES) as i64, "{span}");
    }
    for table in ["key_usage", "project_usage"] {
        for span in [3_600, 86_400] {
            let sum = format!("SELECT CAST(SUM(count) AS BIGINT) FROM {table} WHERE span = {span}");
            assert_eq!(server.database.number(&sum).await, (COUNTERS * TIMES) as i64, "{table} {span}");
        }
    }
}
