//! Whoever may not.

use serde_json::{Value, json};

use super::operations::{Fixture, Needs, Operation};
use crate::support::{Answer, Client, Server};

/// A kind of caller that may not do what it asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    NoCredential,
    /// Its form is a key's, and it was never issued.
    Forged,
    /// The right scope but for its action, which is each of the others.
    OtherActions,
    /// The right action on something else.
    OtherResource,
    /// `*:*`, which reaches nothing here.
    FullAccess,
    /// A key of another organization that has everything in its own.
    OtherOrganization,
    /// A key of another organization with a scope for something in this one.
    Neighbour,
    Revoked,
    Expired,
    WrongAddress,
    /// A token for a resource server, of a key that has the right scope too.
    OtherAudience,
    /// A token with less than its key has.
    TooLittle,
    ExpiredToken,
    RevokedToken,
    TokenOfRevoked,
}

use Kind::*;

impl Kind {
    pub(super) const ALL: [Self; 15] = [
        NoCredential,
        Forged,
        OtherActions,
        OtherResource,
        FullAccess,
        OtherOrganization,
        Neighbour,
        Revoked,
        Expired,
        WrongAddress,
        OtherAudience,
        TooLittle,
        ExpiredToken,
        RevokedToken,
        TokenOfRevoked,
    ];

    /// Whether it is somebody, who lacks the scope.
    fn is_good(self) -> bool {
        matches!(self, OtherActions | OtherResource | FullAccess | OtherOrganization | Neighbour | TooLittle)
    }
}

/// Something to do an operation on, and all kinds of callers.
pub(super) struct Scenario<'a> {
    fixture: Fixture<'a>,
    operation: Operation,
    credentials: Vec<(Kind, String)>,
    /// A token of whoever may.
    right: String,
}

/// A scope in the organization that is of no use.
const USELESS: &str = "read:claviger/orgs/{org}/nothing";

impl<'a> Scenario<'a> {
    /// In an organization of this id, with another one beside it.
    pub(super) async fn set(server: &'a Server, org: &str, operation: Operation) -> Self {
        let fixture = Fixture::create(server, org).await;
        let admin = server.admin();
        let other = format!("{org}-other");
        admin.post_json("/v1/orgs", &json!({ "id": other })).await.done(201);
        for id in [org, &other] {
            let projects = format!("/v1/orgs/{id}/projects");
            admin.post_json(&projects, &json!({ "id": "callers" })).await.done(201);
        }
        let mut scenario = Self { fixture, operation, credentials: Vec::new(), right: String::new() };
        scenario.find_callers().await;
        scenario
    }

    pub(super) fn operation(&self) -> &Operation {
        &self.operation
    }

    async fn find_callers(&mut self) {
        let server = self.fixture.server;
        let (admin, client) = (server.admin(), server.client());
        let (right, useless) = (self.granted(), self.fixture.filled(USELESS));
        let (org, other) = (self.fixture.org.clone(), format!("{}-other", self.fixture.org));
        let with_right: &[&str] = &[&right, &useless, "read:*"];
        let here = async |scopes: &[&str], members: Value| make(&admin, &org, scopes, members).await;
        let elsewhere = async |scopes: &[&str]| make(&admin, &other, scopes, json!({})).await.text;
        let issuer = format!("&resource={}", server.url(""));

        let able = here(with_right, json!({})).await;
        let expired = here(with_right, json!({ "expires_in": 10 })).await.text;
        let expired_token = client.access_token(&able.text, &issuer).await;
        server.clock.advance(600);
        server.node.catch_up().await.unwrap();

        let revoked = here(with_right, json!({})).await;
        let of_revoked = client.access_token(&revoked.text, &issuer).await;
        let revoke = format!("/v1/orgs/{org}/keys/{}/revoke", revoked.id);
        admin.post_json(&revoke, &json!({})).await.done(200);
        let revoked_token = client.access_token(&able.text, &issuer).await;
        admin.post_form("/oauth/revoke", &format!("token={revoked_token}")).await.done(200);
        let other_actions = other_actions(&right);
        let other_actions: Vec<_> = other_actions.iter().map(String::as_str).collect();

        self.credentials = vec![
            (Forged, forged(&able.text)),
            (OtherActions, here(&other_actions, json!({})).await.text),
            (OtherResource, here(&[&other_resource(&right)], json!({})).await.text),
            (FullAccess, here(&["*:*"], json!({})).await.text),
            (OtherOrganization, elsewhere(&[&format!("*:claviger/orgs/{other}/**"), "*:*"]).await),
            (Neighbour, elsewhere(&[&useless]).await),
            (Revoked, revoked.text),
            (Expired, expired),
            (WrongAddress, here(with_right, json!({ "cidrs": ["192.0.2.1", "::/0"] })).await.text),
            (OtherAudience, client.access_token(&able.text, "").await),
            (TooLittle, client.access_token(&able.text, &format!("{issuer}&scope={useless}")).await),
            (ExpiredToken, expired_token),
            (RevokedToken, revoked_token),
            (TokenOfRevoked, of_revoked),
        ];
        // Of a key elsewhere: its own organization may be what is ended.
        let given = self.given();
        let with_all: Vec<&str> = with_right.iter().copied().chain(given.split_whitespace()).collect();
        let able = elsewhere(&with_all).await;
        let scopes = format!("{right} {given}").trim_end().replace(' ', "+");
        self.right = client.access_token(&able, &format!("{issuer}&scope={scopes}")).await;
    }

    /// The scope that whoever may has; one of no use where none is needed.
    fn granted(&self) -> String {
        self.fixture.filled(match self.operation.needs {
            Needs::Nobody => USELESS,
            Needs::Scope(scope) | Needs::Of(scope, _) | Needs::Giving(scope, _) | Needs::ToSee(scope) => {
                scope
            }
        })
    }

    /// The scopes that whoever may gives to somebody else.
    fn given(&self) -> String {
        match self.operation.needs {
            Needs::Giving(_, given) => self.fixture.filled(given),
            _ => String::new(),
        }
    }

    /// The scope that a refusal names.
    pub(super) fn missing(&self) -> String {
        match self.operation.needs {
            Needs::Of(_, missing) => self.fixture.filled(missing),
            _ => self.granted(),
        }
    }

    /// The status and the code of the error that this kind of caller gets.
    pub(super) fn verdict(&self, kind: Kind) -> (u16, &'static str) {
        let is_in_organization = self.operation.path.starts_with("/v1/orgs/{org}");
        match (kind, self.operation.needs) {
            (_, Needs::Nobody) if kind.is_good() => (200, ""),
            (OtherOrganization, _) if is_in_organization => (404, "not_found"),
            (_, Needs::ToSee(_)) if kind.is_good() => (200, ""),
            _ if kind.is_good() => (403, "forbidden"),
            (WrongAddress, _) => (403, "address_not_allowed"),
            (Revoked | TokenOfRevoked, _) => (401, "key_revoked"),
            (Expired, _) => (401, "key_expired"),
            (ExpiredToken, _) => (401, "token_expired"),
            (RevokedToken, _) => (401, "token_revoked"),
            _ => (401, "unauthenticated"),
        }
    }

    /// Asks for the operation.
    pub(super) async fn ask(&self, kind: Kind) -> Answer {
        let client = self.fixture.server.client();
        match self.credentials.iter().find(|(other, _)| *other == kind) {
            Some((_, credential)) => self.operation.ask(&self.fixture, &client.bearer(credential)).await,
            None => self.operation.ask(&self.fixture, &client).await,
        }
    }

    /// Asks for the operation as one who may, once nothing is in its way.
    pub(super) async fn ask_rightly(&self) -> Answer {
        self.fixture.clear_for(&self.operation).await;
        let client = self.fixture.server.client();
        self.operation.ask(&self.fixture, &client.bearer(&self.right)).await
    }
}

/// The same key with another character in its secret, which its tag gives away.
fn forged(key: &str) -> String {
    let mut forged = key.to_owned();
    forged.replace_range(30..31, if &key[30..31] == "A" { "B" } else { "A" });
    forged
}

/// The scope with each action that it does not have.
fn other_actions(scope: &str) -> Vec<String> {
    let (own, resource) = scope.split_once(':').unwrap();
    let others = ["read", "write", "admin"].into_iter().filter(|action| *action != own);
    others.map(|action| format!("{action}:{resource}")).collect()
}

/// The scope for something beside what it is for.
fn other_resource(scope: &str) -> String {
    let (parent, _) = scope.rsplit_once('/').unwrap();
    format!("{parent}/key_0123456789abcdef")
}

/// A key that was made.
struct Key {
    id: String,
    text: String,
}

/// A key of the project for callers with these scopes and members.
async fn make(admin: &Client, organization: &str, scopes: &[&str], members: Value) -> Key {
    let scope = |scope: &&str| {
        let (action, resource) = scope.split_once(':').unwrap();
        json!({ "action": action, "resource": resource })
    };
    let scopes: Value = scopes.iter().map(scope).collect();
    let mut body = json!({ "name": "x", "project": "callers", "environment": "prd", "scopes": scopes });
    body.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
    let made = admin.post_json(&format!("/v1/orgs/{organization}/keys"), &body).await.done(201);
    let text = |member: &str| made[member].as_str().unwrap().to_owned();
    Key { id: text("id"), text: text("key") }
}
