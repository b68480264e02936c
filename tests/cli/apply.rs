//! `claviger orgs export` and `claviger apply`.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use serde_json::json;

use crate::shell::{Scene, Shell, masked};
use crate::support::{Backend, is_here, on_both};

on_both!(
    applying_an_export_changes_nothing,
    a_file_is_shown_confirmed_and_done,
    new_secrets_go_into_files_or_are_printed,
    a_file_with_a_part_of_the_configuration_changes_only_that_part,
    what_a_file_lacks_is_revoked_when_asked_for,
    most_keys_are_pruned_only_when_that_is_confirmed,
    every_way_in_goes_through_a_file,
);

const FILE: &str = r#"
[organization]
id = "default"

[[projects]]
id = "web"
environments = ["dev", "prd"]

[[keys]]
name = "Reporting"
project = "web"
environment = "prd"
scopes = ["read:projects/web/*"]
cidrs = ["10.0.0.0/8"]
expires_at = 2099-12-31T00:00:00Z
"#;

fn write(shell: &Shell, text: &str) {
    fs::write(shell.path("org.toml"), text).unwrap();
}

async fn applying_an_export_changes_nothing(backend: Backend) {
    let Scene { admin, .. } = &Scene::set(backend).await;
    let exported = admin.ok(&["orgs", "export"]).stdout;
    assert_eq!(
        masked(&exported),
        r#"[organization]
id = "default"
name = "default"

[[projects]]
id = "default"
name = "default"
environments = [
    "dev",
    "stg",
    "prd",
]

[[keys]]
id = "key_xxxxxxxxxxxxxxxx"
name = "Administrator"
note = "Made at the bootstrap, for administration alone."
project = "default"
environment = "prd"
scopes = ["*:claviger/**"]
cidrs = [
    "0.0.0.0/0",
    "::/0",
]
public_keys = []
trust_rules = []
"#
    );
    write(admin, &exported);
    for arguments in [&["apply", "-f", "org.toml"][..], &["apply", "-f", "org.toml", "--prune"]] {
        let said = admin.ok(arguments);
        assert_eq!((said.stdout.as_str(), said.stderr.as_str()), ("", "Nothing to change.\n"));
    }
    let as_json = admin.json(&["orgs", "export", "default"]);
    assert_eq!(as_json["keys"][0]["scopes"], json!([{"action": "*", "resource": "claviger/**"}]));
    let said = admin.feed(&as_json.to_string(), &["apply", "-f", "-", "--json"]);
    assert_eq!(said.json(), json!({"dry_run": true, "changes": [], "keys": []}), "{said:?}");
}

async fn a_file_is_shown_confirmed_and_done(backend: Backend) {
    let Scene { admin, .. } = &Scene::set(backend).await;
    write(admin, FILE);
    let diff = "+ project \"web\" (web)\n    \
                    environments: dev prd\n    \
                    id: web\n    \
                    name: web\n\
                + key \"Reporting\"\n    \
                    cidrs: 10.0.0.0/8\n    \
                    environment: prd\n    \
                    expires_at: 2099-12-31T00:00:00Z\n    \
                    name: Reporting\n    \
                    project: web\n    \
                    scopes: read:projects/web/*\n";
    let dry_run = admin.ok(&["apply", "-f", "org.toml", "--dry-run"]);
    assert_eq!((dry_run.stdout.as_str(), dry_run.stderr.as_str()), (diff, ""));
    let unasked = admin.run(&["apply", "-f", "org.toml"]);
    assert_eq!((unasked.code, unasked.stdout.as_str()), (2, diff), "{unasked:?}");
    if is_here("script") {
        let (code, shown) = admin.on_a_terminal("no\n", &["apply", "-f", "org.toml"]);
        assert!(code == 1 && shown.contains("Change default? [y/N]"), "{code}: {shown}");
    }
    admin.run(&["projects", "get", "web"]).assert_failed(4, "not_found");
    let done = admin.ok(&["apply", "-f", "org.toml", "--yes"]);
    assert!(done.stdout.starts_with(diff), "{done:?}");
    assert_eq!(done.stderr, "Done: 2 changes.\n");
    write(admin, &FILE.replace("web/*", "web/**"));
    let changed = masked(&admin.ok(&["apply", "-f", "org.toml", "--yes"]).stdout);
    assert_eq!(
        changed,
        "~ key \"Reporting\" (key_xxxxxxxxxxxxxxxx)\n    scopes: read:projects/web/* → read:projects/web/**\n"
    );
    assert_eq!(admin.ok(&["apply", "-f", "org.toml", "--yes"]).stderr, "Nothing to change.\n");
}

async fn new_secrets_go_into_files_or_are_printed(backend: Backend) {
    let scene = Scene::set(backend).await;
    let admin = &scene.admin;
    write(admin, FILE);
    let done = admin.ok(&["apply", "-f", "org.toml", "--yes", "--secrets-dir", "secrets/new"]);
    let folder = admin.path("secrets/new");
    assert_eq!(fs::metadata(&folder).unwrap().permissions().mode() & 0o777, 0o700);
    let files: Vec<_> = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert_eq!(files.len(), 1, "{files:?}");
    let name = files[0].file_name().unwrap().to_str().unwrap();
    assert_eq!(masked(name), "web-prd-reporting-key_xxxxxxxxxxxxxxxx.key");
    assert_eq!(fs::metadata(&files[0]).unwrap().permissions().mode() & 0o777, 0o600);
    let key = fs::read_to_string(&files[0]).unwrap();
    assert!(!done.stdout.contains(key.trim_end()) && !done.stderr.contains(key.trim_end()), "{done:?}");
    scene.shell_of(key.trim_end()).run(&["token"]).assert_failed(3, "is not allowed from address 127.0.0.1");

    write(admin, &FILE.replace("Reporting", "Another").replace("cidrs", "# cidrs"));
    let printed = admin.ok(&["apply", "-f", "org.toml", "--yes"]).stdout;
    let fields: Vec<&str> = printed.lines().last().unwrap().split('\t').collect();
    assert_eq!((fields[0], masked(fields[1]).as_str()), ("web/prd/Another", "key_xxxxxxxxxxxxxxxx"));
    scene.shell_of(fields[2]).ok(&["token"]);

    write(admin, &FILE.replace("Reporting", "Third"));
    let json = admin.ok(&["apply", "-f", "org.toml", "--yes", "--secrets-dir", "secrets", "--json"]).json();
    assert_eq!(json["keys"][0]["key"], json!(null));
    write(admin, &FILE.replace("Reporting", "Fourth"));
    fs::write(admin.path("file"), "").unwrap();
    let refused = admin.run(&["apply", "-f", "org.toml", "--yes", "--secrets-dir", "file"]);
    assert!(refused.code == 2 && refused.stderr.contains("file: "), "{refused:?}");
    assert!(admin.json(&["keys", "list", "-q", "Fourth"])["data"].as_array().unwrap().is_empty());
}

async fn a_file_with_a_part_of_the_configuration_changes_only_that_part(backend: Backend) {
    let Scene { admin, .. } = &Scene::set(backend).await;
    for (file, diff) in [
        ("[organization]\nid = 'default'", ""),
        ("organization = { id = 'default' }\nprojects = [{ id = 'web' }]", "+ project \"web\" (web)\n"),
        (
            "[organization]\nid = 'default'\nname = 'New'",
            "~ organization \"New\" (default)\n    name: default → New\n",
        ),
    ] {
        write(admin, file);
        let said = admin.ok(&["apply", "-f", "org.toml", "--yes"]);
        assert!(said.stdout.starts_with(diff), "{file}: {said:?}");
    }
    for (file, complaint) in [
        ("[organization]\nid = 'other'", "(invalid_request, "),
        ("", "organization.id is missing"),
        ("{}", "organization.id is missing"),
        ("projects = [{ id = 'web' }]", "organization.id is missing"),
        ("[[keys]]\nname = 'x'\ncolour = 'red'", "unknown field `colour`"),
        ("[[keys]\nname = 'x'", "org.toml: line 1: "),
        ("[[keys]]\nscopes = ['eat:*']", "org.toml: "),
    ] {
        write(admin, file);
        admin.run(&["apply", "-f", "org.toml", "--yes"]).assert_failed(2, complaint);
    }
    admin.run(&["apply", "-f", "nowhere.toml"]).assert_failed(2, "nowhere.toml: No such file");
}

async fn what_a_file_lacks_is_revoked_when_asked_for(backend: Backend) {
    let Scene { admin, .. } = &Scene::set(backend).await;
    let exported = admin.ok(&["orgs", "export"]).stdout;
    let create = ["keys", "create", "Old", "--project", "default", "--env", "dev", "--preset", "query_only"];
    let id = admin.json(&create)["id"].as_str().unwrap().to_owned();
    write(admin, &exported);
    assert_eq!(admin.ok(&["apply", "-f", "org.toml"]).stderr, "Nothing to change.\n");
    let pruned = admin.ok(&["apply", "-f", "org.toml", "--prune", "--yes"]);
    assert_eq!(pruned.stdout, format!("- key \"Old\" ({id})\n"));
    assert_eq!(admin.json(&["keys", "get", &id])["status"], "revoked");
}

async fn most_keys_are_pruned_only_when_that_is_confirmed(backend: Backend) {
    let Scene { admin, .. } = &Scene::set(backend).await;
    let exported = admin.ok(&["orgs", "export"]).stdout;
    for name in ["a", "b"] {
        admin.ok(&["keys", "create", name, "--project", "default", "--env", "dev", "--preset", "query_only"]);
    }
    for flags in [&["--yes"][..], &["--yes", "--force"], &["--dry-run"]] {
        let refused = admin.run(&[&["apply", "-f", "/dev/null", "--prune"], flags].concat());
        refused.assert_failed(2, "organization.id is missing");
        write(admin, &exported);
        let refused = admin.run(&[&["apply", "-f", "org.toml", "--prune"], flags].concat());
        refused.assert_failed(5, "2 of the organization's 3 keys");
        assert!(refused.stderr.contains("--prune-all"), "{refused:?}");
    }
    admin.run(&["apply", "-f", "org.toml", "--prune-all"]).assert_failed(2, "--prune");
    let pruned = admin.ok(&["apply", "-f", "org.toml", "--prune", "--prune-all", "--yes"]);
    assert_eq!(pruned.stderr, "Done: 2 changes.\n");
}

const WAYS_IN: &str = r#"
[organization]
id = "default"

[[issuers]]
id = "gh"
issuer = "https://token.actions.githubusercontent.com"
keys = { discovery = true }
algorithms = ["RS256"]

[[issuers]]
id = "cluster"
issuer = "https://cluster.example"
algorithms = ["EdDSA"]
[[issuers.keys.jwks.keys]]
kty = "OKP"
crv = "Ed25519"
kid = "1"
x = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"

[[keys]]
name = "Deploy"
project = "default"
environment = "prd"
preset = "query_only"
secret = false
dpop = "required"
trust_rules = [{ issuer = "gh", claims = { "/repository_id" = "74" } }, { issuer = "cluster", subject = "a:*" }]

[[keys.public_keys]]
kty = "OKP"
crv = "Ed25519"
kid = "laptop"
x = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"
"#;

async fn every_way_in_goes_through_a_file(backend: Backend) {
    let Scene { admin, .. } = &Scene::set(backend).await;
    write(admin, WAYS_IN);
    let dry_run = admin.ok(&["apply", "-f", "org.toml", "--dry-run"]).stdout;
    for line in [
        "+ issuer \"gh\" (gh)",
        "+ key \"Deploy\"",
        "    public_keys: (EdDSA laptop)",
        "    secret: false",
        "    trust_rules: (cluster sub=a:*) (gh /repository_id=74)",
    ] {
        assert!(dry_run.lines().any(|shown| shown == line), "{line}: {dry_run}");
    }
    let done = admin.ok(&["apply", "-f", "org.toml", "--yes", "--secrets-dir", "secrets"]);
    assert!(masked(&done.stderr).contains("key_xxxxxxxxxxxxxxxx has no secret\n"), "{done:?}");
    assert!(done.stderr.ends_with("Done: 3 changes.\n"), "{done:?}");
    assert_eq!(fs::read_dir(admin.path("secrets")).unwrap().count(), 0);

    let exported = admin.ok(&["orgs", "export"]).stdout;
    for file in [WAYS_IN.to_owned(), exported.clone(), admin.json(&["orgs", "export"]).to_string()] {
        write(admin, &file);
        assert_eq!(admin.ok(&["apply", "-f", "org.toml", "--yes"]).stderr, "Nothing to change.\n", "{file}");
    }
    for line in ["secret = false\n", "dpop = \"required\"\n", "discovery = true\n"] {
        assert!(exported.contains(line), "{line}: {exported}");
    }

    write(admin, &WAYS_IN.replace("Deploy", "Another"));
    let printed = masked(&admin.ok(&["apply", "-f", "org.toml", "--yes"]).stdout);
    assert!(printed.ends_with("\ndefault/prd/Another\tkey_xxxxxxxxxxxxxxxx\n"), "{printed:?}");

    // Without the issuers that nothing names any more.
    let mut document: toml::Table = toml::from_str(&exported).unwrap();
    let issuers = document["issuers"].as_array_mut().unwrap();
    issuers.retain(|issuer| issuer["id"].as_str() == Some("gh"));
    let key = document["keys"].as_array_mut().unwrap();
    let deploy = key.iter_mut().find(|key| key["name"].as_str() == Some("Deploy")).unwrap();
    deploy["trust_rules"].as_array_mut().unwrap().retain(|rule| rule["issuer"].as_str() == Some("gh"));
    write(admin, &toml::to_string(&document).unwrap());
    let pruned = admin.ok(&["apply", "-f", "org.toml", "--prune", "--yes"]).stdout;
    assert_eq!(
        masked(&pruned),
        "- issuer \"cluster\" (cluster)\n\
         ~ key \"Deploy\" (key_xxxxxxxxxxxxxxxx)\n    \
             trust_rules: (cluster sub=a:*) (gh /repository_id=74) → (gh /repository_id=74)\n\
         - key \"Another\" (key_xxxxxxxxxxxxxxxx)\n"
    );

    write(admin, &WAYS_IN.replace("cluster", "other").replace("kid = \"laptop\"", "d = \"c2VjcmV0\""));
    let refused = admin.run(&["apply", "-f", "org.toml", "--yes"]);
    refused
        .assert_failed(2, "keys[0]: \"Deploy\": the public key is refused: `d` is secret and has no place");
    assert!(!format!("{refused:?}").contains("c2VjcmV0"), "{refused:?}");
}
