//! Whoever may not.

use serde_json::{Value, json};

use super::operations::{Needs, Operation};
use crate::support::{Answer, Backend, Client, Server};

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

/// A server with something to do an operation on, and all kinds of callers.
pub(super) struct Stage {
    server: Server,
    operation: Operation,
    /// The id of the key to do it on.
    key: String,
    credentials: Vec<(Kind, String)>,
    /// A token of whoever may.
    right: String,
}

/// What somebody may who has a scope in `acme` that is of no use.
const USELESS: &str = "read:claviger/orgs/acme/nothing";

impl Stage {
    pub(super) async fn set(backend: Backend, operation: &Operation) -> Self {
        let server = Server::start(backend).await;
        let admin = server.admin();
        for id in ["acme", "other"] {
            admin.post_json("/v1/orgs", &json!({ "id": id })).await.done(201);
            let projects = format!("/v1/orgs/{id}/projects");
            admin.post_json(&projects, &json!({ "id": "callers" })).await.done(201);
        }
        admin.post_json("/v1/orgs/acme/projects", &json!({ "id": "web" })).await.done(201);
        let subject = make(&admin, "acme", "web", &["read:*"], json!({})).await;
        let rotate = format!("/v1/orgs/acme/keys/{}/rotate", subject.id);
        let secret = subject.secret.clone();
        admin.post_json(&rotate, &json!({ "overlap_seconds": 100_000 })).await.done(201);
        let mut operation = operation.clone();
        operation.path = operation.path.replace("{key}", &subject.id).replace("{secret}", &secret);
        let mut stage =
            Self { server, operation, key: subject.id, credentials: Vec::new(), right: String::new() };
        stage.find_callers().await;
        stage
    }

    pub(super) fn operation(&self) -> &Operation {
        &self.operation
    }

    async fn find_callers(&mut self) {
        let (admin, client) = (self.server.admin(), self.server.client());
        let right = self.granted();
        let (action, resource) = right.split_once(':').unwrap();
        let with_right: &[&str] = &[&right, USELESS, "read:*"];
        let here =
            async |scopes: &[&str], members: Value| make(&admin, "acme", "callers", scopes, members).await;
        let elsewhere =
            async |scopes: &[&str]| make(&admin, "other", "callers", scopes, json!({})).await.text;
        let issuer = format!("&resource={}", self.server.url(""));

        let able = here(with_right, json!({})).await;
        let expired = here(with_right, json!({ "expires_in": 10 })).await.text;
        let expired_token = client.access_token(&able.text, &issuer).await;
        self.server.clock.advance(600);
        self.server.node.catch_up().await.unwrap();

        let mut forged = able.text.clone();
        forged.replace_range(30..31, if forged.as_bytes()[30] == b'A' { "B" } else { "A" });
        let other_actions: Vec<_> = ["read", "write", "admin"]
            .into_iter()
            .filter(|other| *other != action)
            .map(|other| format!("{other}:{resource}"))
            .collect();
        let other_actions: Vec<_> = other_actions.iter().map(String::as_str).collect();
        let (parent, _) = resource.rsplit_once('/').unwrap();
        let other_resource = format!("{action}:{parent}/key_0123456789abcdef");
        let revoked = here(with_right, json!({})).await;
        let of_revoked = client.access_token(&revoked.text, &issuer).await;
        revoke(&admin, &revoked.id).await;
        let revoked_token = client.access_token(&able.text, &issuer).await;
        admin.post_form("/oauth/revoke", &format!("token={revoked_token}")).await.done(200);

        self.credentials = vec![
            (Forged, forged),
            (OtherActions, here(&other_actions, json!({})).await.text),
            (OtherResource, here(&[&other_resource], json!({})).await.text),
            (FullAccess, here(&["*:*"], json!({})).await.text),
            (OtherOrganization, elsewhere(&["*:claviger/orgs/other/**", "*:*"]).await),
            (Neighbour, elsewhere(&[USELESS]).await),
            (Revoked, revoked.text),
            (Expired, expired),
            (WrongAddress, here(with_right, json!({ "cidrs": ["192.0.2.1", "::/0"] })).await.text),
            (OtherAudience, client.access_token(&able.text, "").await),
            (TooLittle, client.access_token(&able.text, &format!("{issuer}&scope={USELESS}")).await),
            (ExpiredToken, expired_token),
            (RevokedToken, revoked_token),
            (TokenOfRevoked, of_revoked),
        ];
        // Of a key elsewhere: its own organization may be what is ended.
        let able = make(&admin, "other", "callers", with_right, json!({})).await.text;
        self.right = client.access_token(&able, &format!("{issuer}&scope={right}")).await;
    }

    /// The scope that whoever may has; one of no use where none is needed.
    fn granted(&self) -> String {
        match self.operation.needs {
            Needs::Nobody => USELESS.into(),
            Needs::Scope(scope) | Needs::Of(scope, _) | Needs::ToSee(scope) => {
                scope.replace("{key}", &self.key)
            }
        }
    }

    /// The scope that a refusal names.
    pub(super) fn missing(&self) -> String {
        match self.operation.needs {
            Needs::Of(_, missing) => missing.replace("{key}", &self.key),
            _ => self.granted(),
        }
    }

    /// The status and the code of the error that this kind of caller gets.
    pub(super) fn verdict(&self, kind: Kind) -> (u16, &'static str) {
        let is_in_acme = self.operation.path.starts_with("/v1/orgs/acme");
        match (kind, self.operation.needs) {
            (_, Needs::Nobody) if kind.is_good() => (200, ""),
            (OtherOrganization, _) if is_in_acme => (404, "not_found"),
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
        let client = self.server.client();
        match self.credentials.iter().find(|(other, _)| *other == kind) {
            Some((_, credential)) => self.ask_as(&client.bearer(credential)).await,
            None => self.ask_as(&client).await,
        }
    }

    /// Asks for the operation as one who may, once nothing is in its way.
    pub(super) async fn ask_rightly(&self) -> Answer {
        if self.operation.done == 204 && !self.operation.path.contains("/keys/") {
            let admin = self.server.admin();
            let all = json!({ "filter": { "unused_since": "9999-01-01T00:00:00Z" } });
            admin.post_json("/v1/orgs/acme/keys/revoke", &all).await.done(200);
        }
        self.ask_as(&self.server.client().bearer(&self.right)).await
    }

    async fn ask_as(&self, client: &Client) -> Answer {
        let Operation { method, path, body, .. } = &self.operation;
        let client = client.with("content-type", "application/json");
        client.send(method.clone(), path, body.as_ref().map(ToString::to_string)).await
    }

    /// All that is stored but the trail, in which refusals may be.
    pub(super) async fn stored(&self) -> Vec<String> {
        let mut dump = self.server.database.dump().await;
        let is_trail = |line: &str| {
            ["audit_events ", "changes ", "sequences "].iter().any(|table| line.starts_with(table))
        };
        dump.retain(|line| !is_trail(line));
        dump
    }
}

/// A key that was made.
struct Key {
    id: String,
    text: String,
    secret: String,
}

/// A key of this project with these scopes and members.
async fn make(admin: &Client, organization: &str, project: &str, scopes: &[&str], members: Value) -> Key {
    let scope = |scope: &&str| {
        let (action, resource) = scope.split_once(':').unwrap();
        json!({ "action": action, "resource": resource })
    };
    let scopes: Value = scopes.iter().map(scope).collect();
    let mut body = json!({ "name": "x", "project": project, "environment": "prd", "scopes": scopes });
    body.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
    let made = admin.post_json(&format!("/v1/orgs/{organization}/keys"), &body).await.done(201);
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    Key { id: text(&made["id"]), text: text(&made["key"]), secret: text(&made["secrets"][0]["id"]) }
}

async fn revoke(admin: &Client, id: &str) {
    admin.post_json(&format!("/v1/orgs/acme/keys/{id}/revoke"), &json!({})).await.done(200);
}
