//! What each operation of the management API is asked with, and what it needs.

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Answer, Client, Server};

/// An operation on what is on a [`Fixture`].
#[derive(Clone, Debug)]
pub(crate) struct Operation {
    pub(crate) method: Method,
    /// With the ids of a fixture to be filled in.
    pub(crate) path: String,
    pub(crate) body: Option<Value>,
    pub(crate) needs: Needs,
    /// The status for whoever may.
    pub(crate) done: u16,
}

/// An organization with a project `web`, a named scope `all`, a trusted issuer `gh`, and a key in there with two secrets, a public key and a
/// trust rule.
pub(crate) struct Fixture<'a> {
    pub(crate) server: &'a Server,
    /// The id of the organization.
    pub(crate) org: String,
    /// The id of the key.
    key: String,
    /// The id of its older secret.
    secret: String,
    /// The id of its public key.
    public_key: String,
    /// The id of its trust rule.
    trust_rule: String,
    /// The ids of an invited member of the organization, and of one of the deployment.
    members: [String; 2],
}

/// What an operation needs, the ids of a fixture to be filled in.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Needs {
    /// Any good credential.
    Nobody,
    /// This scope, which is also what a refusal names.
    Scope(&'static str),
    /// The first scope; a refusal names the second, since it does not tell which project a key is in.
    Of(&'static str, &'static str),
    /// The first scope, which a refusal names, and all that the second one covers: what is given to somebody else.
    Giving(&'static str, &'static str),
    /// Nothing, but with this scope there is one thing to be seen.
    ToSee(&'static str),
}

use Needs::{Giving, Nobody, Of, Scope, ToSee};

const READ_KEY: Needs =
    Of("read:claviger/orgs/{org}/projects/web/keys/{key}", "read:claviger/orgs/{org}/projects/*/keys/{key}");
const WRITE_KEY: Needs = Of(
    "write:claviger/orgs/{org}/projects/web/keys/{key}",
    "write:claviger/orgs/{org}/projects/*/keys/{key}",
);
const WRITE_KEYS_OF_WEB: Needs = Scope("write:claviger/orgs/{org}/projects/web/keys/*");

/// What an auditor may.
const AUDITOR: &str = "read:claviger/orgs/{org} read:claviger/orgs/{org}/** read:claviger/members/{org}/**";

impl Operation {
    /// What the operation of a route is asked with; `None` for a route that nobody has described here yet.
    pub(super) fn of(method: &Method, route: &str) -> Option<Self> {
        let (needs, done, body) = described(method.as_str(), route)?;
        let scope = if route.starts_with("/v1/scopes") { "of-{org}" } else { "all" };
        let mut path = route.replace("{project}", "web").replace("{issuer}", "gh").replace("{scope}", scope);
        if route.starts_with("/v1/members") {
            path = path.replace("{usr}", "{operator}");
        }
        if route == "/v1/keys" {
            path.push_str("?prefix={key}");
        }
        let body = (!body.is_null()).then_some(body);
        Some(Self { method: method.clone(), path, body, needs, done })
    }

    /// What the tables call it.
    pub(crate) fn named(&self) -> String {
        format!("{} {}", self.method, self.path)
    }

    /// Asks for it, on this fixture.
    pub(crate) async fn ask(&self, fixture: &Fixture<'_>, client: &Client) -> Answer {
        let body = self.body.as_ref().map(|body| fixture.filled(&body.to_string()));
        let client = client.with("content-type", "application/json");
        client.send(self.method.clone(), &fixture.filled(&self.path), body).await
    }
}

impl<'a> Fixture<'a> {
    /// Lays it in a new organization of this id.
    pub(crate) async fn create(server: &'a Server, org: &str) -> Self {
        let admin = server.admin();
        admin.post_json("/v1/orgs", &json!({ "id": org })).await.done(201);
        admin.post_json(&format!("/v1/orgs/{org}/projects"), &json!({ "id": "web" })).await.done(201);
        let body =
            json!({ "name": "subject", "project": "web", "environment": "prd", "preset": "query_only" });
        let made = admin.post_json(&format!("/v1/orgs/{org}/keys"), &body).await.done(201);
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let (key, secret) = (text(&made["id"]), text(&made["secrets"][0]["id"]));
        let rotate = format!("/v1/orgs/{org}/keys/{key}/rotate");
        admin.post_json(&rotate, &json!({ "overlap_seconds": 100_000 })).await.done(201);
        let jwk =
            json!({ "kty": "OKP", "crv": "Ed25519", "x": "GbkECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE" });
        let public_keys = format!("/v1/orgs/{org}/keys/{key}/public-keys");
        let registered = admin.post_json(&public_keys, &json!({ "jwk": jwk })).await.done(201);
        let public_key = text(&registered["id"]);
        admin.post_json(&format!("/v1/orgs/{org}/issuers"), &issuer("gh")).await.done(201);
        let scope = named_scope("all", "read:*");
        admin.post_json(&format!("/v1/orgs/{org}/scopes"), &scope).await.done(201);
        let inherited = named_scope(&format!("of-{org}"), &format!("read:{org}/**"));
        admin.post_json("/v1/scopes", &inherited).await.done(201);
        let rule = json!({ "issuer": "gh", "claims": { "/repository_id": "1" } });
        let added = admin.post_json(&format!("/v1/orgs/{org}/keys/{key}/trust-rules"), &rule).await.done(201);
        let trust_rule = text(&added["id"]);
        let here = admin.post_json(&format!("/v1/orgs/{org}/members"), &member("first", "auditor")).await;
        let operator = admin.post_json("/v1/members", &member(&format!("first.{org}"), "operator")).await;
        let members = [text(&here.done(201)["id"]), text(&operator.done(201)["id"])];
        Self { server, org: org.to_owned(), key, secret, public_key, trust_rule, members }
    }

    /// Takes away what is in the operation's way: what has unrevoked keys can't be deleted, and what is
    /// not disabled can't be enabled.
    pub(crate) async fn clear_for(&self, operation: &Operation) {
        if operation.path == "/v1/master-key/rotate" {
            self.server.offer_master_key().await;
        }
        if operation.path.ends_with("/tags") {
            // No secret has a tag of the last one but one.
            self.server.replace_master_key().await;
            self.server.replace_master_key().await;
            return;
        }
        if operation.method == Method::DELETE && !operation.path.contains("/keys/") {
            let all = json!({ "filter": { "unused_since": "9999-01-01T00:00:00Z" } });
            let revoke = self.filled("/v1/orgs/{org}/keys/revoke");
            self.server.admin().post_json(&revoke, &all).await.done(200);
        }
        if operation.path.ends_with("/portal-sessions/end") {
            let made = self.filled("/v1/orgs/{org}/portal-sessions");
            self.server.admin().post_json(&made, &portal_session()).await.done(201);
        }
        if operation.path.ends_with("/keys/enable") {
            let disable = self.filled("/v1/orgs/{org}/keys/disable");
            let web = json!({ "filter": { "project": "web" } });
            self.server.admin().post_json(&disable, &web).await.done(200);
        }
    }

    /// A text with the ids of this fixture.
    pub(crate) fn filled(&self, text: &str) -> String {
        let replaced = self.server.node.master_keys.tagger().master_key() - 1;
        text.replace("{org}", &self.org)
            .replace("{key}", &self.key)
            .replace("{secret}", &self.secret)
            .replace("{public_key}", &self.public_key)
            .replace("{trust_rule}", &self.trust_rule)
            .replace("{usr}", &self.members[0])
            .replace("{operator}", &self.members[1])
            .replace("{number}", &replaced.to_string())
    }
}

/// A trusted issuer whose keys are in its record, so that nobody is asked for them.
pub(crate) fn issuer(id: &str) -> Value {
    let jwk = json!({ "kty": "EC", "crv": "P-256", "kid": "1", "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
        "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0" });
    json!({ "id": id, "issuer": "https://token.actions.githubusercontent.com", "keys": { "jwks": { "keys": [jwk] } } })
}

/// Somebody to invite.
pub(crate) fn member(name: &str, role: &str) -> Value {
    json!({ "email": format!("{name}@example.com"), "role": role })
}

/// An entry of a catalogue of scopes.
pub(crate) fn named_scope(id: &str, scope: &str) -> Value {
    json!({ "id": id, "scope": scope, "name": id, "group": "Everything" })
}

/// A session of the portal for everything in the project `web`.
pub(crate) fn portal_session() -> Value {
    json!({ "subject": "user-1", "name": "Ada", "projects": ["web"],
        "may": ["list", "create", "rotate", "revoke", "edit", "usage"],
        "scopes_within": [{ "action": "read", "resource": "orders/*" }], "max_keys": 2, "keys": "own" })
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
        ("GET", "keys") => (ToSee("read:claviger/orgs/{org}/projects/web/keys/{key}"), 200, Value::Null),
        ("GET", "orgs") => (ToSee("read:claviger/orgs/{org}"), 200, Value::Null),
        ("POST", "orgs") => (Scope("admin:claviger/orgs/{org}-new"), 201, json!({ "id": "{org}-new" })),
        ("GET", "orgs/{org}") => (Scope("read:claviger/orgs/{org}"), 200, Value::Null),
        ("PATCH", "orgs/{org}") => (Scope("admin:claviger/orgs/{org}"), 200, json!({ "name": "x" })),
        ("DELETE", "orgs/{org}") => (Scope("admin:claviger/orgs/{org}"), 204, Value::Null),
        ("GET", "signing-keys") => (Scope("read:claviger/signing-keys"), 200, Value::Null),
        ("POST", "signing-keys/rotate") => (Scope("admin:claviger/signing-keys"), 201, json!({})),
        ("GET", "master-key") => (Scope("read:claviger/master-key"), 200, Value::Null),
        ("POST", "master-key/rotate") => (Scope("admin:claviger/master-key"), 200, json!({})),
        ("DELETE", "master-key/{number}/tags") => (Scope("admin:claviger/master-key"), 200, Value::Null),
        ("GET", "audit") => (Scope("read:claviger/audit"), 200, Value::Null),
        ("GET", "members") => (ToSee("read:claviger/operators/{operator}"), 200, Value::Null),
        ("POST", "members") => {
            let needs = Giving("write:claviger/operators/*", "*:claviger/**");
            (needs, 201, member("new.{org}", "operator"))
        }
        ("GET", "members/{usr}" | "members/{usr}/keys") => {
            (Scope("read:claviger/operators/{operator}"), 200, Value::Null)
        }
        ("PATCH", "members/{usr}") => {
            (Scope("write:claviger/operators/{operator}"), 200, json!({ "name": "x" }))
        }
        ("DELETE", "members/{usr}") => (Scope("write:claviger/operators/{operator}"), 204, Value::Null),
        ("POST", "members/{usr}/invitation") => {
            (Giving("write:claviger/operators/{operator}", "*:claviger/**"), 200, Value::Null)
        }
        ("GET", "scopes") => (ToSee("read:claviger/scopes/of-{org}"), 200, Value::Null),
        ("POST", "scopes") => {
            (Scope("write:claviger/scopes/new-{org}"), 201, named_scope("new-{org}", "write:{org}"))
        }
        ("GET", "scopes/{scope}") => (Scope("read:claviger/scopes/of-{org}"), 200, Value::Null),
        ("PATCH", "scopes/{scope}") => {
            (Scope("write:claviger/scopes/of-{org}"), 200, json!({ "group": null }))
        }
        ("DELETE", "scopes/{scope}") => (Scope("write:claviger/scopes/of-{org}"), 204, Value::Null),
        _ => return None,
    })
}

fn of_organization(method: &str, route: &str) -> Option<(Needs, u16, Value)> {
    const EVERYTHING: Needs = Scope("read:claviger/orgs/{org}/**");
    Some(match (method, route) {
        ("GET", "configuration") => (EVERYTHING, 200, Value::Null),
        ("PUT", "configuration") => (EVERYTHING, 200, json!({ "organization": { "id": "{org}" } })),
        ("GET", "usage") => (Scope("read:claviger/orgs/{org}/usage"), 200, Value::Null),
        ("GET", "audit") => (Scope("read:claviger/orgs/{org}/audit"), 200, Value::Null),
        ("GET", "scopes") => (ToSee("read:claviger/orgs/{org}/scopes/all"), 200, Value::Null),
        ("POST", "scopes") => {
            (Scope("write:claviger/orgs/{org}/scopes/new"), 201, named_scope("new", "write:*"))
        }
        ("GET", "scopes/{scope}") => (Scope("read:claviger/orgs/{org}/scopes/all"), 200, Value::Null),
        ("PATCH", "scopes/{scope}") => {
            (Scope("write:claviger/orgs/{org}/scopes/all"), 200, json!({ "group": null }))
        }
        ("DELETE", "scopes/{scope}") => (Scope("write:claviger/orgs/{org}/scopes/all"), 204, Value::Null),
        ("GET", "members") => (ToSee("read:claviger/members/{org}/{usr}"), 200, Value::Null),
        ("POST", "members") => {
            let needs = Giving("write:claviger/members/{org}/*", AUDITOR);
            (needs, 201, member("new", "auditor"))
        }
        ("GET", "members/{usr}" | "members/{usr}/keys") => {
            (Scope("read:claviger/members/{org}/{usr}"), 200, Value::Null)
        }
        ("PATCH", "members/{usr}") => {
            (Scope("write:claviger/members/{org}/{usr}"), 200, json!({ "name": "x" }))
        }
        ("DELETE", "members/{usr}") => (Scope("write:claviger/members/{org}/{usr}"), 204, Value::Null),
        ("POST", "members/{usr}/invitation") => {
            (Giving("write:claviger/members/{org}/{usr}", AUDITOR), 200, Value::Null)
        }
        ("GET", "issuers") => (ToSee("read:claviger/orgs/{org}/issuers/gh"), 200, Value::Null),
        ("POST", "issuers") => (Scope("admin:claviger/orgs/{org}/issuers/new"), 201, issuer("new")),
        ("GET", "issuers/{issuer}") => (Scope("read:claviger/orgs/{org}/issuers/gh"), 200, Value::Null),
        ("PATCH", "issuers/{issuer}") => {
            (Scope("admin:claviger/orgs/{org}/issuers/gh"), 200, json!({ "name": "x" }))
        }
        ("DELETE", "issuers/{issuer}") => (Scope("admin:claviger/orgs/{org}/issuers/gh"), 204, Value::Null),
        ("POST", "issuers/{issuer}/check") => (Scope("read:claviger/orgs/{org}/issuers/gh"), 200, json!({})),
        ("POST", "portal-sessions") => {
            let keys = "*:claviger/orgs/{org}/projects/web/keys/*";
            (Giving("write:claviger/orgs/{org}/portal-sessions", keys), 201, portal_session())
        }
        ("POST", "portal-sessions/end") => {
            (Scope("write:claviger/orgs/{org}/portal-sessions"), 200, json!({ "subject": "user-1" }))
        }
        ("GET", "projects") => (ToSee("read:claviger/orgs/{org}/projects/web"), 200, Value::Null),
        ("POST", "projects") => {
            (Scope("write:claviger/orgs/{org}/projects/new"), 201, json!({ "id": "new" }))
        }
        ("GET", "projects/{project}") => (Scope("read:claviger/orgs/{org}/projects/web"), 200, Value::Null),
        ("PATCH", "projects/{project}") => {
            (Scope("write:claviger/orgs/{org}/projects/web"), 200, json!({ "name": "x" }))
        }
        ("DELETE", "projects/{project}") => {
            (Scope("write:claviger/orgs/{org}/projects/web"), 204, Value::Null)
        }
        _ => return None,
    })
}

fn of_keys(method: &str, route: &str) -> Option<(Needs, u16, Value)> {
    let new = json!({ "name": "x", "project": "web", "environment": "prd", "preset": "query_only" });
    let of_web = json!({ "filter": { "project": "web" } });
    let more = json!({ "filter": { "project": "web" }, "add": [{ "action": "write" }] });
    // RFC 8037 §A.2.
    let public_key = json!({ "jwk": { "kty": "OKP", "crv": "Ed25519",
        "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo" } });
    Some(match (method, route) {
        ("GET", "") => (ToSee("read:claviger/orgs/{org}/projects/web/keys/*"), 200, Value::Null),
        ("POST", "") => (WRITE_KEYS_OF_WEB, 201, new),
        ("POST", "/disable" | "/enable") => (WRITE_KEYS_OF_WEB, 200, of_web),
        ("POST", "/revoke") => (WRITE_KEYS_OF_WEB, 200, of_web),
        ("POST", "/rescope") => (WRITE_KEYS_OF_WEB, 200, more),
        ("GET", "/{key}" | "/{key}/usage") => (READ_KEY, 200, Value::Null),
        ("PATCH", "/{key}") => (WRITE_KEY, 200, json!({ "name": "x" })),
        ("DELETE", "/{key}" | "/{key}/secrets/{secret}" | "/{key}/public-keys/{public_key}") => {
            (WRITE_KEY, 204, Value::Null)
        }
        ("POST", "/{key}/trust-rules") => {
            (WRITE_KEY, 201, json!({ "issuer": "gh", "claims": { "/repository_id": "2" } }))
        }
        ("DELETE", "/{key}/trust-rules/{trust_rule}") => (WRITE_KEY, 204, Value::Null),
        ("POST", "/{key}/public-keys") => (WRITE_KEY, 201, public_key),
        ("POST", "/{key}/rotate") => (WRITE_KEY, 201, json!({ "overlap_seconds": 0 })),
        ("POST", "/{key}/revoke") => (WRITE_KEY, 200, json!({})),
        _ => return None,
    })
}
