//! `claviger members`. No provider is configured here, so the members are put into the store.

use serde_json::json;

use crate::shell::Scene;
use crate::support::{Backend, on_both};

on_both!(a_members_life, the_deployment_has_members_too);

const ID: &str = "usr_0123456789abcdef";

/// Somebody who is invited to `organization`, or to the deployment.
async fn invited(scene: &Scene, organization: Option<&str>, role: &str) {
    let organization = organization.map_or("NULL".to_owned(), |id| format!("'{id}'"));
    scene
        .database
        .execute(&format!(
            "INSERT INTO members (id, created_seq, organization, provider, email, email_folded, name, role, projects,
                 generation, source, created_at, created_by, invitation_digest, invitation_expires_at)
             VALUES ('{ID}', 1, {organization}, 'sso', 'ada@example.com', 'ada@example.com', 'ada', '{role}',
                 '', 0, 'invitation', 1, 'bootstrap', 'x', 9999999999)"
        ))
        .await;
}

async fn a_members_life(backend: Backend) {
    let scene = Scene::set(backend).await;
    let admin = &scene.admin;
    let nothing = admin.ok(&["members", "list"]);
    assert!(nothing.stderr.contains("cannot read any member of default"), "{nothing:?}");
    let invite = ["members", "invite", "ada@example.com", "--role", "developer", "--project", "default"];
    let refused = admin.run(&invite);
    assert_eq!(refused.code, 2, "{refused:?}");
    assert!(refused.stderr.contains("members sign in at an OpenID provider"), "{refused:?}");
    invited(&scene, Some("default"), "admin").await;
    let list = admin.ok(&["members", "list"]).stdout;
    assert!(list.contains("ada@example.com  admin  invitation  invited  never"), "{list}");
    let shown = admin.ok(&["members", "show", ID]).stdout;
    assert!(shown.contains("ada@example.com\n") && shown.contains("\nETag"), "{shown}");
    assert!(shown.contains("\nSource") && shown.contains("invitation\n"), "{shown}");
    let edited = admin.json(&["members", "edit", ID, "--role", "developer", "--project", "default"]);
    assert_eq!((&edited["role"], &edited["projects"]), (&json!("developer"), &json!(["default"])));
    let dry = admin.ok(&["members", "resend", ID, "--dry-run"]).stdout;
    assert_eq!(dry, format!("This would make a new link for {ID}. Nothing was changed.\n"));
    let again = admin.ok(&["members", "resend", ID]).stdout;
    assert!(again.contains("Link") && again.contains("/console/invitation#"), "{again}");
    assert_eq!(admin.json(&["members", "keys", ID])["data"], json!([]));
    let removed = admin.ok(&["members", "remove", ID]);
    assert_eq!((removed.stdout.as_str(), removed.stderr), ("", format!("Removed {ID}.\n")));
    admin.run(&["members", "show", ID]).assert_failed(4, "not_found");
}

async fn the_deployment_has_members_too(backend: Backend) {
    let scene = Scene::set(backend).await;
    invited(&scene, None, "operator").await;
    assert_eq!(scene.admin.json(&["members", "list"])["data"], json!([]));
    assert_eq!(scene.admin.json(&["members", "list", "--deployment"])["data"][0]["id"], ID);
    scene.admin.ok(&["members", "remove", ID, "--deployment"]);
}
