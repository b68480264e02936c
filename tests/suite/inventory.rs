//! All keys of an organization in one answer.

use std::collections::BTreeSet;

use claviger::sharing::fair_queue::QueueLoad;
use serde_json::{Value, json};

use crate::exports::{exported, lines, rows};
use crate::support::{Backend, Client, Server, in_time, on_both, until};

on_both!(
    every_format_has_the_same_keys,
    it_has_what_is_asked_for_and_may_be_read,
    thousands_of_keys_are_each_in_it_once_in_every_order,
    whoever_reads_slowly_or_goes_away_holds_up_nobody,
    an_inventory_that_fails_midway_looks_it,
    no_inventory_has_a_secret_in_it,
);

const KEYS: &str = "/v1/orgs/default/keys";

/// The exports that one organization may have at once.
const AT_ONCE: usize = 4;

const HEADER: [&str; 23] = [
    "id",
    "name",
    "organization",
    "project",
    "environment",
    "status",
    "prefix",
    "scopes",
    "cidrs",
    "dpop",
    "tags",
    "owner",
    "note",
    "created_at",
    "created_by",
    "created_by_name",
    "expires_at",
    "disabled_at",
    "revoked_at",
    "revoked_reason",
    "last_used_at",
    "last_used_address",
    "generation",
];

async fn text(client: &Client, path: &str) -> String {
    exported(client, path).await.text
}

/// The names in a table, without the header.
fn names(csv: &str) -> Vec<String> {
    rows(csv)[1..].iter().map(|row| row[1].clone()).collect()
}

/// How a key is written in a table.
fn row(key: &Value) -> Vec<String> {
    let texts = |values: &Value, each: fn(&Value) -> String| {
        values.as_array().unwrap().iter().map(each).collect::<Vec<_>>().join(" ")
    };
    let cell = |column: &&str| match (*column, &key[*column]) {
        ("scopes", scopes) => texts(scopes, |scope| {
            format!("{}:{}", scope["action"].as_str().unwrap(), scope["resource"].as_str().unwrap())
        }),
        ("cidrs", cidrs) => texts(cidrs, |range| range.as_str().unwrap().to_owned()),
        ("tags", tags) if tags == &json!({}) => String::new(),
        (_, Value::Null) => String::new(),
        (_, Value::String(text)) if text.starts_with(['=', '-', '+', '@']) => format!("'{text}"),
        (_, Value::String(text)) => text.clone(),
        (_, other) => other.to_string(),
    };
    HEADER.iter().map(cell).collect()
}

async fn every_format_has_the_same_keys(backend: Backend) {
    let server = Server::start(backend).await;
    let admin = server.admin();
    let mut ids = Vec::new();
    for (name, owner) in
        [("=HYPERLINK(\"x\")", "@owner"), ("say \"hi\", twice", "-x"), ("ключ 🔑", "Payments team")]
    {
        let key = json!({ "name": name, "owner": owner, "note": "+two\nlines", "tags": { "team": "a \"b\"", "x": "" },
            "scopes": [{ "action": "read", "resource": "orders/*" }, { "action": "write", "resource": "a/**" }],
            "cidrs": ["192.0.2.0/24", "127.0.0.0/8", "::1/128"], "expires_in": "30d" });
        ids.push(server.key_from(key).await);
    }
    server.client().token(&ids[2].1, "").await.done(200);
    server.flush().await;
    admin.post_json(&format!("{KEYS}/{}/revoke", ids[0].0), &json!({ "reason": "=left" })).await.done(200);
    let disable = json!({ "disabled": true });
    admin.patch(&format!("{KEYS}/{}", ids[1].0), &disable).await.done(200);
    for query in ["", "&status=all", "&status=revoked", "&status=all&sort=name", "&q=nothing"] {
        let listed = admin.get(&format!("{KEYS}?limit=200{query}")).await.done(200)["data"].clone();
        let listed = listed.as_array().unwrap();
        let found = lines(&text(&admin, &format!("{KEYS}?format=jsonl{query}")).await);
        assert_eq!(&found, listed, "{query}");
        let header = HEADER.map(str::to_owned).to_vec();
        let expected: Vec<_> = [header].into_iter().chain(listed.iter().map(row)).collect();
        assert_eq!(rows(&text(&admin, &format!("{KEYS}?format=csv{query}")).await), expected, "{query}");
    }
    let csv = admin.with("accept", "text/csv").get(KEYS).await;
    assert_eq!(csv.header("content-type"), "text/csv; charset=utf-8; header=present");
    assert_eq!(csv.header("cache-control"), "no-store");
    let marked = text(&admin, &format!("{KEYS}?format=csv&bom=true")).await;
    assert_eq!(marked, format!("\u{feff}{}", csv.text));
    for bad in ["format=xml", "bom=true", "format=csv&limit=10", "format=jsonl&cursor=x", "format=csv&sort=x"]
    {
        admin.get(&format!("{KEYS}?{bad}")).await.refused(400, "invalid_request");
    }
}

async fn it_has_what_is_asked_for_and_may_be_read(backend: Backend) {
    let server = Server::start(backend).await;
    let admin = server.admin();
    admin.post_json("/v1/orgs/default/projects", &json!({ "id": "web" })).await.done(201);
    admin.post_json("/v1/orgs", &json!({ "id": "acme" })).await.done(201);
    for (name, project) in [("one", "web"), ("two", "web"), ("three", "default")] {
        let key =
            json!({ "name": name, "project": project, "preset": "query_only", "tags": { "of": project } });
        server.key_from(key).await;
    }
    for (query, found) in [
        ("&project=web", &["two", "one"][..]),
        ("&tag=of:default", &["three"]),
        ("&q=two", &["two"]),
        ("&sort=name", &["Administrator", "one", "three", "two"]),
        ("&status=expired", &[]),
    ] {
        assert_eq!(names(&text(&admin, &format!("{KEYS}?format=csv{query}")).await), found, "{query}");
    }
    let (_, of_web) = server.key(&["read:claviger/orgs/default/projects/web/keys/*"]).await;
    let of_web = server.client().bearer(&of_web);
    assert_eq!(names(&text(&of_web, &format!("{KEYS}?format=csv")).await), ["two", "one"]);
    let (_, of_none) = server.key(&["read:orders"]).await;
    let of_none = server.client().bearer(&of_none);
    assert_eq!(names(&text(&of_none, &format!("{KEYS}?format=csv")).await), [""; 0]);
    of_web.get("/v1/orgs/acme/keys?format=csv").await.refused(404, "not_found");
    server.client().get(&format!("{KEYS}?format=csv")).await.refused(401, "unauthenticated");
}

/// Makes keys behind the server's back. `note` is an SQL expression.
async fn many(server: &Server, count: usize, note: &str) {
    server.key_from(json!({ "name": "seed", "preset": "query_only" })).await;
    server
        .database
        .execute(&format!(
            "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {count})
             INSERT INTO api_keys
                 (id, created_seq, organization, project, environment, brand, name, name_folded, note, scopes, cidrs,
                  generation, created_at, created_by)
             SELECT 'key_' || CAST(1000000000000000 + i AS TEXT), 1000000 + i, organization, project, environment, brand,
                    'copy ' || CAST((i * 7919) % {count} AS TEXT), 'copy ' || CAST((i * 7919) % {count} AS TEXT), {note}, scopes, cidrs, generation,
                    created_at + i, created_by
             FROM api_keys, n WHERE name = 'seed' AND created_seq < 1000000;
             INSERT INTO key_secrets (id, key_id, hash, created_at)
             SELECT 'sec_' || SUBSTR(k.id, 5), k.id, 'x', 0 FROM api_keys k WHERE created_seq > 1000000;
             INSERT INTO key_last_use (key_id, organization, created_seq, idle_since)
             SELECT id, organization, created_seq, created_at FROM api_keys WHERE created_seq > 1000000"
        ))
        .await;
}

async fn thousands_of_keys_are_each_in_it_once_in_every_order(backend: Backend) {
    let server = Server::start(backend).await;
    many(&server, 5_000, "NULL").await;
    for sort in ["-created", "created", "name", "-expires", "last_used"] {
        let answer = server.admin().get(&format!("{KEYS}?format=csv&sort={sort}")).await;
        assert_eq!((answer.status, answer.header("transfer-encoding")), (200, "chunked"), "{sort}");
        let ids: Vec<_> = rows(&answer.text)[1..].iter().map(|row| row[0].clone()).collect();
        assert_eq!(ids.len(), 5_002, "{sort}");
        assert_eq!(ids.iter().collect::<BTreeSet<_>>().len(), 5_002, "{sort}");
        if sort == "name" {
            let names = names(&answer.text);
            assert!(names.is_sorted_by_key(|name| name.to_lowercase()), "{names:?}");
        }
    }
    // None of the keys that are examined first matches, and one of the last does.
    let oldest = text(&server.admin(), &format!("{KEYS}?format=csv&q=administrator")).await;
    assert_eq!(names(&oldest), ["Administrator"]);
}

/// A text of 8 KB, so that thousands of them are more than any buffer between server and client holds.
const LONG: &str = "(WITH RECURSIVE long (m, x) AS (
                         SELECT 0, CAST('xxxxxxxx' AS TEXT) UNION ALL SELECT m + 1, x || x FROM long WHERE m < 10)
                     SELECT MAX(x) FROM long)";

/// An inventory of which only the beginning is read.
async fn begun(server: &Server) -> reqwest::Response {
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let request = http.get(server.url(&format!("{KEYS}?format=csv"))).bearer_auth(&server.admin_key);
    let mut answer = request.send().await.unwrap();
    assert_eq!(answer.status(), 200);
    assert!(!answer.chunk().await.unwrap().expect("a beginning").is_empty());
    answer
}

async fn whoever_reads_slowly_or_goes_away_holds_up_nobody(backend: Backend) {
    let server = Server::start(backend).await;
    many(&server, 5_000, LONG).await;
    let exports = || server.node.records.exports.load();
    let mut slow = Vec::new();
    for _ in 0..AT_ONCE {
        slow.push(begun(&server).await);
    }
    assert!(matches!(exports(), QueueLoad { taken: AT_ONCE, .. }), "{:?}", exports());
    assert_eq!(server.admin().get(&format!("{KEYS}?format=csv")).await.status, 429);
    // There are fewer connections for reads than slow readers, and one turn to write.
    let admin = server.admin();
    for name in ["a", "b", "c"] {
        let pages = format!("{KEYS}?limit=1&sort=created");
        let (one, other) = tokio::join!(admin.get(&pages), admin.get(&pages));
        one.done(200);
        other.done(200);
        server.key_from(json!({ "name": name, "preset": "query_only" })).await;
    }
    assert!(matches!(exports(), QueueLoad { taken: AT_ONCE, .. }), "{:?}", exports());
    let mut last = slow.pop().unwrap();
    drop(slow);
    until("the permits of those who went away", async || exports().taken == 1).await;
    let mut read = Vec::new();
    while let Some(more) = in_time("the rest", last.chunk()).await.unwrap() {
        read.extend_from_slice(&more);
    }
    let read = String::from_utf8(read).unwrap();
    assert!(read.ends_with("\r\n") && read.contains(",Administrator,"), "the last row");
    until("the permit of the last", async || exports().taken == 0).await;
}

async fn an_inventory_that_fails_midway_looks_it(backend: Backend) {
    let server = Server::start(backend).await;
    many(&server, 5_000, LONG).await;
    let mut answer = begun(&server).await;
    server.database.execute("ALTER TABLE key_last_use RENAME TO gone").await;
    let rest = async {
        while answer.chunk().await?.is_some() {}
        Ok::<_, reqwest::Error>(())
    };
    in_time("the end of a broken inventory", rest).await.expect_err("an answer that was cut off");
    let refused = server.admin().get(&format!("{KEYS}?format=csv")).await;
    assert_eq!((refused.status, refused.code().as_str()), (500, "internal"), "before anything is said");
    server.database.execute("ALTER TABLE gone RENAME TO key_last_use").await;
}

async fn no_inventory_has_a_secret_in_it(backend: Backend) {
    let server = Server::start(backend).await;
    let (_, key) = server.key(&["read:*"]).await;
    for format in ["csv", "jsonl"] {
        let all = text(&server.admin(), &format!("{KEYS}?status=all&format={format}")).await;
        for key in [&key, &server.admin_key] {
            let secret = &key[key.len() - 49..key.len() - 6];
            assert!(!all.contains(secret), "a secret in it");
        }
        assert!(!all.contains("argon2") && !all.contains("hash"), "{all}");
    }
}
