//! Finding keys, and what is said when there are none.

use serde_json::Value;

use crate::shell::{Scene, masked};
use crate::support::{Backend, on_both};

on_both!(a_key_is_found_in_every_organization, lists_are_narrowed_by_end_and_address, an_empty_list_says_why);

async fn a_key_is_found_in_every_organization(backend: Backend) {
    let Scene { admin, .. } = &Scene::set(backend).await;
    admin.ok(&["orgs", "create", "acme"]);
    admin.ok(&["projects", "create", "web", "--org", "acme"]);
    let create = ["keys", "create", "x", "--org", "acme", "--project", "web", "--env", "dev"];
    let key = admin.json(&[&create[..], &["--preset", "query_only"]].concat());
    let (id, prefix) = (key["id"].as_str().unwrap(), key["prefix"].as_str().unwrap());
    for clue in [id, &id[..8], prefix, prefix.trim_end_matches('…')] {
        let said = admin.ok(&["keys", "find", clue]);
        assert_eq!(
            masked(&said.stdout),
            "ID                    ORGANIZATION  NAME  PROJECT  ENV  STATUS  EXPIRES  LAST USED\n\
             key_xxxxxxxxxxxxxxxx  acme          x     web      dev  active  never    never\n",
            "{clue}"
        );
    }
    let none = admin.ok(&["keys", "find", "key_0000000000000000"]);
    assert_eq!(none.stderr, "No matching key among those that the caller can read.\n");
    admin.run(&["keys", "find", "key_abc"]).assert_failed(2, "the first 4 or more characters");
}

async fn lists_are_narrowed_by_end_and_address(backend: Backend) {
    let Scene { admin, .. } = &Scene::set(backend).await;
    let make = |name: &str, more: &[&str]| {
        let create =
            ["keys", "create", name, "--project", "default", "--env", "dev", "--preset", "query_only"];
        admin.ok(&[&create[..], more].concat());
    };
    make("soon", &["--expires-in", "20d", "--cidr", "10.0.0.0/8"]);
    make("later", &["--expires-in", "40d", "--cidr", "*"]);
    let names = |more: &[&str]| {
        let listed = admin.json(&[&["keys", "list", "--env", "dev"], more].concat());
        listed["data"].as_array().unwrap().iter().map(|key| key["name"].clone()).collect::<Vec<Value>>()
    };
    assert_eq!(names(&["--expires-within", "30d"]), ["soon"]);
    assert_eq!(names(&["--expires-within", "60d"]), ["later", "soon"]);
    assert_eq!(names(&["--any-address"]), ["later"]);
    assert_eq!(names(&["--any-address", "--expires-within", "30d"]), Vec::<Value>::new());
}

async fn an_empty_list_says_why(backend: Backend) {
    let scene = Scene::set(backend).await;
    let list = |more: &[&str]| {
        let said = scene.admin.ok(&[&["keys", "list"], more].concat());
        (said.stdout, said.stderr)
    };
    let said = |words: &str| (String::new(), format!("{words}\n"));
    assert_eq!(list(&["--project", "nowhere"]), said("The project nowhere does not exist in default."));
    let unknown = "The project default has no environment test; it has dev, stg, prd.";
    assert_eq!(list(&["--project", "default", "--env", "test"]), said(unknown));
    let usual = "No keys. The list shows active keys unless you set --status.";
    assert_eq!(list(&["--project", "default", "--env", "dev"]), said(usual));
    let create =
        ["keys", "create", "Reader", "--project", "default", "--env", "prd", "--preset", "query_only"];
    let reader = scene.shell_of(scene.admin.ok(&create).stdout.trim_end());
    let blind = reader.ok(&["keys", "list"]);
    assert!(blind.stderr.starts_with("This credential cannot see any key of default"), "{blind:?}");
    assert_eq!(reader.ok(&["keys", "list", "--json"]).stderr, "");
    let none = |list: &[&str]| reader.ok(list).stderr;
    assert_eq!(none(&["orgs", "list"]), "This credential cannot read any organization.\n");
    assert_eq!(none(&["projects", "list"]), "This credential cannot read any project of default.\n");
}
