//! What each operation of the management API is asked with, and what it needs.

use reqwest::Method;
use serde_json::{Value, json};

/// An operation on what a [`super::Stage`] has: the organization `acme`, its project `web`, and a key in there with
/// two secrets.
#[derive(Clone, Debug)]
pub(super) struct Operation {
    pub(super) method: Method,
    /// With `{key}` and `{secret}` to be filled in.
    pub(super) path: String,
    pub(super) body: Option<Value>,
    pub(super) needs: Needs,
    /// The status for whoever may.
    pub(super) done: u16,
}

/// What an operation needs; `{key}` is filled in.
#[derive(Clone, Copy, Debug)]
pub(super) enum Needs {
    /// Any good credential.
    Nobody,
    /// This scope, which is also what a refusal names.
    Scope(&'static str),
    /// The first scope; a refusal names the second, since it does not tell which project a key is in.
    Of(&'static str, &'static str),
    /// Nothing, but with this scope there is one thing to be seen.
    ToSee(&'static str),
}

use Needs::{Nobody, Of, Scope, ToSee};

const READ_KEY: Needs =
    Of("read:claviger/orgs/acme/projects/web/keys/{key}", "read:claviger/orgs/acme/projects/*/keys/{key}");
const WRITE_KEY: Needs =
    Of("write:claviger/orgs/acme/projects/web/keys/{key}", "write:claviger/orgs/acme/projects/*/keys/{key}");
const WRITE_KEYS_OF_WEB: Needs = Scope("write:claviger/orgs/acme/projects/web/keys/*");

impl Operation {
    /// What the operation of a route is asked with; `None` for a route that nobody has described here yet.
    pub(super) fn of(method: &Method, route: &str) -> Option<Self> {
        let (needs, done, body) = described(method.as_str(), route)?;
        let path = route.replace("{org}", "acme").replace("{project}", "web");
        let body = (!body.is_null()).then_some(body);
        Some(Self { method: method.clone(), path, body, needs, done })
    }
}

fn described(method: &str, route: &str) -> Option<(Needs, u16, Value)> {
    let below_v1 = route.strip_prefix("/v1/")?;
    let Some(below) = below_v1.strip_prefix("orgs/{org}/") else { return of_deployment(method, below_v1) };
    match below.strip_prefix("keys") {
        Some(below) => of_keys(method, below),
        None => of_organization(method, below),
    }
}

fn of_deployment(method: &str, route: &str) -> Option<(Needs, u16, Value)> {
    Some(match (method, route) {
        ("GET", "self") => (Nobody, 200, Value::Null),
        ("GET", "orgs") => (ToSee("read:claviger/orgs/acme"), 200, Value::Null),
        ("POST", "orgs") => (Scope("admin:claviger/orgs/new"), 201, json!({ "id": "new" })),
        ("GET", "orgs/{org}") => (Scope("read:claviger/orgs/acme"), 200, Value::Null),
        ("PATCH", "orgs/{org}") => (Scope("admin:claviger/orgs/acme"), 200, json!({ "name": "x" })),
        ("DELETE", "orgs/{org}") => (Scope("admin:claviger/orgs/acme"), 204, Value::Null),
        ("GET", "signing-keys") => (Scope("read:claviger/signing-keys"), 200, Value::Null),
        ("POST", "signing-keys/rotate") => (Scope("admin:claviger/signing-keys"), 201, json!({})),
        ("GET", "audit") => (Scope("read:claviger/audit"), 200, Value::Null),
        _ => return None,
    })
}

fn of_organization(method: &str, route: &str) -> Option<(Needs, u16, Value)> {
    const EVERYTHING: Needs = Scope("read:claviger/orgs/acme/**");
    Some(match (method, route) {
        ("GET", "configuration") => (EVERYTHING, 200, Value::Null),
        ("PUT", "configuration") => (EVERYTHING, 200, json!({})),
        ("GET", "usage") => (Scope("read:claviger/orgs/acme/usage"), 200, Value::Null),
        ("GET", "audit") => (Scope("read:claviger/orgs/acme/audit"), 200, Value::Null),
        ("GET", "projects") => (ToSee("read:claviger/orgs/acme/projects/web"), 200, Value::Null),
        ("POST", "projects") => (Scope("write:claviger/orgs/acme/projects/new"), 201, json!({ "id": "new" })),
        ("GET", "projects/{project}") => (Scope("read:claviger/orgs/acme/projects/web"), 200, Value::Null),
        ("PATCH", "projects/{project}") => {
            (Scope("write:claviger/orgs/acme/projects/web"), 200, json!({ "name": "x" }))
        }
        ("DELETE", "projects/{project}") => {
            (Scope("write:claviger/orgs/acme/projects/web"), 204, Value::Null)
        }
        _ => return None,
    })
}

fn of_keys(method: &str, route: &str) -> Option<(Needs, u16, Value)> {
    let new = json!({ "name": "x", "project": "web", "environment": "prd", "preset": "query_only" });
    let of_web = json!({ "filter": { "project": "web" } });
    let more = json!({ "filter": { "project": "web" }, "add": [{ "action": "write" }] });
    Some(match (method, route) {
        ("GET", "") => (ToSee("read:claviger/orgs/acme/projects/web/keys/*"), 200, Value::Null),
        ("POST", "") => (WRITE_KEYS_OF_WEB, 201, new),
        ("POST", "/revoke") => (WRITE_KEYS_OF_WEB, 200, of_web),
        ("POST", "/rescope") => (WRITE_KEYS_OF_WEB, 200, more),
        ("GET", "/{key}" | "/{key}/usage") => (READ_KEY, 200, Value::Null),
        ("PATCH", "/{key}") => (WRITE_KEY, 200, json!({ "name": "x" })),
        ("DELETE", "/{key}" | "/{key}/secrets/{secret}") => (WRITE_KEY, 204, Value::Null),
        ("POST", "/{key}/rotate") => (WRITE_KEY, 201, json!({ "overlap_seconds": 0 })),
        ("POST", "/{key}/revoke") => (WRITE_KEY, 200, json!({})),
        _ => return None,
    })
}
