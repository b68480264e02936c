//! Everything that changes the store at somebody's request. Most of it comes from the server's table of routes, so
//! that none is left out.

use claviger::base::clock::Timestamp;
use reqwest::Method;
use serde_json::{Value, json};

use crate::matrix::operations;
use crate::matrix::operations::{Fixture, Needs, Operation, issuer, named_scope};
use crate::support::{Answer, Server};
use crate::token::claims;

/// A request that changes something.
pub(super) struct Mutation {
    operation: Operation,
    /// What the audit trail calls what it does, in alphabetical order.
    pub(super) actions: &'static [&'static str],
    /// Where that can be read which it changes and does not make.
    changes: &'static [&'static str],
}

const ORG: &str = "/v1/orgs/{org}";
const WEB: &str = "/v1/orgs/{org}/projects/web";
const ISSUER: &str = "/v1/orgs/{org}/issuers/gh";
const SCOPE: &str = "/v1/orgs/{org}/scopes/all";
const INHERITED: &str = "/v1/scopes/of-{org}";
const MEMBER: &str = "/v1/orgs/{org}/members/{usr}";
const OPERATOR: &str = "/v1/members/{operator}";
const KEY: &str = "/v1/orgs/{org}/keys/{key}";
const OTHER_KEY: &str = "/v1/orgs/{org}/keys/{other}";

impl Mutation {
    pub(super) fn all() -> Vec<Self> {
        let routes = operations().filter(|operation| {
            // A check changes nothing.
            !matches!(operation.method, Method::GET | Method::PUT) && !operation.path.ends_with("/check")
        });
        routes.map(Self::of).chain([Self::apply(), Self::withdraw(), Self::revoke_token()]).collect()
    }

    fn of(operation: Operation) -> Self {
        let path = operation.path.as_str();
        let (actions, changes): (&[_], &[_]) = match (operation.method.as_str(), path) {
            ("POST", "/v1/orgs") => (&["organization.create"], &[]),
            ("PATCH", ORG) => (&["organization.change"], &[ORG]),
            ("DELETE", ORG) => (&["organization.delete"], &[ORG]),
            ("POST", "/v1/orgs/{org}/projects") => (&["project.create"], &[]),
            ("PATCH", WEB) => (&["project.change"], &[WEB]),
            ("DELETE", WEB) => (&["project.delete"], &[WEB]),
            ("POST", "/v1/orgs/{org}/keys") => (&["key.create"], &[]),
            ("POST", "/v1/orgs/{org}/keys/revoke") => (&["key.revoke", "key.revoke"], &[KEY, OTHER_KEY]),
            ("POST", "/v1/orgs/{org}/keys/disable") => (&["key.disable", "key.disable"], &[KEY, OTHER_KEY]),
            ("POST", "/v1/orgs/{org}/keys/enable") => (&["key.enable", "key.enable"], &[KEY, OTHER_KEY]),
            ("POST", "/v1/orgs/{org}/keys/rescope") => (&["key.change", "key.change"], &[KEY, OTHER_KEY]),
            ("PATCH", KEY) => (&["key.change"], &[KEY]),
            ("DELETE", KEY) => (&["key.delete"], &[KEY]),
            ("POST", "/v1/orgs/{org}/keys/{key}/rotate") => (&["key.rotate"], &[KEY]),
            ("POST", "/v1/orgs/{org}/keys/{key}/revoke") => (&["key.revoke"], &[KEY]),
            ("DELETE", "/v1/orgs/{org}/keys/{key}/secrets/{secret}") => (&["secret.retire"], &[KEY]),
            ("POST", "/v1/orgs/{org}/keys/{key}/public-keys") => (&["public_key.register"], &[KEY]),
            ("DELETE", "/v1/orgs/{org}/keys/{key}/public-keys/{public_key}") => {
                (&["public_key.remove"], &[KEY])
            }
            ("POST", "/v1/orgs/{org}/keys/{key}/trust-rules") => (&["trust_rule.register"], &[KEY]),
            ("DELETE", "/v1/orgs/{org}/keys/{key}/trust-rules/{trust_rule}") => {
                (&["trust_rule.remove"], &[KEY])
            }
            ("POST", "/v1/orgs/{org}/issuers") => (&["issuer.create"], &[]),
            ("PATCH", ISSUER) => (&["issuer.change"], &[ISSUER]),
            ("DELETE", ISSUER) => (&["issuer.delete"], &[ISSUER]),
            ("POST", "/v1/orgs/{org}/scopes" | "/v1/scopes") => (&["scope.create"], &[]),
            ("PATCH", SCOPE) => (&["scope.change"], &[SCOPE]),
            ("DELETE", SCOPE) => (&["scope.delete"], &[SCOPE]),
            ("PATCH", INHERITED) => (&["scope.change"], &[INHERITED]),
            ("DELETE", INHERITED) => (&["scope.delete"], &[INHERITED]),
            ("POST", "/v1/orgs/{org}/members" | "/v1/members") => (&["member.invite"], &[]),
            ("POST", "/v1/orgs/{org}/members/{usr}/invitation") => (&["member.invite"], &[MEMBER]),
            ("POST", "/v1/members/{operator}/invitation") => (&["member.invite"], &[OPERATOR]),
            ("PATCH", MEMBER) => (&["member.change"], &[MEMBER]),
            ("PATCH", OPERATOR) => (&["member.change"], &[OPERATOR]),
            ("DELETE", MEMBER) => (&["member.remove"], &[MEMBER]),
            ("DELETE", OPERATOR) => (&["member.remove"], &[OPERATOR]),
            ("POST", "/v1/orgs/{org}/portal-sessions") => (&["portal_session.create"], &[]),
            ("POST", "/v1/orgs/{org}/portal-sessions/end") => (&["portal_session.end"], &[]),
            ("POST", "/v1/signing-keys/rotate") => (&["signing_key.rotate"], &[]),
            ("POST", "/v1/master-key/rotate") => (&["master_key.rotate"], &[]),
            ("DELETE", "/v1/master-key/{number}/tags") => (&["master_key.end_tags"], &[]),
            (method, path) => panic!("say here what {method} {path} is called in the trail"),
        };
        Self { actions, changes, operation }
    }

    /// A document by which one key is made with every way in, one changed, one revoked, and more than keys is changed.
    fn apply() -> Self {
        let (mut issuer, mut new) = (issuer("gh"), key(None, "new"));
        issuer["name"] = "GitHub".into();
        new["public_keys"] = issuer["keys"]["jwks"]["keys"].clone();
        new["trust_rules"] = json!([{ "issuer": "gh", "claims": { "/repository_id": "1" } }]);
        let document = json!({
            "organization": { "id": "{org}", "name": "x" },
            "projects": [{ "id": "web", "environments": ["prd"] }],
            "scopes": [named_scope("all", "read:web/**")],
            "issuers": [issuer],
            "keys": [key(Some("{key}"), "renamed"), new],
        });
        Self {
            operation: request(Method::PUT, "/v1/orgs/{org}/configuration?prune=true", document),
            actions: &[
                "issuer.change",
                "key.change",
                "key.create",
                "key.revoke",
                "organization.change",
                "project.change",
                "scope.change",
            ],
            changes: &[ORG, WEB, SCOPE, ISSUER, KEY, OTHER_KEY],
        }
    }

    /// Whether it makes another link for somebody who is invited.
    pub(super) fn is_invitation(&self) -> bool {
        self.operation.path.ends_with("/invitation")
    }

    fn withdraw() -> Self {
        let operation = request(Method::POST, "/v1/signing-keys/rotate", json!({ "compromised": "{kid}" }));
        Self { operation, actions: &["signing_key.withdraw"], changes: &[] }
    }

    fn revoke_token() -> Self {
        let operation = request(Method::POST, "/oauth/revoke", Value::Null);
        Self { operation, actions: &["token.revoke"], changes: &[] }
    }
}

/// A key of a document.
fn key(id: Option<&str>, name: &str) -> Value {
    json!({ "id": id, "name": name, "project": "web", "environment": "prd", "preset": "query_only" })
}

fn request(method: Method, path: &str, body: Value) -> Operation {
    Operation { method, path: path.to_owned(), body: Some(body), needs: Needs::Nobody, done: 200 }
}

impl std::fmt::Debug for Mutation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.operation.method, self.operation.path)
    }
}

/// What there is to change.
pub(super) struct Scenario<'a> {
    fixture: Fixture<'a>,
    mutation: &'a Mutation,
    /// The id of another key beside the fixture's.
    other: String,
    token: String,
    kid: String,
}

impl<'a> Scenario<'a> {
    /// In an organization of this id.
    pub(super) async fn set(server: &'a Server, org: &str, mutation: &'a Mutation) -> Self {
        let fixture = Fixture::create(server, org).await;
        let key = json!({ "name": "other", "project": "web", "environment": "prd", "preset": "query_only" });
        let other = server.admin().post_json(&format!("/v1/orgs/{org}/keys"), &key).await.done(201);
        let token = server.client().access_token(other["key"].as_str().unwrap(), "").await;
        fixture.clear_for(&mutation.operation).await;
        let keys = server.admin().get("/v1/signing-keys").await.done(200);
        let active = keys["data"].as_array().unwrap().iter().find(|key| key["status"] == "active");
        let kid = active.unwrap()["kid"].as_str().unwrap().to_owned();
        // So that what is made from now on is the newest.
        server.clock.advance(1);
        server.node.catch_up().await.unwrap();
        let other = other["id"].as_str().unwrap().to_owned();
        Self { fixture, mutation, other, token, kid }
    }

    /// Asks for the mutation, as the administrator, by a name that stays the same.
    pub(super) async fn ask(&self) -> Answer {
        let admin = self.fixture.server.admin().with("idempotency-key", &self.fixture.org);
        let operation = &self.mutation.operation;
        if operation.path == "/oauth/revoke" {
            return admin.post_form(&operation.path, &format!("token={}", self.token)).await;
        }
        let body = operation.body.as_ref().map(|body| self.filled(&body.to_string()));
        let admin = admin.with("content-type", "application/json");
        admin.send(operation.method.clone(), &self.filled(&operation.path), body).await
    }

    /// What it changes or will have made, each as it is now, by its path.
    pub(super) async fn look(&self, answer: Option<&Answer>) -> Vec<(String, Value)> {
        let changed = self.mutation.changes.iter().map(|path| self.filled(path));
        let made = answer.map(|answer| self.made(answer)).unwrap_or_default();
        let mut things = Vec::new();
        for path in changed.chain(made) {
            let read = self.fixture.server.admin().get(&path).await;
            things.push((path, if read.status == 200 { read.json() } else { Value::Null }));
        }
        things
    }

    /// The paths of what it made.
    fn made(&self, answer: &Answer) -> Vec<String> {
        let location = answer.header("location").replace(&self.fixture.server.url(""), "");
        if !location.is_empty() && self.mutation.changes.is_empty() {
            return vec![location];
        }
        let answer: Value = serde_json::from_str(&answer.text).unwrap_or_default();
        let keys = answer["keys"].as_array().cloned().unwrap_or_default();
        keys.iter().map(|key| self.filled("/v1/orgs/{org}/keys/") + key["id"].as_str().unwrap()).collect()
    }

    /// The organization, the id of the token and the id of the signing key that it may be about.
    pub(super) fn subjects(&self) -> (&str, String, &str) {
        (&self.fixture.org, claims(&self.token)["jti"].as_str().unwrap().to_owned(), &self.kid)
    }

    /// The key and the end of the token, as an event says them.
    pub(super) fn token_said(&self) -> Value {
        let end = claims(&self.token)["exp"].as_i64().unwrap();
        json!({ "key": self.other, "expires_at": Timestamp::from_unix(end).rfc3339() })
    }

    fn filled(&self, text: &str) -> String {
        self.fixture.filled(text).replace("{other}", &self.other).replace("{kid}", &self.kid)
    }
}
