//! `claviger keys revoke-matching` and `rescope-matching`.

use serde_json::json;

use crate::shell::{Scene, Shell};
use crate::support::{Backend, is_here, on_both};

on_both!(many_keys_are_revoked_only_when_confirmed, many_keys_get_other_scopes);

fn make(admin: &Shell, name: &str) -> String {
    let create = ["keys", "create", name, "--project", "default", "--env", "dev", "--preset", "query_only"];
    admin.json(&create)["id"].as_str().unwrap().to_owned()
}

fn active(admin: &Shell) -> usize {
    admin.json(&["keys", "list", "--env", "dev"])["data"].as_array().unwrap().len()
}

async fn many_keys_are_revoked_only_when_confirmed(backend: Backend) {
    let Scene { admin, .. } = &Scene::set(backend).await;
    let ids = ["One", "Two"].map(|name| make(admin, name));
    let revoke = ["keys", "revoke-matching", "--env", "dev", "--reason", "tidied"];
    let listed = format!(
        "ID                    NAME  PROJECT  ENV  CHANGES\n\
         {}  Two   default  dev  status: active → revoked\n\
         {}  One   default  dev  status: active → revoked\n",
        ids[1], ids[0]
    );
    let dry_run = admin.ok(&[&revoke[..], &["--dry-run"]].concat());
    assert_eq!((dry_run.stdout, dry_run.stderr), (listed.clone(), String::new()));
    let unasked = admin.run(&revoke);
    assert_eq!((unasked.code, &unasked.stdout), (2, &listed));
    assert!(
        unasked
            .stderr
            .contains("nothing was changed: there is no terminal to ask for confirmation; use --yes"),
        "{unasked:?}"
    );
    if is_here("script") {
        let (code, shown) = admin.on_a_terminal("n\n", &revoke);
        assert!(code == 1 && shown.contains("Revoke 2 keys? [y/N]"), "{code}: {shown}");
    }
    assert_eq!(active(admin), 2);
    let done = admin.ok(&[&revoke[..], &["--yes"]].concat());
    assert_eq!((done.stdout, done.stderr), (listed, "Done: 2.\n".into()));
    assert_eq!(active(admin), 0);
    assert_eq!(admin.json(&["keys", "get", &ids[0]])["revoked_reason"], "tidied");
    let again = admin.ok(&[&revoke[..], &["--yes"]].concat());
    assert_eq!((again.stdout.as_str(), again.stderr.as_str()), ("", "Done: 0.\n"));
    admin.run(&["keys", "revoke-matching", "--yes"]).assert_failed(2, "--project <PROJECT>");
}

async fn many_keys_get_other_scopes(backend: Backend) {
    let Scene { admin, .. } = &Scene::set(backend).await;
    let id = make(admin, "One");
    let rescope = ["keys", "rescope-matching", "--env", "dev"];
    let changed =
        admin.ok(&[&rescope[..], &["--add", "write:a", "--remove", "read:*", "--dry-run"]].concat());
    assert!(changed.stdout.ends_with("scopes: read:* → write:a\n"), "{changed:?}");
    let done = admin.json(&[&rescope[..], &["--scope", "read:b", "--yes"]].concat());
    assert_eq!([&done["dry_run"], &done["count"]], [&json!(false), &json!(1)]);
    assert_eq!(admin.json(&["keys", "get", &id])["scopes"], json!([{"action": "read", "resource": "b"}]));
    admin.run(&rescope).assert_failed(2, "--scope <SCOPE>");
}
