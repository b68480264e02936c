//! What is said when something fails, and the exit code that scripts go by.

use serde_json::Value;

use crate::shell::{Scene, Shell};
use crate::support::{Backend, on_both};

on_both!(each_kind_of_failure_has_its_exit_code, failures_are_json_for_those_who_asked_for_json);

const UNKNOWN_KEY: &str = "clv_prd_aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";

async fn each_kind_of_failure_has_its_exit_code(backend: Backend) {
    let scene = Scene::set(backend).await;
    let create =
        ["keys", "create", "Reader", "--project", "default", "--env", "prd", "--preset", "query_only"];
    let reader = scene.admin.ok(&create).stdout;
    let reader = scene.shell_of(reader.trim_end());
    let nobody = scene.shell_of(UNKNOWN_KEY);
    let admin = &scene.admin;
    nobody.run(&["self"]).assert_failed(3, "Check which key is used: CLAVIGER_API_KEY");
    nobody.run(&["token"]).assert_failed(3, "(invalid_client)");
    assert_eq!(reader.ok(&["keys", "list"]).stdout, "");
    reader.run(&["orgs", "get", "default"]).assert_failed(3, "read:claviger/orgs/default");
    reader.run(&["orgs", "get", "default"]).assert_failed(3, "`claviger self` shows what this key can do");
    reader.run(&["projects", "get", "default", "--org", "other"]).assert_failed(4, "not_found");
    admin.run(&["keys", "get", "key_aaaaaaaaaaaaaaaa"]).assert_failed(4, "Search with `list`");
    admin.run(&["orgs", "create", "default"]).assert_failed(5, "(conflict, request ");
    admin
        .run(&["orgs", "create", "o", "--audience", "https://x.example"])
        .assert_failed(2, "invalid_request");
    for (arguments, complaint) in [
        (&["keys", "create", "x", "--project", "default", "--env", "prd"][..], "--scope <SCOPE>"),
        (&["keys", "get", "nonsense"], "a key's id must be `key_`"),
        (&["keys", "list", "--limit", "201"], "201 is not in 1..=200"),
        (&["orgs", "create", "Upper"], "an id must have 1 to 63 characters of a-z"),
        (&["keys", "list", "--unused-since", "long"], "is not a time such as"),
        (&["usage"], "Usage: claviger usage"),
        (&["self", "--url", "nowhere"], "is not an absolute URL"),
        (&["self", "--url", "http://a", "--profile", "b"], "cannot be used with"),
        (&["nonsense"], "unrecognized subcommand"),
    ] {
        admin.run(arguments).assert_failed(2, complaint);
    }
    let url = scene.server.issuer.clone();
    scene.server.signal("KILL");
    scene.server.end();
    let away = Shell::new().set("CLAVIGER_URL", &url).set("CLAVIGER_API_KEY", UNKNOWN_KEY);
    away.run(&["self"]).assert_failed(6, "Check that the server is running and that the URL is right");
}

async fn failures_are_json_for_those_who_asked_for_json(backend: Backend) {
    let scene = Scene::set(backend).await;
    let said = |shell: &Shell, arguments: &[&str]| {
        let said = shell.run(arguments);
        assert_eq!(said.stdout, "", "{said:?}");
        (said.code, serde_json::from_str::<Value>(&said.stderr).unwrap_or_else(|_| panic!("{said:?}")))
    };
    let (code, error) = said(&scene.admin, &["projects", "get", "web", "--json"]);
    assert_eq!((code, &error["error"]["code"]), (4, &Value::from("not_found")));
    assert!(error["error"]["request_id"].is_string(), "{error}");
    let (code, error) = said(&Shell::new(), &["keys", "--json", "list"]);
    assert_eq!((code, &error["error"]["code"]), (2, &Value::from("usage")));
    let (code, error) = said(&scene.admin, &["keys", "get", "nonsense", "--json"]);
    assert_eq!((code, &error["error"]["code"]), (2, &Value::from("usage")));
    let away = Shell::new().set("CLAVIGER_URL", "http://127.0.0.1:1").set("CLAVIGER_API_KEY", UNKNOWN_KEY);
    let (code, error) = said(&away, &["self", "--json"]);
    assert_eq!((code, &error["error"]["code"]), (6, &Value::from("unavailable")));
}
