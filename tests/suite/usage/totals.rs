//! The totals of keys by day and month: as long as they are kept, and as they come out of what was counted before.

use serde_json::json;

use super::{DAY, KEYS};
use crate::support::{Backend, START, Server, on_both};

on_both!(totals_are_kept_for_as_long_as_the_days_of_their_month, what_was_counted_before_is_summed_up);

async fn totals_are_kept_for_as_long_as_the_days_of_their_month(backend: Backend) {
    let server = Server::start(backend).await;
    let (_, key) = server.key(&["read:*"]).await;
    server.client().access_token(&key, "").await;
    server.flush().await;
    let used = async |span: &str| {
        let tokens = format!("SELECT COUNT(*) FROM key_totals WHERE span = '{span}' AND token = 1");
        server.database.number(&tokens).await
    };
    // It is January, whose last day is kept until the end of day 830.
    for (passed, day, month) in
        [(3 * DAY - 1, 1, 1), (3 * DAY, 0, 1), (831 * DAY - 1, 0, 1), (831 * DAY, 0, 0)]
    {
        server.advance(passed - server.clock.now().since(START)).await;
        server.node.tidy_once().await;
        assert_eq!((used("day").await, used("month").await), (day, month), "after {passed} s");
    }
}

async fn what_was_counted_before_is_summed_up(backend: Backend) {
    let server = Server::start(backend).await;
    let (busy, retired) = server.key(&["read:*"]).await;
    let overlap = json!({ "overlap_seconds": 0 });
    let rotated = server.admin().post_json(&format!("{KEYS}/{busy}/rotate"), &overlap).await.json();
    let busy = rotated["key"].as_str().unwrap();
    let (gone, used_once) = server.key(&["read:*"]).await;
    server.client().access_token(&used_once, "").await;
    // Across the end of each month of two years, one of them with a 29th of February.
    for _ in 0..130 {
        server.client().access_token(busy, "").await;
        assert_eq!(server.client().token(&retired, "").await.status, 401);
        server.advance(6 * DAY).await;
    }
    server.client().access_token(busy, "").await;
    assert_eq!(server.admin().delete(&format!("{KEYS}/{gone}")).await.status, 204);
    server.flush().await;
    let counted = totals(&server).await;
    server.database.execute("DROP TABLE key_totals").await;
    server.database.execute(include_str!("../../../migrations/0006_busiest_keys.sql")).await;
    server.database.execute(include_str!("../../../migrations/0014_refusals_are_no_use.sql")).await;
    assert!(counted.iter().filter(|row| row.starts_with("month")).count() > 24, "{counted:?}");
    let expected: Vec<_> = counted.into_iter().filter(|row| !row.contains(&gone)).collect();
    assert_eq!(totals(&server).await, expected, "but for the key that is deleted");
}

/// All months, and the last day.
async fn totals(server: &Server) -> Vec<String> {
    let row =
        "span || ' ' || start || ' ' || key_id || ' ' || organization || ' ' || total || ' ' || token || ' '
               || direct || ' ' || revoked || ' ' || expired || ' ' || address || ' ' || secret";
    let last = "SELECT MAX(start) FROM key_totals WHERE span = 'day'";
    let rows = format!("SELECT {row} FROM key_totals WHERE span = 'month' OR start = ({last}) ORDER BY 1");
    server.database.texts(&rows).await
}
