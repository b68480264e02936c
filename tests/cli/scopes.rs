//! `claviger scopes`.

use serde_json::{Value, json};

use crate::shell::{Scene, masked};
use crate::support::{Backend, on_both};

on_both!(a_named_scopes_life, the_deployment_has_a_catalogue_too, a_file_carries_a_catalogue);

const CREATE: [&str; 7] =
    ["scopes", "create", "read-invoices", "--scope", "read:invoices/**", "--name", "Read invoices"];

async fn a_named_scopes_life(backend: Backend) {
    let Scene { admin, .. } = &Scene::set(backend).await;
    let dry = admin.ok(&[&CREATE[..], &["--dry-run"]].concat());
    let would =
        "This would name the scope read:invoices/** in the catalogue of default. Nothing was changed.\n";
    assert_eq!(dry.stdout, would);
    let made = admin.ok(&[&CREATE[..], &["--group", "Billing"]].concat());
    assert_eq!(
        masked(&made.stdout),
        "Id         read-invoices\n\
         Catalogue  default\n\
         Scope      read:invoices/**\n\
         Name       Read invoices\n\
         Group      Billing\n\
         Created    2000-01-01T00:00:00Z\n"
    );
    assert_eq!(
        admin.ok(&["scopes", "list"]).stdout,
        "ID             SCOPE             NAME           GROUP\n\
         read-invoices  read:invoices/**  Read invoices  Billing\n"
    );
    assert!(admin.ok(&["scopes", "get", "read-invoices"]).stdout.contains("\nETag"));
    let update = ["scopes", "update", "read-invoices", "--description", "Lists invoices.", "--no-group"];
    let updated = admin.json(&update);
    assert_eq!((&updated["description"], &updated["group"]), (&json!("Lists invoices."), &Value::Null));
    let deleted = admin.ok(&["scopes", "delete", "read-invoices"]);
    assert_eq!((deleted.stdout.as_str(), deleted.stderr.as_str()), ("", "Deleted read-invoices.\n"));
    admin.run(&["scopes", "get", "read-invoices"]).assert_failed(4, "not_found");
    let nothing = admin.ok(&["scopes", "list"]);
    assert!(nothing.stderr.contains("cannot read any named scope of default"), "{nothing:?}");
}

async fn the_deployment_has_a_catalogue_too(backend: Backend) {
    let Scene { admin, .. } = &Scene::set(backend).await;
    let made = admin.json(&[&CREATE[..], &["--deployment"]].concat());
    assert_eq!(made["organization"], Value::Null);
    assert_eq!(admin.json(&["scopes", "list"])["data"], json!([]));
    assert_eq!(admin.json(&["scopes", "list", "--inherited"])["data"], json!([made]));
    assert_eq!(admin.json(&["scopes", "--deployment", "list"])["data"], json!([made]));
    let both = admin.run(&["scopes", "list", "--inherited", "--deployment"]);
    assert_eq!(both.code, 2, "{both:?}");
    admin.ok(&["scopes", "delete", "read-invoices", "--deployment"]);
}

async fn a_file_carries_a_catalogue(backend: Backend) {
    let Scene { admin, .. } = &Scene::set(backend).await;
    admin.ok(&CREATE);
    let exported = admin.ok(&["orgs", "export"]).stdout;
    let entry =
        "[[scopes]]\nid = \"read-invoices\"\nscope = \"read:invoices/**\"\nname = \"Read invoices\"\n";
    assert!(exported.contains(entry), "{exported}");
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("default.toml");
    std::fs::write(&file, exported.replace("Read invoices", "Invoices")).unwrap();
    let applied = admin.ok(&["apply", "-f", file.to_str().unwrap(), "--yes"]);
    let said = "~ scope \"Invoices\" (read-invoices)\n    name: Read invoices → Invoices\n";
    assert!(applied.stdout.contains(said), "{applied:?}");
}
