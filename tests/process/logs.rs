//! The log, a JSON object a line.

use serde_json::{Value, json};

use crate::support::{Backend, Claviger, on_both};

on_both!(each_line_about_a_request_has_its_id);

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
