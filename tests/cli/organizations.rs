//! `claviger orgs` and `claviger projects`.

use serde_json::json;

use crate::shell::{Scene, masked};
use crate::support::{Backend, on_both};

on_both!(
    an_organization_is_created_changed_and_deleted,
    a_project_is_created_changed_and_deleted,
    a_change_takes_a_dry_run_and_an_etag
);

async fn an_organization_is_created_changed_and_deleted(backend: Backend) {
    let Scene { admin, .. } = &Scene::set(backend).await;
    let made = admin.ok(&["orgs", "create", "acme", "--name", "Acme Ltd"]);
    assert_eq!(
        (masked(&made.stdout), made.stderr.as_str()),
        (
            "Id         acme\n\
         Name       Acme Ltd\n\
         Audiences  all of the deployment's\n\
         Created    2000-01-01T00:00:00Z\n"
                .into(),
            ""
        )
    );
    assert_eq!(
        masked(&admin.ok(&["orgs", "list"]).stdout),
        "ID       NAME      CREATED\n\
         acme     Acme Ltd  2000-01-01T00:00:00Z\n\
         default  default   2000-01-01T00:00:00Z\n"
    );
    let got = masked(&admin.ok(&["orgs", "get", "acme"]).stdout);
    assert!(got.starts_with(&masked(&made.stdout)) && got.contains("\nETag       \""), "{got}");
    let renamed = admin.json(&["orgs", "update", "acme", "--name", "Acme"]);
    assert_eq!((&renamed["id"], &renamed["name"]), (&json!("acme"), &json!("Acme")));
    assert_eq!(admin.json(&["orgs", "list"])["data"][0]["name"], "Acme");
    let deleted = admin.ok(&["orgs", "delete", "acme"]);
    assert_eq!((deleted.stdout.as_str(), deleted.stderr.as_str()), ("", "Deleted acme.\n"));
    admin.run(&["orgs", "get", "acme"]).assert_failed(4, "not_found");
    admin.run(&["orgs", "create", "acme"]).assert_failed(5, "conflict");
}

async fn a_project_is_created_changed_and_deleted(backend: Backend) {
    let Scene { admin, server, .. } = &Scene::set(backend).await;
    let audience = format!("{}/api", server.issuer);
    let made = admin.ok(&[
        "projects",
        "create",
        "web",
        "--environment",
        "test",
        "--environment",
        "live",
        "--audience",
        &audience,
    ]);
    assert_eq!(
        masked(&made.stdout),
        format!(
            "Id            web\n\
             Organization  default\n\
             Name          web\n\
             Environments  test live\n\
             Audiences     {audience}\n\
             Created       2000-01-01T00:00:00Z\n"
        )
    );
    assert_eq!(
        masked(&admin.ok(&["projects", "list", "--org", "default"]).stdout),
        "ID       NAME     ENVIRONMENTS  CREATED\n\
         web      web      test live     2000-01-01T00:00:00Z\n\
         default  default  dev stg prd   2000-01-01T00:00:00Z\n"
    );
    let changed =
        admin.json(&["projects", "update", "web", "--name", "Web shop", "--env", "live", "--all-audiences"]);
    assert_eq!(
        [&changed["name"], &changed["environments"], &changed["audiences"]],
        [&json!("Web shop"), &json!(["live"]), &json!(null)]
    );
    assert_eq!(admin.json(&["projects", "get", "web"]), changed);
    assert_eq!(admin.ok(&["projects", "delete", "web"]).stderr, "Deleted web.\n");
    admin.run(&["projects", "get", "web"]).assert_failed(4, "not_found");
}

async fn a_change_takes_a_dry_run_and_an_etag(backend: Backend) {
    let Scene { admin, .. } = &Scene::set(backend).await;
    let dry_run = admin.ok(&["orgs", "update", "default", "--name", "New", "--dry-run"]);
    assert_eq!(dry_run.stdout, "name: default → New\n");
    let unchanged = admin.ok(&["projects", "update", "default", "--name", "default", "--dry-run"]);
    assert_eq!((unchanged.stdout.as_str(), unchanged.stderr.as_str()), ("", "Nothing would change.\n"));
    let shown = admin.ok(&["orgs", "get", "default"]).stdout;
    let etag = shown.lines().find_map(|line| line.strip_prefix("ETag ")).unwrap().trim();
    admin.ok(&["orgs", "update", "default", "--name", "New", "--if-match", etag]);
    let stale = admin.run(&["orgs", "update", "default", "--name", "Newer", "--if-match", etag]);
    stale.assert_failed(5, "repeat the command with its current ETag");
    assert_eq!(admin.json(&["orgs", "get"])["name"], "New");
}
