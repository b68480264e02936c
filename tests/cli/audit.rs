//! `claviger audit`.

use serde_json::{Value, json};

use crate::shell::{Scene, masked};
use crate::support::{Backend, on_both};

on_both!(the_trail_is_shown_filtered_and_in_pages, the_trail_is_exported);

async fn the_trail_is_shown_filtered_and_in_pages(backend: Backend) {
    let Scene { admin, .. } = &Scene::set(backend).await;
    admin.ok(&["projects", "create", "web"]);
    admin.ok(&["projects", "update", "web", "--name", "Web", "--env", "prd"]);
    let shown = admin.ok(&["audit", "--action", "project.*", "--from", "1h"]);
    assert_eq!(
        masked(&shown.stdout),
        "AT                    ACTOR                 ADDRESS    ACTION          ORGANIZATION  SUBJECT      DETAILS\n\
         2000-01-01T00:00:00Z  key_xxxxxxxxxxxxxxxx  127.0.0.1  project.change  default       default/web  \
         environments name\n\
         2000-01-01T00:00:00Z  key_xxxxxxxxxxxxxxxx  127.0.0.1  project.create  default       default/web\n"
    );
    let own = admin.json(&["self"])["id"].as_str().unwrap().to_owned();
    let created = ["audit", "--actor", &own, "--action", "project.create", "--format", "json"];
    let created = admin.ok(&created).json();
    assert_eq!(created["data"][0]["after"]["id"], "web");
    let first = admin.ok(&["audit", "--limit", "1"]);
    let cursor = first.stderr.strip_prefix("There may be more: use --all, or --cursor ").unwrap().trim_end();
    let second = admin.json(&["audit", "--limit", "1", "--cursor", cursor]);
    assert_eq!(second["data"][0]["action"], "project.create");
    let create = ["keys", "create", "x", "--project", "default", "--env", "prd", "--preset", "query_only"];
    let key = admin.json(&create)["id"].as_str().unwrap().to_owned();
    let about = admin.json(&["audit", "--key", &key]);
    assert_eq!((&about["data"][0]["action"], &about["data"][0]["key"]), (&json!("key.create"), &json!(key)));
    assert_eq!(admin.ok(&["audit", "--to", "1970-01-02"]).stderr, "No events.\n");
    let everything = admin.json(&["audit", "--all-orgs", "--all"]);
    assert!(everything["data"].as_array().unwrap().iter().any(|event| event["organization"].is_null()));
    admin.run(&["audit", "--all-orgs", "--org", "default"]).assert_failed(2, "cannot be used with");
    admin.run(&["audit", "--action", "nothing at all"]).assert_failed(2, "invalid_request");
}

async fn the_trail_is_exported(backend: Backend) {
    let scene = Scene::set(backend).await;
    let admin = &scene.admin;
    admin.ok(&["projects", "create", "web", "--name", "=1+1"]);
    let lines = admin.ok(&["audit", "--format", "jsonl", "--action", "project.create"]);
    let events: Vec<Value> = lines.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!(events.iter().any(|event| event["after"]["name"] == "=1+1"), "{lines:?}");
    let table = admin.ok(&["audit", "--format", "csv", "--all-orgs"]).stdout;
    let header = "id,at,actor,address,request_id,action,organization,key,subject,before,after,actor_name,operator_id\r\n";
    assert!(table.starts_with(header), "{table}");
    admin.run(&["audit", "--format", "csv", "--all"]).assert_failed(2, "an export contains all events");
    admin.run(&["audit", "--format", "csv", "--json"]).assert_failed(2, "cannot be used with");
    let create =
        ["keys", "create", "Reader", "--project", "default", "--env", "prd", "--preset", "query_only"];
    let reader = scene.shell_of(admin.ok(&create).stdout.trim_end());
    reader.run(&["audit", "--format", "jsonl"]).assert_failed(3, "read:claviger/orgs/default/audit");
}
