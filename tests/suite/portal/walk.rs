//! A user of the portal tries every route of the server.

use claviger::http::ROUTES;
use reqwest::Method;

use super::browser::{Portal, session};
use crate::support::{Backend, Server, on_both};

on_both!(the_cookie_opens_nothing_else);

async fn the_cookie_opens_nothing_else(backend: Backend) {
    let server = Server::start(backend).await;
    let portal = Portal::open(&server, &session("ada")).await;
    let key = server.key_from(serde_json::json!({ "name": "x", "preset": "query_only" })).await.0;
    let filled = |path: &str| {
        path.replace("{org}", "default")
            .replace("{key}", &key)
            .replace("{project}", "default")
            .replace(['{', '}', '*'], "")
    };
    let client = portal.with_cookie();
    for route in ROUTES.iter().filter(|route| route.path.starts_with("/v1/")) {
        let method = route.method.clone().unwrap_or(Method::GET);
        let answer = client.send(method.clone(), &filled(route.path), None).await;
        // The gate asks first what it is to check.
        let refused = if route.path.starts_with("/v1/gate") { 400..=401 } else { 401..=401 };
        assert!(refused.contains(&answer.status), "{method} {}: {}", route.path, answer.text);
    }
    for route in claviger::console::ROUTES {
        let method = route.method.clone().unwrap_or(Method::GET);
        let open = ["/console/sign-in", "/console/assets", "/console/set-up", "/console/invitation"];
        if open.iter().any(|open| route.path.starts_with(open)) {
            continue;
        }
        let answer = client.send(method.clone(), &filled(route.path), None).await;
        let is_led_to_sign_in =
            answer.status == 303 && answer.header("location").starts_with("/console/sign-in");
        assert!(is_led_to_sign_in || answer.status >= 400, "{method} {}: {}", route.path, answer.status);
    }
    // What the console has and the portal has not, and what other organizations have.
    for path in [
        "orgs",
        "orgs/default/audit",
        "orgs/default/usage",
        "orgs/default/projects",
        "orgs/default/issuers",
        "orgs/default/signing-keys",
        "orgs/default/members",
        "orgs/default/keys.csv",
        "orgs/other/keys",
    ] {
        assert_eq!(portal.get(&format!("/portal/{path}")).await.status, 404, "{path}");
    }
    let own = portal.new_key("own").await;
    let list = portal.get("/portal/orgs/default/keys").await.text;
    for bulk in ["checkbox\" name=\"key\"", "selecting", "Select ", "Export"] {
        assert!(list.contains("own") && !list.contains(bulk), "{bulk}: {list}");
    }
    for (path, act) in [("selected", "revoke"), ("selected/act", "revoke"), ("selected/export", "")] {
        let fields = format!("act={act}&key={own}&number=1");
        let answer = portal.post(&format!("/portal/orgs/default/keys/{path}"), &fields).await;
        assert!([404, 405].contains(&answer.status), "{path}: {} {}", answer.status, answer.text);
    }
    for act in ["disable", "enable", "delete", "public-keys/new", "trust-rules/new"] {
        assert_eq!(portal.get(&format!("/portal/orgs/default/keys/{own}/{act}")).await.status, 404, "{act}");
    }
}
