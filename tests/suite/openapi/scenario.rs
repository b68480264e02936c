//! A walk over every operation. That the answers are as described, the client sees to by itself.

use std::collections::BTreeSet;

use reqwest::Method;
use serde_json::{Value, json};

use crate::matrix::operations::{issuer, member, named_scope, portal_session};
use crate::support::openapi::{Operation, operations};
use crate::support::{Answer, Backend, Client, Server, on_both};

on_both!(every_operation_answers_as_described);

async fn every_operation_answers_as_described(backend: Backend) {
    let server = Server::start(backend).await;
    let mut walk = Walk { client: server.client(), names: Vec::new(), done: BTreeSet::new() };
    publications(&mut walk).await;
    server.replace_master_key().await;
    server.offer_master_key().await;
    walk.client = server.admin();
    tenants(&mut walk).await;
    let key = keys(&mut walk).await;
    walk.client = server.client().bearer(&key);
    gate(&mut walk).await;
    walk.client = server.client();
    let token = token(&mut walk, &key).await;
    walk.client = server.admin();
    introspection(&mut walk, &key, &token).await;
    records(&mut walk).await;
    configuration(&mut walk).await;
    many_keys(&mut walk).await;
    ends(&mut walk).await;
    let all: BTreeSet<String> = operations().iter().map(Operation::name).collect();
    let left_out: Vec<_> = all.difference(&walk.done).collect();
    assert!(left_out.is_empty(), "the walk leaves out {left_out:?}");
}

async fn publications(walk: &mut Walk) {
    walk.name("{file}", "page.js");
    for path in [
        "/healthz",
        "/readyz",
        "/oauth/revocations",
        "/.well-known/jwks.json",
        "/.well-known/oauth-authorization-server",
        "/.well-known/openid-configuration",
        "/openapi.yaml",
        "/llms.txt",
        "/docs",
        "/docs/{file}",
    ] {
        walk.go("GET", path).await;
    }
    walk.name("{page}", "recover.md");
    walk.go("GET", "/docs/operating/{page}").await;
}

async fn tenants(walk: &mut Walk) {
    walk.go("GET", "/v1/self").await;
    walk.send("POST", "/v1/orgs?dry_run=true", json!({ "id": "acme" })).await;
    walk.send("POST", "/v1/orgs", json!({ "id": "acme", "name": "Acme Ltd" })).await;
    walk.name("{org}", "acme");
    walk.go("GET", "/v1/orgs").await;
    walk.go("GET", "/v1/orgs/{org}").await;
    walk.send("PATCH", "/v1/orgs/{org}", json!({ "name": "Acme Limited" })).await;
    walk.send("PATCH", "/v1/orgs/{org}?dry_run=true", json!({ "audiences": null })).await;
    walk.send("POST", "/v1/orgs/{org}/projects?dry_run=true", json!({ "id": "web" })).await;
    walk.send("POST", "/v1/orgs/{org}/projects", json!({ "id": "web" })).await;
    walk.name("{project}", "web");
    walk.go("GET", "/v1/orgs/{org}/projects").await;
    walk.go("GET", "/v1/orgs/{org}/projects/{project}").await;
    walk.send("PATCH", "/v1/orgs/{org}/projects/{project}", json!({ "environments": ["dev", "prd"] })).await;
    walk.send("PATCH", "/v1/orgs/{org}/projects/{project}?dry_run=true", json!({ "name": "Shop" })).await;
    walk.go("GET", "/v1/signing-keys").await;
    walk.send("POST", "/v1/signing-keys/rotate?dry_run=true", json!({})).await;
    walk.send("POST", "/v1/signing-keys/rotate", json!({})).await;
    walk.go("GET", "/v1/master-key").await;
    walk.send("POST", "/v1/master-key/rotate", json!({})).await;
    // No key has been made under the second.
    walk.name("{number}", "2");
    walk.send("DELETE", "/v1/master-key/{number}/tags?dry_run=true", Value::Null).await;
    walk.send("DELETE", "/v1/master-key/{number}/tags", Value::Null).await;
}

async fn gate(walk: &mut Walk) {
    walk.go("GET", "/v1/gate?action=read&resource=web&token=1").await;
    walk.name("{options}", "token=1");
    walk.name("{target}", "web/7");
    walk.go("GET", "/v1/gate/envoy/{options}/{target}").await;
}

async fn records(walk: &mut Walk) {
    walk.go("GET", "/v1/orgs/{org}/keys/{key}/usage").await;
    walk.go("GET", "/v1/orgs/{org}/usage?interval=hour&project=web").await;
    walk.go("GET", "/v1/orgs/{org}/audit?action=key.*&limit=2").await;
    for format in ["json", "jsonl", "csv"] {
        walk.go("GET", &format!("/v1/audit?format={format}")).await;
        walk.go("GET", &format!("/v1/orgs/{{org}}/keys?status=all&format={format}")).await;
    }
}

/// A new key, whole.
async fn keys(walk: &mut Walk) -> String {
    let new = json!({ "name": "first", "project": "web", "environment": "prd", "preset": "query_only" });
    let repeated = walk.client.with("idempotency-key", "first");
    let created = repeated.post_json("/v1/orgs/acme/keys", &new).await;
    let again = repeated.post_json("/v1/orgs/acme/keys", &new).await;
    assert_eq!((again.status, &again.json()["key"]), (201, &Value::Null));
    walk.send("POST", "/v1/orgs/{org}/keys?dry_run=true", new.clone()).await;
    walk.send("POST", "/v1/orgs/{org}/keys", new).await;
    walk.name("{key}", created.json()["id"].as_str().unwrap());
    walk.go("GET", "/v1/orgs/{org}/keys?status=all").await;
    walk.go("GET", "/v1/orgs/{org}/keys?expires_before=2030-01-01T00:00:00Z&any_address=true").await;
    walk.go("GET", "/v1/orgs/{org}/keys?tag=team:billing&tag=tier&owner=Finance&sort=-last_used").await;
    walk.go("GET", "/v1/keys?prefix={key}").await;
    walk.go("GET", "/v1/orgs/{org}/keys/{key}").await;
    walk.send("PATCH", "/v1/orgs/{org}/keys/{key}", json!({ "note": "two\nlines", "expires_in": "1y" }))
        .await;
    walk.send("PATCH", "/v1/orgs/{org}/keys/{key}?dry_run=true", json!({ "cidrs": ["10.0.0.0/8"] })).await;
    let rotated =
        walk.send("POST", "/v1/orgs/{org}/keys/{key}/rotate", json!({ "overlap_seconds": 60 })).await;
    let disabled = walk.send("PATCH", "/v1/orgs/{org}/keys/{key}", json!({ "disabled": true })).await;
    assert_eq!(disabled.json()["status"], "disabled");
    walk.send("PATCH", "/v1/orgs/{org}/keys/{key}", json!({ "disabled": false })).await;
    walk.name("{secret}", rotated.json()["secrets"][0]["id"].as_str().unwrap());
    walk.go("DELETE", "/v1/orgs/{org}/keys/{key}/secrets/{secret}?dry_run=true").await;
    walk.go("DELETE", "/v1/orgs/{org}/keys/{key}/secrets/{secret}").await;
    let public_key = json!({ "jwk": { "kty": "OKP", "crv": "Ed25519",
        "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo" } });
    walk.send("POST", "/v1/orgs/{org}/keys/{key}/public-keys?dry_run=true", public_key.clone()).await;
    let registered = walk.send("POST", "/v1/orgs/{org}/keys/{key}/public-keys", public_key).await;
    walk.name("{public_key}", registered.json()["id"].as_str().unwrap());
    walk.go("GET", "/v1/orgs/{org}/keys/{key}").await;
    walk.go("DELETE", "/v1/orgs/{org}/keys/{key}/public-keys/{public_key}?dry_run=true").await;
    walk.go("DELETE", "/v1/orgs/{org}/keys/{key}/public-keys/{public_key}").await;
    scopes(walk).await;
    members(walk).await;
    trust(walk).await;
    walk.send("POST", "/v1/orgs/{org}/portal-sessions?dry_run=true", portal_session()).await;
    walk.send("POST", "/v1/orgs/{org}/portal-sessions", portal_session()).await;
    walk.send("POST", "/v1/orgs/{org}/portal-sessions/end?dry_run=true", json!({ "subject": "user-1" }))
        .await;
    walk.send("POST", "/v1/orgs/{org}/portal-sessions/end", json!({ "subject": "user-1" })).await;
    rotated.json()["key"].as_str().unwrap().to_owned()
}

/// The catalogues of the deployment and of an organization.
async fn scopes(walk: &mut Walk) {
    walk.name("{scope}", "read-invoices");
    for list in ["/v1/scopes", "/v1/orgs/{org}/scopes"] {
        let entry = named_scope("read-invoices", "read:invoices/**");
        let path = format!("{list}/{{scope}}");
        walk.send("POST", &format!("{list}?dry_run=true"), entry.clone()).await;
        walk.send("POST", list, entry).await;
        walk.go("GET", list).await;
        walk.go("GET", &path).await;
        walk.send("PATCH", &format!("{path}?dry_run=true"), json!({ "group": null })).await;
        walk.send("PATCH", &path, json!({ "description": "Lists invoices." })).await;
    }
    let both = walk.go("GET", "/v1/orgs/{org}/scopes?inherited=true").await.json();
    assert_eq!(both["data"].as_array().unwrap().len(), 2);
    for path in ["/v1/scopes/{scope}", "/v1/orgs/{org}/scopes/{scope}"] {
        walk.go("DELETE", &format!("{path}?dry_run=true")).await;
        walk.go("DELETE", path).await;
    }
}

/// Members of the deployment and of an organization.
async fn members(walk: &mut Walk) {
    for (list, role) in [("/v1/members", "operator"), ("/v1/orgs/{org}/members", "auditor")] {
        walk.send("POST", &format!("{list}?dry_run=true"), member("first", role)).await;
        let invited = walk.send("POST", list, member("first", role)).await;
        walk.names.retain(|(name, _)| *name != "{usr}");
        walk.name("{usr}", invited.json()["id"].as_str().unwrap());
        walk.go("GET", list).await;
        let path = format!("{list}/{{usr}}");
        walk.go("GET", &path).await;
        walk.go("GET", &format!("{path}/keys")).await;
        walk.go("POST", &format!("{path}/invitation?dry_run=true")).await;
        walk.go("POST", &format!("{path}/invitation")).await;
        walk.send("PATCH", &format!("{path}?dry_run=true"), json!({ "name": "x" })).await;
        walk.send("PATCH", &path, json!({ "name": "x" })).await;
        walk.go("DELETE", &format!("{path}?dry_run=true")).await;
        walk.go("DELETE", &path).await;
    }
}

/// A trusted issuer, and a rule for it.
async fn trust(walk: &mut Walk) {
    walk.name("{issuer}", "gh");
    walk.send("POST", "/v1/orgs/{org}/issuers?dry_run=true", issuer("gh")).await;
    walk.send("POST", "/v1/orgs/{org}/issuers", issuer("gh")).await;
    walk.go("GET", "/v1/orgs/{org}/issuers").await;
    walk.go("GET", "/v1/orgs/{org}/issuers/{issuer}").await;
    let rule = json!({ "issuer": "gh", "subject": "repo:acme/web:*", "claims": { "/repository_id": "74" } });
    walk.send("POST", "/v1/orgs/{org}/keys/{key}/trust-rules?dry_run=true", rule.clone()).await;
    let added = walk.send("POST", "/v1/orgs/{org}/keys/{key}/trust-rules", rule).await;
    walk.name("{trust_rule}", added.json()["id"].as_str().unwrap());
    walk.go("GET", "/v1/orgs/{org}/keys/{key}").await;
    walk.send("POST", "/v1/orgs/{org}/issuers/{issuer}/check", json!({ "token": "x" })).await;
    walk.send("PATCH", "/v1/orgs/{org}/issuers/{issuer}?dry_run=true", json!({ "status": "disabled" })).await;
    walk.send("PATCH", "/v1/orgs/{org}/issuers/{issuer}", json!({ "max_lifetime": 600 })).await;
    walk.go("DELETE", "/v1/orgs/{org}/keys/{key}/trust-rules/{trust_rule}?dry_run=true").await;
    walk.go("DELETE", "/v1/orgs/{org}/keys/{key}/trust-rules/{trust_rule}").await;
    walk.go("DELETE", "/v1/orgs/{org}/issuers/{issuer}?dry_run=true").await;
    walk.go("DELETE", "/v1/orgs/{org}/issuers/{issuer}").await;
}

async fn token(walk: &mut Walk, key: &str) -> String {
    let form = format!("grant_type=client_credentials&client_secret={key}");
    walk.post_form("/oauth/token", &form).await.json()["access_token"].as_str().unwrap().to_owned()
}

async fn introspection(walk: &mut Walk, key: &str, token: &str) {
    for introspected in [token, key, "nobody's"] {
        walk.post_form("/oauth/introspect", &format!("token={introspected}")).await;
    }
    walk.post_form("/oauth/revoke", &format!("token={token}")).await;
}

async fn many_keys(walk: &mut Walk) {
    let fewer =
        json!({ "filter": { "project": "web" }, "scopes": [{ "action": "read", "resource": "web/**" }] });
    walk.send("POST", "/v1/orgs/{org}/keys/rescope?dry_run=true", fewer.clone()).await;
    let changed = walk.send("POST", "/v1/orgs/{org}/keys/rescope", fewer).await;
    assert_eq!(changed.json()["count"], 3);
    walk.send("POST", "/v1/orgs/{org}/keys/{key}/revoke?dry_run=true", json!({})).await;
    for operation in ["disable", "enable"] {
        let web = json!({ "filter": { "project": "web" } });
        let path = format!("/v1/orgs/{{org}}/keys/{operation}");
        assert_eq!(walk.send("POST", &path, web).await.json()["count"], 3);
    }
    walk.send("POST", "/v1/orgs/{org}/keys/{key}/revoke", json!({ "reason": "leaked" })).await;
    walk.go("DELETE", "/v1/orgs/{org}/keys/{key}?dry_run=true").await;
    walk.go("DELETE", "/v1/orgs/{org}/keys/{key}").await;
    let rest = json!({ "filter": { "project": "web" }, "reason": "not in use" });
    let revoked = walk.send("POST", "/v1/orgs/{org}/keys/revoke", rest).await;
    assert_eq!(revoked.json()["count"], 2);
}

async fn configuration(walk: &mut Walk) {
    let mut document = walk.go("GET", "/v1/orgs/{org}/configuration").await.json();
    document["organization"]["name"] = "Acme".into();
    document["keys"][0]["preset"] = "full_access".into();
    document["keys"][0]["scopes"] = Value::Null;
    let jwk = json!({ "kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo" });
    let new = json!({ "name": "new", "project": "web", "environment": "prd", "preset": "query_only", "secret": false,
        "public_keys": [jwk], "trust_rules": [{ "issuer": "ci", "subject": "x" }] });
    document["keys"].as_array_mut().unwrap().push(new);
    let issuer = json!({ "id": "ci", "issuer": "https://ci.example.com", "keys": { "discovery": true } });
    document["issuers"].as_array_mut().unwrap().push(issuer);
    document["scopes"].as_array_mut().unwrap().push(json!({ "id": "all", "scope": "*:*", "name": "All" }));
    let would = walk.send("PUT", "/v1/orgs/{org}/configuration?dry_run=true", document.clone()).await.json();
    let changed = walk.send("PUT", "/v1/orgs/{org}/configuration?prune=true", document).await.json();
    assert_eq!(would["changes"], changed["changes"]);
    assert_eq!(changed["changes"].as_array().unwrap().len(), 5);
    assert_eq!(changed["keys"].as_array().unwrap().len(), 1);
}

async fn ends(walk: &mut Walk) {
    walk.go("DELETE", "/v1/orgs/{org}/projects/{project}").await;
    walk.go("DELETE", "/v1/orgs/{org}").await;
}

struct Walk {
    client: Client,
    names: Vec<(&'static str, String)>,
    done: BTreeSet<String>,
}

impl Walk {
    /// From now on the path's parameter stands for this.
    fn name(&mut self, parameter: &'static str, value: &str) {
        self.names.push((parameter, value.to_owned()));
    }

    async fn go(&mut self, method: &str, path: &str) -> Answer {
        let client = self.client.clone();
        self.ask(client, method, path, None).await
    }

    async fn send(&mut self, method: &str, path: &str, body: Value) -> Answer {
        let client = self.client.with("content-type", "application/json");
        self.ask(client, method, path, Some(body.to_string())).await
    }

    async fn post_form(&mut self, path: &str, form: &str) -> Answer {
        let client = self.client.with("content-type", "application/x-www-form-urlencoded");
        self.ask(client, "POST", path, Some(form.to_owned())).await
    }

    async fn ask(&mut self, client: Client, method: &str, path: &str, body: Option<String>) -> Answer {
        self.done.insert(format!("{method} {}", path.split('?').next().unwrap()));
        let target = self.names.iter().fold(path.to_owned(), |path, (name, value)| path.replace(name, value));
        let answer = client.send(Method::from_bytes(method.as_bytes()).unwrap(), &target, body).await;
        assert!((200..300).contains(&answer.status), "{method} {target}: {} {}", answer.status, answer.text);
        answer
    }
}
