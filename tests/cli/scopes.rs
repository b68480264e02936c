//! `claviger scopes`.

use serde_json::{Value, json};

use crate::shell::{BINARY, Scene, Shell, masked};
use crate::support::{Backend, on_both};

on_both!(
    a_named_scopes_life,
    the_deployment_has_a_catalogue_too,
    a_file_carries_a_catalogue,
    shells_complete_scopes_from_the_catalogue,
);

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

async fn shells_complete_scopes_from_the_catalogue(backend: Backend) {
    let scene = Scene::set(backend).await;
    let admin = &scene.admin;
    admin.ok(&CREATE);
    let write =
        ["scopes", "create", "write-invoices", "--scope", "write:invoices/*", "--name", "Change them"];
    admin.ok(&[&write[..], &["--deployment"]].concat());
    admin.ok(&["orgs", "create", "acme"]);
    let offered = |shell: &Shell, line: &str| {
        let said = shell
            .ok(&["completions", "--scopes", "--"].into_iter().chain(line.split(' ')).collect::<Vec<_>>());
        assert_eq!(said.stderr, "", "{said:?}");
        said.stdout
    };
    // On a machine that is busy for a second, it says nothing.
    let in_time = |ask: &dyn Fn() -> String| {
        (0..20).map(|_| ask()).find(|said| !said.trim().is_empty()).unwrap_or_default()
    };
    let both = "write:invoices/*\tChange them\nread:invoices/**\tRead invoices\n";
    assert_eq!(in_time(&|| offered(admin, "claviger keys create x --scope re")), both);
    let of_acme = in_time(&|| offered(admin, "claviger keys create --org acme --scope"));
    assert_eq!(of_acme, "write:invoices/*\tChange them\n");
    // It says nothing where it can't know anything, and it waits for nobody.
    assert_eq!(offered(admin, "claviger keys create --org none --scope"), "");
    assert_eq!(offered(admin, "claviger keys create --org NONE --scope"), "");
    assert_eq!(offered(admin, "claviger keys create --url http://127.0.0.1:1 --scope"), "");
    assert_eq!(offered(admin, "claviger keys create --profile none --scope"), "");
    assert_eq!(offered(admin, "claviger keys create --api-key-file - --scope"), "");
    assert_eq!(offered(&Shell::new(), "claviger keys create --scope"), "");
    let made = admin.json(&[
        "keys",
        "create",
        "Other",
        "--project",
        "default",
        "--env",
        "prd",
        "--preset",
        "query_only",
    ]);
    assert_eq!(offered(&scene.shell_of(made["key"].as_str().unwrap()), "claviger keys create --scope"), "");
    // What bash makes of it.
    let script = admin.ok(&["completions", "bash"]).stdout;
    std::fs::write(admin.path("claviger.bash"), script).unwrap();
    let once = |line: &str, current: &str, before: &str| {
        let run = format!(
            "source ./claviger.bash; COMP_LINE=$1; COMP_POINT=${{#COMP_LINE}}; COMP_WORDS=('{BINARY}' keys create '');
             COMP_CWORD=3; _claviger_scopes '{BINARY}' \"$2\" \"$3\"; printf '%s\\n' \"${{COMPREPLY[@]}}\""
        );
        let said = admin.command("bash").args(["-c", &run, "bash", line, current, before]).output().unwrap();
        String::from_utf8(said.stdout).unwrap()
    };
    let completed = |line: &str, current: &str, before: &str| in_time(&|| once(line, current, before));
    let line = "claviger keys create x --scope ";
    assert_eq!(completed(line, "", "--scope"), "write:invoices/\\*\nread:invoices/\\*\\*\n");
    assert_eq!(completed(&format!("{line}read:in"), "in", ":"), "invoices/\\*\\*\n");
    assert_eq!(completed(&format!("{line}'read:in"), "'read:in", "--scope"), "read:invoices/**\n");
    assert_eq!(once(&format!("{line}'admin:"), "'admin:", "--scope"), "\n");
    assert_eq!(completed("claviger keys create --exp", "--exp", "create"), "--expires-in\n--expires-at\n");
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
