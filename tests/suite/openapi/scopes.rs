//! `x-required-scope` is what the server asks for.

use reqwest::Method;
use serde_json::{Value, json};

use crate::matrix::operations::{issuer, member, named_scope};
use crate::support::openapi::{Operation, operations};
use crate::support::{Answer, Backend, Client, Server, on_both};

on_both!(a_caller_without_it_is_told_which_scope_is_missing, a_caller_with_it_is_let_in);

#[test]
fn each_management_operation_says_what_it_needs() {
    let verbs = ["read:", "write:", "admin:"];
    for operation in operations().iter().filter(|operation| operation.path.starts_with("/v1/")) {
        let scope = operation.place.value.get("x-required-scope");
        let is_scope = |text: &str| verbs.iter().any(|verb| text.starts_with(&format!("{verb}claviger/")));
        let is_said = match scope {
            Some(Value::String(scope)) => is_scope(scope),
            // Any good credential.
            Some(Value::Null) => operation.path == "/v1/self" || operation.path.starts_with("/v1/gate"),
            _ => false,
        };
        assert!(is_said, "{}: {scope:?}", operation.name());
    }
}

async fn a_caller_without_it_is_told_which_scope_is_missing(backend: Backend) {
    let server = Server::start(backend).await;
    let (_, key) = server.key(&["read:*"]).await;
    let stranger = server.client().bearer(&key);
    for (operation, template) in guarded() {
        let target = Target::new(&server).await;
        let answer = target.ask(&stranger, operation).await;
        let said = || format!("{}: {} {}", operation.name(), answer.status, answer.text);
        if is_filtered(operation) {
            assert_eq!((answer.status, &answer.json()["data"]), (200, &json!([])), "{}", said());
            continue;
        }
        assert_eq!((answer.status, answer.code().as_str()), (403, "forbidden"), "{}", said());
        let message = answer.json()["error"]["message"].as_str().unwrap().to_owned();
        let scope = message.strip_prefix("this requires the scope ").unwrap_or_else(|| panic!("{}", said()));
        assert!(target.is_instance(scope, template), "{}: not of {template}", said());
        let challenge = answer.header("www-authenticate");
        assert!(challenge.ends_with(&format!(r#"scope="{scope}""#)), "{challenge}");
    }
}

async fn a_caller_with_it_is_let_in(backend: Backend) {
    let server = Server::start(backend).await;
    for (operation, template) in guarded() {
        let target = Target::new(&server).await;
        let beside = operation.text("x-required-scope-beside").map(|scope| target.widest(scope));
        let scopes: Vec<String> = beside.into_iter().chain([target.widest(template)]).collect();
        let scopes: Vec<&str> = scopes.iter().map(String::as_str).collect();
        let (_, key) = server.key(&scopes).await;
        let answer = target.ask(&server.client().bearer(&key), operation).await;
        if operation.text("x-required-scope-note") == Some("Also the scopes of the role.") {
            assert!(
                !answer.text.contains("this requires the scope"),
                "{}: {}",
                operation.name(),
                answer.text
            );
            continue;
        }
        let is_hidden = answer.status == 404 && operation.path.contains("{org}");
        assert!(answer.status != 403 && !is_hidden, "{}: {}", operation.name(), answer.text);
    }
}

/// The operations that need a scope, and which.
fn guarded() -> impl Iterator<Item = (&'static Operation, &'static str)> {
    let management = operations().iter().filter(|operation| operation.path.starts_with("/v1/"));
    management.filter_map(|operation| Some((operation, operation.text("x-required-scope")?)))
}

/// Whether it shows what the caller may see, instead of refusing.
fn is_filtered(operation: &Operation) -> bool {
    operation.place.value["x-required-scope-filters"] == true
}

/// What the requests are about: the names of paths and their values.
struct Target(Vec<(&'static str, String)>);

impl Target {
    /// A new key with two live secrets and a public key.
    async fn new(server: &Server) -> Self {
        let (key, _) = server.key(&["read:*"]).await;
        let rotate = format!("/v1/orgs/default/keys/{key}/rotate");
        let rotated = server.admin().post_json(&rotate, &json!({ "overlap_seconds": 60 })).await;
        assert_eq!(rotated.status, 201, "{}", rotated.text);
        let secret = rotated.json()["secrets"][0]["id"].as_str().unwrap().to_owned();
        let jwk =
            json!({ "kty": "OKP", "crv": "Ed25519", "x": "GbkECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE" });
        let public_keys = format!("/v1/orgs/default/keys/{key}/public-keys");
        let registered = server.admin().post_json(&public_keys, &json!({ "jwk": jwk })).await.done(201);
        let public_key = registered["id"].as_str().unwrap().to_owned();
        // An organization has at most 32, and an id is never used again.
        let earlier = server.admin().get("/v1/orgs/default/issuers").await.done(200);
        for issuer in earlier["data"].as_array().unwrap() {
            let path = format!("/v1/orgs/default/issuers/{}", issuer["id"].as_str().unwrap());
            server.admin().delete(&path).await.done(204);
        }
        let trusted = format!("gh-{}", key.to_ascii_lowercase().replace('_', "-"));
        server.admin().post_json("/v1/orgs/default/issuers", &issuer(&trusted)).await.done(201);
        let scope = trusted.replace("gh-", "read-");
        for list in ["/v1/scopes", "/v1/orgs/default/scopes"] {
            let entry = named_scope(&scope, &format!("read:{scope}"));
            server.admin().post_json(list, &entry).await.done(201);
        }
        let body = member(&scope, "auditor");
        let invited = server.admin().post_json("/v1/orgs/default/members", &body).await.done(201);
        let usr = invited["id"].as_str().unwrap().to_owned();
        let rule = json!({ "issuer": trusted, "claims": { "/repository_id": "1" } });
        let rules = format!("/v1/orgs/default/keys/{key}/trust-rules");
        let added = server.admin().post_json(&rules, &rule).await.done(201);
        let trust_rule = added["id"].as_str().unwrap().to_owned();
        let default = || "default".to_owned();
        Self(vec![
            ("{org}", default()),
            ("{project}", default()),
            ("{key}", key),
            ("{secret}", secret),
            ("{public_key}", public_key),
            ("{issuer}", trusted),
            ("{scope}", scope),
            ("{usr}", usr),
            ("{trust_rule}", trust_rule),
            ("{number}", "1".to_owned()),
        ])
    }

    /// Asks for it with the body that is the document's first example.
    async fn ask(&self, client: &Client, operation: &Operation) -> Answer {
        let path =
            self.0.iter().fold(operation.path.to_owned(), |path, (name, value)| path.replace(name, value));
        // The one operation that takes a parameter in any case.
        let path =
            if path == "/v1/keys" { format!("{path}?prefix={}", self.value("{key}").unwrap()) } else { path };
        let method: Method = operation.method.parse().unwrap();
        let Some(body) = operation.body() else { return client.send(method, &path, None).await };
        let several = body.get("examples").and_then(|examples| examples.members().next());
        let example = body.get("example").or_else(|| Some(several?.1.at("value")));
        let example = example.map_or(json!({}), |example| example.value.clone());
        client.with("content-type", "application/json").send(method, &path, Some(example.to_string())).await
    }

    /// Whether a scope is the template's: with these values, and any where the path has none.
    fn is_instance(&self, scope: &str, template: &str) -> bool {
        let same = |(segment, name): (&str, &str)| match self.value(name) {
            Some(value) => segment == value || segment == "*",
            None => name.starts_with('{') || segment == name,
        };
        scope.split('/').count() == template.split('/').count()
            && scope.split('/').zip(template.split('/')).all(same)
    }

    /// The template's scope with these values, on everything where the path has none.
    fn widest(&self, template: &str) -> String {
        let widened = |name: &str| match self.value(name) {
            Some(value) => value.to_owned(),
            None if name.starts_with('{') => "*".to_owned(),
            None => name.to_owned(),
        };
        template.split('/').map(widened).collect::<Vec<_>>().join("/")
    }

    fn value(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(known, _)| *known == name).map(|(_, value)| value.as_str())
    }
}
