//! `claviger members`.

use serde_json::json;

use crate::shell::Scene;
use crate::support::{Backend, on_both};

on_both!(a_members_life, the_deployment_has_members_too);

async fn a_members_life(backend: Backend) {
    let Scene { admin, .. } = &Scene::set(backend).await;
    let invite = ["members", "invite", "ada@example.com", "--role", "developer", "--project", "default"];
    let dry = admin.ok(&[&invite[..], &["--dry-run"]].concat());
    let would = "This would invite ada@example.com as developer of default. Nothing was changed.\n";
    assert_eq!(dry.stdout, would);
    let made = admin.json(&invite);
    let id = made["id"].as_str().unwrap();
    assert!(made["invitation_url"].as_str().unwrap().contains("/console/invitation#"));
    let list = admin.ok(&["members", "list"]).stdout;
    assert!(list.contains("ada@example.com  developer  invited  never"), "{list}");
    let shown = admin.ok(&["members", "show", id]).stdout;
    assert!(shown.contains("Projects") && shown.contains("\nETag") && !shown.contains("Link"), "{shown}");
    let edited = admin.json(&["members", "edit", id, "--role", "auditor", "--name", "Ada"]);
    assert_eq!((&edited["role"], &edited["projects"]), (&json!("auditor"), &json!([])));
    let again = admin.ok(&["members", "resend", id]).stdout;
    assert!(again.contains("Link") && again.contains("/console/invitation#"), "{again}");
    admin
        .run(&["members", "invite", "ada@example.com", "--role", "owner"])
        .assert_failed(5, "already_member");
    assert_eq!(admin.json(&["members", "keys", id])["data"], json!([]));
    let removed = admin.ok(&["members", "remove", id]);
    assert_eq!((removed.stdout.as_str(), removed.stderr), ("", format!("Removed {id}.\n")));
    admin.run(&["members", "show", id]).assert_failed(4, "not_found");
}

async fn the_deployment_has_members_too(backend: Backend) {
    let Scene { admin, .. } = &Scene::set(backend).await;
    let made = admin.json(&["members", "invite", "ada@example.com", "--role", "operator", "--deployment"]);
    let id = made["id"].as_str().unwrap();
    assert_eq!(admin.json(&["members", "list"])["data"], json!([]));
    assert_eq!(admin.json(&["members", "list", "--deployment"])["data"][0]["id"], made["id"]);
    admin.ok(&["members", "remove", id, "--deployment"]);
}
