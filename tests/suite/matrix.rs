//! Every operation of the management API against every kind of caller: who is refused, how exactly, and which
//! scope would have helped. The operations come from the server's own table of routes, so that none is left out.

mod callers;
pub(crate) mod operations;
mod roles;

use claviger::http::{ROUTES, Route};

use self::callers::{Kind, Scenario};
use self::operations::{Needs, Operation};
use crate::support::{Answer, Backend, Server, on_both};

on_both!(every_operation_refuses_whom_it_must);

/// What is open to everybody, guards itself in OAuth's words, or is asked which scope it takes.
const NOT_GUARDED: [&str; 16] = [
    "/oauth/token",
    "/oauth/introspect",
    "/oauth/revoke",
    "/oauth/revocations",
    "/openapi.yaml",
    "/llms.txt",
    "/docs",
    "/docs/{file}",
    "/docs/operating/{page}",
    "/.well-known/jwks.json",
    "/.well-known/oauth-authorization-server",
    "/.well-known/openid-configuration",
    "/v1/gate",
    "/v1/gate/envoy/{options}/{*target}",
    "/healthz",
    "/readyz",
];

async fn every_operation_refuses_whom_it_must(backend: Backend) {
    let server = Server::start(backend).await;
    for (at, operation) in operations().enumerate() {
        let named = format!("{} {}", operation.method, operation.path);
        let scenario = Scenario::set(&server, &format!("acme-{at}"), operation).await;
        let before = stored(&server).await;
        for kind in Kind::ALL {
            let answer = scenario.ask(kind).await;
            check(&format!("{named}, {kind:?}"), &scenario, kind, &answer);
        }
        assert_eq!(stored(&server).await, before, "{named} did something for somebody who may not");
        let (answer, operation) = (scenario.ask_rightly().await, scenario.operation());
        assert_eq!(answer.status, operation.done, "{named}, with its scope: {}", answer.text);
        if matches!(operation.needs, Needs::ToSee(_)) {
            assert_eq!(shown(&answer), 1, "{named}, with its scope: {}", answer.text);
        }
    }
}

/// Every operation that guards itself by a scope.
pub(crate) fn operations() -> impl Iterator<Item = Operation> {
    let guarded = ROUTES.iter().filter(|route| !NOT_GUARDED.contains(&route.path));
    guarded.map(|Route { method, path, .. }| {
        let known = method.as_ref().and_then(|method| Operation::of(method, path));
        known.unwrap_or_else(|| {
            panic!("{method:?} {path} is not in the matrix: say in operations.rs what it needs")
        })
    })
}

/// All that is stored but the trail, in which refusals may be.
async fn stored(server: &Server) -> Vec<String> {
    const TRAIL: [&str; 3] = ["audit_events ", "changes ", "sequences "];
    let mut dump = server.database.dump().await;
    dump.retain(|line| !TRAIL.iter().any(|table| line.starts_with(table)));
    dump
}

fn shown(list: &Answer) -> usize {
    list.json()["data"].as_array().expect("a list").len()
}

#[track_caller]
fn check(what: &str, scenario: &Scenario<'_>, kind: Kind, answer: &Answer) {
    let (status, code) = scenario.verdict(kind);
    let said = if answer.status < 300 { String::new() } else { answer.code() };
    assert_eq!((answer.status, &*said), (status, code), "{what}: {}", answer.text);
    let challenge = answer.header("www-authenticate");
    match code {
        "" if matches!(scenario.operation().needs, Needs::ToSee(_)) => assert_eq!(shown(answer), 0, "{what}"),
        "forbidden" => {
            let scope = scenario.missing();
            assert!(
                answer.json()["error"]["message"].as_str().unwrap().contains(&scope),
                "{what}: {answer:?}"
            );
            let named = format!(r#"error="insufficient_scope", scope="{scope}""#);
            assert!(challenge.contains(&named), "{what}: {answer:?}");
        }
        _ if status == 401 => {
            assert!(challenge.starts_with("Bearer realm="), "{what}: {answer:?}");
            let is_told = challenge.contains(r#"error="invalid_token""#);
            assert_eq!(is_told, kind != Kind::NoCredential, "{what}: {answer:?}");
        }
        _ => assert_eq!(challenge, "", "{what}: {answer:?}"),
    }
}
