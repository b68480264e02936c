//! The whole trail in one answer.

use serde_json::{Value, json};

use super::{AUDIT, EVERYWHERE, KEYS, events_behind, page};
use crate::exports::{exported, lines, rows};
use crate::support::{Backend, Server, in_time, on_both};

on_both!(
    every_format_has_the_same_events,
    the_format_is_asked_for_in_either_way,
    a_cell_is_text_whatever_it_begins_with,
    thousands_of_events_are_streamed,
    an_export_that_fails_midway_looks_it,
    an_export_has_no_pages,
    no_export_has_a_secret_in_it,
);

const HEADER: [&str; 13] = [
    "id",
    "at",
    "actor",
    "address",
    "request_id",
    "action",
    "organization",
    "key",
    "subject",
    "before",
    "after",
    "actor_name",
    "operator_id",
];

/// How an event is written in a table. One `kid` in 64 begins with a hyphen, which a spreadsheet would
/// take for a formula.
fn row(event: &Value) -> Vec<String> {
    let cell = |column: &&str| match &event[*column] {
        Value::Null => String::new(),
        Value::String(text) if text.starts_with('-') => format!("'{text}"),
        Value::String(text) => text.clone(),
        json => json.to_string(),
    };
    HEADER.iter().map(cell).collect()
}

async fn every_format_has_the_same_events(backend: Backend) {
    let server = Server::start(backend).await;
    for name in ["a\u{2028}b", "say \"hi\", twice", "ключ 🔑", "=1+1"] {
        let (id, _) = server
            .key_from(json!({ "name": name, "note": "two\nlines\twith\ttabs", "preset": "query_only" }))
            .await;
        server.admin().post_json(&format!("{KEYS}/{id}/revoke"), &json!({ "reason": "'\";--" })).await;
    }
    for (path, query) in
        [(AUDIT, ""), (EVERYWHERE, ""), (AUDIT, "&action=key.revoke"), (AUDIT, "&actor=schedule")]
    {
        let listed = page(&server.admin(), &format!("{path}?limit=200{query}")).await["data"].clone();
        let listed = listed.as_array().unwrap();
        let json_lines = exported(&server.admin(), &format!("{path}?format=jsonl{query}")).await;
        assert_eq!(&lines(&json_lines.text), listed, "{path} {query}");
        let csv = exported(&server.admin(), &format!("{path}?format=csv{query}")).await;
        let expected: Vec<_> =
            [HEADER.map(str::to_owned).to_vec()].into_iter().chain(listed.iter().map(row)).collect();
        assert_eq!(rows(&csv.text), expected, "{path} {query}");
    }
}

async fn the_format_is_asked_for_in_either_way(backend: Backend) {
    let server = Server::start(backend).await;
    const JSON: &str = "application/json";
    const LINES: &str = "application/x-ndjson";
    const CSV: &str = "text/csv; charset=utf-8; header=present";
    for (query, accept, content_type) in [
        ("", None, JSON),
        ("?format=json", Some("text/csv"), JSON),
        ("?format=jsonl", None, LINES),
        ("?format=csv", Some("application/json"), CSV),
        ("", Some("application/x-ndjson"), LINES),
        ("", Some("text/csv"), CSV),
        ("", Some("text/html, */*;q=0.1"), JSON),
    ] {
        let client = match accept {
            Some(accept) => server.admin().with("accept", accept),
            None => server.admin(),
        };
        let answer = exported(&client, &format!("{AUDIT}{query}")).await;
        assert_eq!(answer.header("content-type"), content_type, "{query} {accept:?}");
        assert_eq!(answer.header("cache-control"), "no-store");
        assert!(!answer.header("x-request-id").is_empty());
    }
    // Excel takes UTF-8 for the system's old code page without a byte order mark.
    let plain = exported(&server.admin(), &format!("{AUDIT}?format=csv")).await;
    let marked = exported(&server.admin(), &format!("{AUDIT}?format=csv&bom=true")).await;
    assert_eq!(marked.header("content-type"), CSV);
    assert!(!plain.text.starts_with('\u{feff}') && marked.text.len() > plain.text.len());
    assert!(marked.text.starts_with("\u{feff}id,at,") && marked.text.matches('\u{feff}').count() == 1);
    for bad in ["bom=true", "format=jsonl&bom=true", "format=csv&bom=1"] {
        server.admin().get(&format!("{AUDIT}?{bad}")).await.refused(400, "invalid_request");
    }
}

async fn a_cell_is_text_whatever_it_begins_with(backend: Backend) {
    let server = Server::start(backend).await;
    let cells = [
        "=1+1", "+1", "-1", "@x", "\tx", "\rx", "\nx", "＝1+1", "＋1", "－1", "＠x", "'x", "x=1", "a,b",
        "\"q\"", "é",
    ];
    for (number, cell) in cells.iter().enumerate() {
        let cell = cell.replace('\'', "''");
        server
            .database
            .execute(&format!(
                "INSERT INTO audit_events (seq, at, actor, action, family, organization, subject, before)
                 VALUES ({}, 0, 'schedule', 'test.event', 'test', 'default', '{cell}', '-1')",
                1_000_000 - number,
            ))
            .await;
    }
    let csv = exported(&server.admin(), &format!("{AUDIT}?format=csv&action=test.event")).await.text;
    let written: Vec<_> = rows(&csv)[1..].iter().map(|row| (row[8].clone(), row[9].clone())).collect();
    let expected = cells.map(|cell| match cell {
        "=1+1" | "+1" | "-1" | "@x" | "\tx" | "\rx" | "\nx" | "＝1+1" | "＋1" | "－1" | "＠x" => {
            format!("'{cell}")
        }
        cell => cell.to_owned(),
    });
    assert_eq!(written, expected.map(|subject| (subject, "'-1".to_owned())));
    let json_lines = exported(&server.admin(), &format!("{AUDIT}?format=jsonl&action=test.event")).await.text;
    let subjects: Vec<_> = lines(&json_lines).iter().map(|event| event["subject"].clone()).collect();
    assert_eq!(subjects, cells.map(Value::from), "elsewhere they are as they are");
}

async fn thousands_of_events_are_streamed(backend: Backend) {
    let server = Server::start(backend).await;
    events_behind(&server, 5_000, "'{\"number\":' || n || '}'").await;
    let json_lines = exported(&server.admin(), &format!("{AUDIT}?format=jsonl")).await;
    let csv = exported(&server.admin(), &format!("{AUDIT}?format=csv")).await;
    for answer in [&json_lines, &csv] {
        assert_eq!(answer.header("transfer-encoding"), "chunked");
        assert_eq!(answer.header("content-length"), "");
    }
    let numbers: Vec<_> =
        lines(&json_lines.text).iter().map(|event| event["after"]["number"].as_i64().unwrap()).collect();
    assert_eq!(numbers, (1..=5_000).rev().collect::<Vec<_>>());
    let csv = rows(&csv.text);
    assert_eq!(csv.len(), 5_001, "with one header");
    assert_eq!((csv[1][8].as_str(), csv[5_000][8].as_str()), ("thing 5000", "thing 1"));
    let some = format!("{AUDIT}?format=jsonl&from=2026-01-01T00:10:00Z&to=2026-01-01T00:20:00Z");
    assert_eq!(lines(&exported(&server.admin(), &some).await.text).len(), 600);
}

async fn an_export_that_fails_midway_looks_it(backend: Backend) {
    let server = Server::start(backend).await;
    // Some 40 MB: more than any buffer between server and client holds.
    let long = "(WITH RECURSIVE long (n, x) AS (
                     SELECT 0, CAST('xxxxxxxx' AS TEXT) UNION ALL SELECT n + 1, x || x FROM long WHERE n < 10)
                 SELECT '\"' || MAX(x) || '\"' FROM long)";
    events_behind(&server, 5_000, long).await;
    for format in ["jsonl", "csv"] {
        let url = server.url(&format!("{AUDIT}?format={format}"));
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        let mut answer = http.get(&url).bearer_auth(&server.admin_key).send().await.unwrap();
        assert_eq!(answer.status(), 200);
        let mut read = answer.chunk().await.unwrap().expect("a beginning").len();
        server.database.execute("ALTER TABLE audit_events RENAME TO gone").await;
        let rest = async {
            loop {
                match answer.chunk().await {
                    Ok(Some(more)) => read += more.len(),
                    Ok(None) => return Ok(()),
                    Err(error) => return Err(error),
                }
            }
        };
        in_time("the end of a broken export", rest).await.expect_err("an answer that was cut off");
        assert!(read < 5_000 * 8_192, "{read} bytes are everything");
        server.database.execute("ALTER TABLE gone RENAME TO audit_events").await;
    }
    server.database.execute("ALTER TABLE audit_events RENAME TO gone").await;
    let refused = server.admin().get(&format!("{AUDIT}?format=csv")).await;
    assert_eq!((refused.status, refused.code().as_str()), (500, "internal"), "before anything is said");
}

async fn an_export_has_no_pages(backend: Backend) {
    let server = Server::start(backend).await;
    for _ in 0..2 {
        server.key(&["read:*"]).await;
    }
    let cursor =
        page(&server.admin(), &format!("{AUDIT}?limit=1")).await["next_cursor"].as_str().unwrap().to_owned();
    for format in ["jsonl", "csv"] {
        for more in ["limit=10".to_owned(), format!("cursor={cursor}")] {
            let refused = server.admin().get(&format!("{AUDIT}?format={format}&{more}")).await;
            assert_eq!(
                (refused.status, refused.code().as_str()),
                (400, "invalid_request"),
                "{format} {more}"
            );
        }
    }
}

async fn no_export_has_a_secret_in_it(backend: Backend) {
    let server = Server::start(backend).await;
    let (client, admin) = (server.client(), server.admin());
    let (id, key) = server.key(&["read:*"]).await;
    let rotated =
        admin.post_json(&format!("{KEYS}/{id}/rotate"), &json!({ "overlap_seconds": 60 })).await.json();
    let token = client.access_token(&key, "").await;
    client.post_form("/oauth/revoke", &format!("token={token}&client_secret={key}")).await;
    // A key where a scope should be.
    let misplaced = json!({ "name": "x", "project": "default", "environment": "prd",
                            "scopes": [{ "action": "read", "resource": format!("claviger/{key}") }] });
    let (_, maker) = server.key(&["write:claviger/orgs/default/projects/*/keys/*"]).await;
    assert_eq!(client.bearer(&maker).post_json(KEYS, &misplaced).await.status, 403);
    assert_eq!(client.bearer(&key).get(AUDIT).await.status, 403);
    admin.post_json(&format!("{KEYS}/{id}/revoke"), &json!({})).await;
    assert_eq!(client.token(&key, "").await.status, 401);
    admin.post_json("/v1/signing-keys/rotate", &json!({})).await;
    server.flush().await;
    let trail = exported(&admin, &format!("{EVERYWHERE}?format=jsonl")).await.text;
    let actions: Vec<_> = lines(&trail).iter().map(|event| event["action"].clone()).collect();
    for action in
        ["access.denied", "key.refused", "key.rotate", "key.revoke", "token.revoke", "signing_key.rotate"]
    {
        assert!(actions.contains(&action.into()), "{action} is not among {actions:?}");
    }
    for key in [key.as_str(), rotated["key"].as_str().unwrap(), &maker, &server.admin_key] {
        let secret = &key[key.len() - 49..key.len() - 6];
        assert!(!trail.contains(secret), "a secret in the trail");
    }
    for never in [token.as_str(), "argon2", "PRIVATE", "\"d\":"] {
        assert!(!trail.contains(never), "{never} in the trail");
    }
}
