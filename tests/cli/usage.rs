//! `claviger usage`.

use serde_json::json;

use crate::shell::{Scene, masked};
use crate::support::{Backend, on_both, until};

on_both!(use_is_shown_by_day_and_by_hour);

async fn use_is_shown_by_day_and_by_hour(backend: Backend) {
    let scene = Scene::set(backend).await;
    let admin = &scene.admin;
    let create = ["keys", "create", "Used", "--project", "default", "--env", "prd", "--preset", "query_only"];
    let made = admin.json(&create);
    let id = made["id"].as_str().unwrap();
    let client = scene.shell_of(made["key"].as_str().unwrap());
    client.ok(&["token"]);
    client.ok(&["token"]);
    client.ok(&["self"]);
    let used = |arguments: &[&str]| {
        let usage = admin.json(&[&["usage"], arguments].concat());
        let sum = |member: &str| {
            usage["data"].as_array().unwrap().iter().filter_map(|bucket| bucket[member].as_u64()).sum()
        };
        (sum("tokens"), sum("direct"))
    };
    until("use is written", async || used(&["key", id]) == (2, 1)).await;
    let hours = admin.json(&["usage", "key", id, "--interval", "hour", "--from", "1h"]);
    assert_eq!((&hours["interval"], hours["data"].as_array().unwrap().len()), (&json!("hour"), 2));
    let shown = admin.ok(&["usage", "keys", id, "--from", "1d"]);
    let lines: Vec<String> = masked(&shown.stdout).lines().map(str::to_owned).collect();
    assert_eq!(lines.len(), 3, "{shown:?}");
    assert_eq!(lines[0], "START                 TOKENS  DIRECT  REFUSED  OF THESE");
    assert_eq!(lines[1], "2000-01-01T00:00:00Z       0       0        0");
    assert_eq!(lines[2], "2000-01-01T00:00:00Z       2       1        0");
    assert_eq!(shown.stderr, "Total: 2 tokens, 1 direct, 0 refused.\n");

    admin.ok(&["keys", "revoke", id]);
    client.run(&["token"]).assert_failed(3, "the key is revoked");
    let refused =
        || admin.ok(&["usage", "org", "--project", "default", "--from", "1h", "--interval", "hour"]);
    until("refusals are written", async || refused().stdout.contains("1 revoked")).await;
    admin.run(&["usage", "org", "--from", "9y"]).assert_failed(2, "invalid_request");
}
