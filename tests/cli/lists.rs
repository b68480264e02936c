//! Lists: filters, pages, and what is said when there is nothing.

use serde_json::{Deserializer, Value};

use crate::shell::{Scene, masked};
use crate::support::{Backend, on_both};

on_both!(keys_are_listed_by_what_they_are, long_lists_come_in_pages);

async fn keys_are_listed_by_what_they_are(backend: Backend) {
    let Scene { admin, .. } = &Scene::set(backend).await;
    let make = |name: &str, env: &str, more: &[&str]| {
        let create = ["keys", "create", name, "--project", "default", "--env", env, "--json"];
        admin.ok(&[&create, more].concat()).json()["id"].as_str().unwrap().to_owned()
    };
    make(
        "Many",
        "prd",
        &["--scope", "read:a", "--scope", "read:b", "--scope", "read:c", "--scope", "write:d"],
    );
    let gone = make("Gone", "dev", &["--preset", "query_only"]);
    admin.ok(&["keys", "revoke", &gone]);
    let list = |more: &[&str]| {
        let said = admin.ok(&[&["keys", "list"], more].concat());
        (masked(&said.stdout), said.stderr)
    };
    // The administrator's own key is in use.
    assert_eq!(
        list(&["--query", "man"]),
        (
            "ID                    NAME  PROJECT  ENV  STATUS  SCOPES            EXPIRES  LAST USED\n\
             key_xxxxxxxxxxxxxxxx  Many  default  prd  active  read:a read:b +2  never    never\n"
                .into(),
            String::new()
        )
    );
    assert_eq!(
        list(&["--status", "revoked", "--env", "dev", "--project", "default"]),
        (
            "ID                    NAME  PROJECT  ENV  STATUS   SCOPES  EXPIRES  LAST USED\n\
             key_xxxxxxxxxxxxxxxx  Gone  default  dev  revoked  read:*  never    never\n"
                .into(),
            String::new()
        )
    );
    let none = "No keys. The list shows active keys unless you set --status.\n";
    assert_eq!(list(&["--query", "nothing"]), (String::new(), none.into()));
    let ids = |more: &[&str]| {
        let listed = admin.json(&[&["keys", "list"], more].concat());
        listed["data"].as_array().unwrap().iter().map(|key| key["name"].clone()).collect::<Vec<_>>()
    };
    let own = admin.json(&["self"])["id"].as_str().unwrap().to_owned();
    assert_eq!(ids(&["--created-by", &own, "--status", "all"]), ["Gone", "Many"]);
    assert_eq!(ids(&["--unused-since", "90d"]), Vec::<Value>::new());
    assert_eq!(ids(&["--unused-since", "2099-01-01", "--query", "Many"]), ["Many"]);
}

async fn long_lists_come_in_pages(backend: Backend) {
    let Scene { admin, .. } = &Scene::set(backend).await;
    for id in ["a", "b", "c", "d"] {
        admin.ok(&["projects", "create", id]);
    }
    let page = admin.ok(&["projects", "list", "--limit", "2"]);
    let shown: Vec<_> = page.stdout.lines().filter_map(|line| line.split(' ').next()).collect();
    assert_eq!(shown, ["ID", "d", "c"]);
    let more = page.stderr.strip_prefix("There may be more: use --all, or --cursor ").unwrap().trim_end();
    let second = admin.json(&["projects", "list", "--limit", "2", "--cursor", more]);
    assert_eq!([&second["data"][0]["id"], &second["data"][1]["id"]], ["b", "a"]);
    let all = admin.ok(&["projects", "list", "--all", "--limit", "2"]);
    let shown: Vec<_> = all.stdout.lines().filter_map(|line| line.split(' ').next()).collect();
    assert_eq!((shown.as_slice(), all.stderr.as_str()), (&["ID", "d", "c", "b", "a", "default"][..], ""));
    let documents = admin.ok(&["projects", "list", "--all", "--limit", "2", "--json"]).stdout;
    let documents: Vec<Value> = Deserializer::from_str(&documents).into_iter().map(Result::unwrap).collect();
    assert_eq!(documents.len(), 3);
    assert!(documents[2]["next_cursor"].is_null() && documents[1]["next_cursor"].is_string());
    admin.run(&["projects", "list", "--cursor", "nonsense"]).assert_failed(2, "cursor");
    admin
        .run(&["projects", "list", "--cursor", "-AAAAAAAAAAAAAAA"])
        .assert_failed(2, "the cursor does not belong to this list");
}
