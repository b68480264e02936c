//! Lists: filters, pages, and what is said when there is nothing.

use serde_json::{Deserializer, Value};

use crate::shell::{Scene, masked};
use crate::support::{Backend, on_both};

on_both!(
    keys_are_listed_by_what_they_are,
    keys_are_listed_by_tags_and_owner_in_any_order,
    long_lists_come_in_pages
);

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

async fn keys_are_listed_by_tags_and_owner_in_any_order(backend: Backend) {
    let Scene { admin, .. } = &Scene::set(backend).await;
    let make = |name: &str, more: &[&str]| {
        let create =
            ["keys", "create", name, "--project", "default", "--env", "prd", "--preset", "query_only"];
        admin.json(&[&create, more].concat())
    };
    let shop = make("Shop", &["--tag", "team=a b", "--tag", "tier=gold", "--owner", "Payments team"]);
    assert_eq!(shop["tags"], serde_json::json!({ "team": "a b", "tier": "gold" }));
    make("App", &["--tag", "team=b"]);
    let list = |more: &[&str]| masked(&admin.ok(&[&["keys", "list"], more].concat()).stdout);
    assert_eq!(
        list(&["--tag", "team", "--sort", "name"]),
        "ID                    NAME  PROJECT  ENV  STATUS  SCOPES  TAGS                OWNER          EXPIRES  LAST USED\n\
         key_xxxxxxxxxxxxxxxx  App   default  prd  active  read:*  team=b                             never    never\n\
         key_xxxxxxxxxxxxxxxx  Shop  default  prd  active  read:*  team=a b tier=gold  Payments team  never    never\n"
    );
    let names = |more: &[&str]| {
        let listed = admin.json(&[&["keys", "list"], more].concat());
        listed["data"].as_array().unwrap().iter().map(|key| key["name"].clone()).collect::<Vec<_>>()
    };
    assert_eq!(names(&["--tag", "team", "--sort", "-name"]), ["Shop", "App"]);
    assert_eq!(names(&["--tag", "team=a b", "--tag", "tier"]), ["Shop"]);
    assert_eq!(names(&["--tag", "team:b"]), ["App"]);
    assert_eq!(names(&["--owner", "Payments team"]), ["Shop"]);
    admin.run(&["keys", "list", "--sort", "id"]).assert_failed(2, "name, created, expires or last_used");
    admin.run(&["keys", "list", "--tag", "Team"]).assert_failed(2, "a tag's name has 1 to 63 characters");
    let id = shop["id"].as_str().unwrap();
    let update = |more: &[&str]| admin.ok(&[&["keys", "update", id], more].concat()).stdout;
    assert!(update(&["--tag", "team=c"]).contains("Tags          team=c\nOwner         Payments team\n"));
    assert_eq!(
        update(&["--no-tags", "--no-owner", "--dry-run"]),
        "owner: Payments team → none\ntags: team=c → none\n"
    );
    let cleared = update(&["--no-tags", "--no-owner"]);
    assert!(!cleared.contains("Tags") && !cleared.contains("Owner"), "{cleared}");
    let many = admin.ok(&["keys", "disable-matching", "--tag", "team=b", "--yes"]);
    assert!(many.stdout.contains("App") && !many.stdout.contains("Shop"), "{many:?}");
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
