//! The log: a JSON object a line, and nothing that serving waits for.

use std::io::{BufRead as _, BufReader};
use std::process::ChildStderr;
use std::time::Instant;

use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::support::{Backend, Claviger, Process, in_time, on_both, until};

on_both!(
    each_line_about_a_request_has_its_id,
    what_anybody_can_cause_has_one_line_a_second_with_a_count,
    no_request_writes_a_line_of_its_own,
    a_trace_id_is_all_that_is_logged_of_a_trace,
    a_trace_makes_the_log_say_no_more,
);

/// A `traceparent` (W3C Trace Context) with the flag `sampled`, and its trace id.
const TRACE: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
const TRACE_ID: &str = "4bf92f3577b34da6a3ce929d0e0e4736";

/// Has the server log so many lines: some for each request, each of some 200 bytes.
async fn make_it_log(server: &Process, requests: usize) {
    let mut asking = JoinSet::new();
    for _ in 0..8 {
        let client = server.client();
        asking.spawn(async move {
            for _ in 0..requests / 8 {
                assert_eq!(client.get("/nowhere").await.status, 404);
            }
        });
    }
    in_time("every request is answered", asking.join_all()).await;
}

/// A server with a log in a pipe that is full: a pipe holds 64 KiB.
async fn with_a_full_log(folder: &tempfile::TempDir) -> (Process, BufReader<ChildStderr>) {
    let mut server = Claviger::at(folder.path()).set("CLAVIGER_LOG", "debug").with_an_unread_log().serve();
    make_it_log(&server, 1_000).await;
    let log = BufReader::new(server.log());
    (server, log)
}

#[tokio::test]
async fn a_log_that_nobody_reads_keeps_nothing_waiting() {
    let folder = tempfile::tempdir().unwrap();
    let (server, _log) = with_a_full_log(&folder).await;
    assert_eq!(server.client().get("/healthz").await.status, 200);
    assert_eq!(server.client().token(&server.admin_key(), "").await.status, 200);
    server.signal("TERM");
    let ended = tokio::task::spawn_blocking(|| server.end());
    let (status, _) = in_time("the server ends", ended).await.unwrap();
    assert!(status.success(), "{status}");
}

#[tokio::test]
async fn dropped_lines_are_counted_in_the_log() {
    let folder = tempfile::tempdir().unwrap();
    let (server, log) = with_a_full_log(&folder).await;
    // More lines than wait to be written.
    make_it_log(&server, 9_000).await;
    let reported = tokio::task::spawn_blocking(move || {
        let mut lines = log.lines().map(Result::unwrap);
        lines.find(|line| line.contains("log lines were dropped")).expect("a report")
    });
    let line = in_time("the report", reported).await.unwrap();
    assert!(line.contains("WARN") && line.contains("lines="), "{line}");
}

#[tokio::test]
async fn a_start_names_the_version_and_a_hangup_does_not_end_the_server() {
    let folder = tempfile::tempdir().unwrap();
    let claviger = Claviger::at(folder.path());
    let server = claviger.serve();
    server.signal("HUP");
    until("it is logged", async || {
        claviger.log().contains("SIGHUP: the certificate and the log filter are read again")
    })
    .await;
    assert_eq!(server.client().get("/healthz").await.status, 200);
    let version = format!("starting version=\"{}\"", env!("CARGO_PKG_VERSION"));
    assert!(claviger.log().contains(&version), "{}", claviger.log());
    server.signal("TERM");
    assert!(server.end().0.success());
}

async fn each_line_about_a_request_has_its_id(backend: Backend) {
    let database = backend.fresh().await;
    let claviger = Claviger::over(&database).set("CLAVIGER_LOG_FORMAT", "json").set("CLAVIGER_LOG", "debug");
    let server = claviger.serve();
    let (client, admin) = (server.client(), server.admin());
    let answers = [
        client.token("nonsense", "").await,
        client.token(&server.admin_key(), "").await,
        client.get("/v1/self").await,
        client.get("/nowhere").await,
        admin.get("/v1/self").await,
        admin.post_json("/v1/orgs/default/keys", &json!({ "name": 1 })).await,
    ];
    server.signal("TERM");
    assert!(server.end().0.success());
    let log = claviger.log();
    let lines: Vec<Value> =
        log.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|_| panic!("{line}"))).collect();
    assert!(lines.iter().all(|line| line["timestamp"].is_string() && line["level"].is_string()), "{log}");
    for answer in answers {
        let id = answer.header("x-request-id");
        let about = |line: &&Value| line["span"]["request_id"] == id;
        let line = lines.iter().filter(about).find(|line| line["status"].is_number());
        let line = line.unwrap_or_else(|| panic!("no line for {id}: {log}"));
        assert_eq!(line["status"], answer.status, "{line}");
        if answer.text.contains("request_id") {
            assert_eq!(answer.json()["error"]["request_id"], id);
        }
    }
}

async fn what_anybody_can_cause_has_one_line_a_second_with_a_count(backend: Backend) {
    const TIMES: u64 = 60;
    let database = backend.fresh().await;
    let claviger = Claviger::over(&database).set("CLAVIGER_LOG_FORMAT", "json");
    let server = claviger.serve();
    let (client, admin) = (server.client(), server.admin());
    let begun = Instant::now();
    for _ in 0..TIMES {
        assert_eq!(client.get("/nowhere").await.status, 404);
        assert_eq!(client.token("nonsense", "").await.status, 401);
    }
    // Who is known has a line for each, by which they can be helped.
    let mut known = Vec::new();
    for _ in 0..5 {
        let answer = admin.get("/v1/orgs/default/projects/none").await;
        known.push(answer.header("x-request-id").to_owned());
    }
    let lines = || -> Vec<Value> {
        let log = claviger.log();
        let whole = log.rsplit_once('\n').map_or("", |(whole, _)| whole);
        whole.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|_| panic!("{line}"))).collect()
    };
    let of = |code: &str| -> Vec<u64> {
        let unknown = |line: &&Value| !known.iter().any(|id| line["span"]["request_id"] == id.as_str());
        let all = lines();
        let about = all.iter().filter(|line| line["code"] == code).filter(unknown);
        about.map(|line| line["count"].as_u64().unwrap_or(1)).collect()
    };
    for code in ["not_found", "invalid_client"] {
        until("every one is counted", async || of(code).iter().sum::<u64>() == TIMES).await;
        let (counted, seconds) = (of(code), begun.elapsed().as_secs());
        assert!(counted.len() as u64 <= seconds + 2, "{code} in {seconds} s: {counted:?}");
    }
    let guesses = lines().iter().filter(|line| line["message"] == "a key was not accepted").count() as u64;
    assert!(guesses <= begun.elapsed().as_secs() + 2, "{guesses} lines about keys");
    let all = lines();
    for id in &known {
        assert!(all.iter().any(|line| line["span"]["request_id"] == id.as_str()), "no line about {id}");
    }
}

async fn a_trace_id_is_all_that_is_logged_of_a_trace(backend: Backend) {
    let database = backend.fresh().await;
    let claviger = Claviger::over(&database).set("CLAVIGER_LOG_FORMAT", "json").set("CLAVIGER_LOG", "debug");
    let server = claviger.serve();
    let traced = [server.client(), server.admin()].map(|client| client.with("traceparent", TRACE));
    let mut known = Vec::new();
    for client in &traced {
        known.push(client.get("/v1/self").await);
        known.push(client.token("nonsense", "").await);
        known.push(client.get("/v1/orgs/default/keys").await);
        known.push(client.post_json("/v1/orgs", &json!({ "id": "traced", "name": "Traced" })).await);
    }
    let mut ignored = Vec::new();
    for hostile in [
        "FORGED",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-FORGED",
        "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
        "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
        "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        "00-4bf92f3577b34da6a3ce929d0e0e47\u{202e}\u{9b}-00f067aa0ba902b7-01",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01, 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        "{\"trace_id\":\"FORGED\"}",
        &"FORGED".repeat(1_000),
    ] {
        ignored.push(server.client().with("traceparent", hostile).get("/v1/self").await);
    }
    let twice = server.client().with("traceparent", TRACE).with("traceparent", TRACE);
    ignored.push(twice.get("/v1/self").await);
    ignored.push(server.client().with("tracestate", "vendor=FORGED").get("/v1/self").await);
    server.signal("TERM");
    assert!(server.end().0.success());
    let log = claviger.log();
    let lines: Vec<Value> =
        log.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|_| panic!("{line}"))).collect();
    for (answers, trace_id) in [(known, json!(TRACE_ID)), (ignored, Value::Null)] {
        for answer in answers {
            let id = answer.header("x-request-id");
            let about: Vec<_> = lines.iter().filter(|line| line["span"]["request_id"] == id).collect();
            assert!(about.iter().any(|line| line["status"] == answer.status), "no line for {id}: {log}");
            assert!(about.iter().all(|line| line["span"]["trace_id"] == trace_id), "{about:#?}");
        }
    }
    for hidden in ["FORGED", "00f067aa0ba902b7", "4BF92F", "\u{202e}"] {
        assert!(!log.contains(hidden), "{hidden}: {log}");
    }
}

/// Anybody can send a trace with the flag `sampled`.
async fn a_trace_makes_the_log_say_no_more(backend: Backend) {
    const TIMES: u64 = 60;
    let database = backend.fresh().await;
    let claviger = Claviger::over(&database);
    let server = claviger.serve();
    let client = server.client().with("traceparent", TRACE);
    let begun = Instant::now();
    for _ in 0..TIMES {
        assert_eq!(client.get("/healthz").await.status, 200);
        assert_eq!(client.get("/nowhere").await.status, 404);
    }
    server.signal("TERM");
    assert!(server.end().0.success());
    let log = claviger.log();
    let traced = log.lines().filter(|line| line.contains(&format!("trace_id=\"{TRACE_ID}\"")));
    let traced: Vec<&str> = traced.collect();
    assert!(!traced.is_empty() && traced.len() as u64 <= begun.elapsed().as_secs() + 2, "{traced:#?}");
    assert!(traced.iter().all(|line| line.contains("refused")), "{traced:#?}");
}

/// Nor does it steer the terminal of whoever reads the log.
async fn no_request_writes_a_line_of_its_own(backend: Backend) {
    const HOSTILE: &str = "x\u{1b}[2J\r\nFORGED\u{9b}31m\u{202e}\u{7f}";
    let escaped: String = HOSTILE.bytes().map(|byte| format!("%{byte:02x}")).collect();
    let database = backend.fresh().await;
    let claviger = Claviger::over(&database).set("CLAVIGER_LOG", "debug");
    let server = claviger.serve();
    let (client, admin) = (server.client(), server.admin());
    for member in ["grant_type", "scope", "resource", "client_id", "client_secret", "subject_token", &escaped]
    {
        let good = format!("grant_type=client_credentials&client_secret={}", server.admin_key());
        let form = if good.contains(&format!("{member}=")) { String::new() } else { good };
        let refused = client.post_form("/oauth/token", &format!("{form}&{member}={escaped}")).await;
        assert!(refused.status < 500, "{refused:?}");
    }
    for path in
        [format!("/{escaped}"), format!("/v1/self?{escaped}={escaped}"), format!("/v1/orgs/{escaped}")]
    {
        assert!(admin.get(&path).await.status >= 400, "{path}");
    }
    for body in [
        json!({ HOSTILE: HOSTILE }),
        json!({ "name": HOSTILE }),
        json!({ "name": "a", "project": HOSTILE, "environment": HOSTILE, "preset": HOSTILE }),
        json!({ "name": "a", "project": "default", "environment": "prd", "cidrs": [HOSTILE], "preset": "query_only" }),
        json!({ "name": "a", "project": "default", "environment": "prd", "expires_at": HOSTILE,
            "scopes": [{ "action": "read", "resource": HOSTILE }] }),
    ] {
        assert_eq!(admin.post_json("/v1/orgs/default/keys", &body).await.status, 400, "{body}");
    }
    server.signal("TERM");
    assert!(server.end().0.success());
    let log = claviger.log();
    assert!(log.contains("refused"), "{log}");
    for line in log.lines() {
        assert!(line.starts_with("20") && !line.contains(steers), "{line:?}");
    }
}

fn steers(character: char) -> bool {
    character.is_control() || matches!(character, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}
