//! What clients do in a day, and what they get wrong.

use reqwest::Method;
use serde_json::json;

use crate::search::Needle;
use crate::support::{Answer, Client, Process};

/// A day's secrets, and its answers but those that are meant to show one.
pub(super) struct Day {
    pub(super) key_id: String,
    admin_key: String,
    key: String,
    token: String,
    pub(super) answers: Vec<(String, Vec<u8>)>,
}

impl Day {
    pub(super) async fn of(server: &Process) -> Self {
        let (client, admin) = (server.client(), server.admin());
        let (key_id, key) = admin.create_key(&["read:*", "read:claviger/orgs/default/**"]).await;
        let token = client.access_token(&key, "").await;
        let mut day = Self { key_id, admin_key: server.admin_key(), key, token, answers: Vec::new() };
        day.make_mistakes(&client, &admin).await;
        day.go_about_business(&client, &admin).await;
        day
    }

    pub(super) fn secrets(&self) -> Vec<Needle> {
        let signature = self.token.rsplit('.').next().expect("a signature");
        vec![
            Needle::text("the administrator's secret", secret_of(&self.admin_key)),
            Needle::text("a key's secret", secret_of(&self.key)),
            Needle::text("a token's signature", signature),
        ]
    }

    async fn go_about_business(&mut self, client: &Client, admin: &Client) {
        let id = &self.key_id;
        let form = "grant_type=client_credentials";
        let wrong =
            format!("{}{}", &self.key[..self.key.len() - 1], if self.key.ends_with('0') { '1' } else { '0' });
        let key = &self.key;
        let answers = [
            ("Basic", client.basic(id, &wrong).post_form("/oauth/token", form).await),
            (
                "Basic with another's key",
                client.basic(id, &self.admin_key).post_form("/oauth/token", form).await,
            ),
            ("body", client.token(&wrong, "").await),
            ("self", client.bearer(key).get("/v1/self").await),
            ("self by X-Api-Key", client.with("x-api-key", key).get("/v1/self").await),
            ("list", admin.get("/v1/orgs/default/keys?status=all").await),
            ("read", admin.get(&format!("/v1/orgs/default/keys/{id}")).await),
            (
                "introspect a token",
                admin.post_form("/oauth/introspect", &format!("token={}", self.token)).await,
            ),
            ("introspect a key", admin.post_form("/oauth/introspect", &format!("token={key}")).await),
            ("revoke a token", admin.post_form("/oauth/revoke", &format!("token={}", self.token)).await),
            ("rotate", admin.post_json("/v1/signing-keys/rotate", &json!({})).await),
            (
                "revoke a key",
                admin.post_json(&format!("/v1/orgs/default/keys/{id}/revoke"), &json!({})).await,
            ),
            ("a revoked key", client.token(key, "").await),
            ("a revoked key by Basic", client.basic(id, key).post_form("/oauth/token", form).await),
            ("readiness", client.get("/readyz").await),
            ("keys", client.get("/.well-known/jwks.json").await),
        ];
        for (what, answer) in answers {
            self.keep(what, &answer);
        }
    }

    /// Secrets where they have no business to be.
    async fn make_mistakes(&mut self, client: &Client, admin: &Client) {
        for secret in [self.key.clone(), secret_of(&self.key).to_owned(), self.token.clone()] {
            for (method, path) in paths(&secret) {
                let answer = admin.send(method, &path, None).await;
                self.keep(&path, &answer);
            }
            for form in forms(&secret) {
                let authenticated = format!("client_secret={}&{form}", self.admin_key);
                for (path, form) in [
                    ("/oauth/token", &form),
                    ("/oauth/token", &authenticated),
                    ("/oauth/introspect", &authenticated),
                    ("/oauth/revoke", &form),
                ] {
                    let answer = client.post_form(path, form).await;
                    self.keep(form, &answer);
                }
            }
            for (name, value) in headers(&secret) {
                let answer = client.with(name, &value).get("/v1/self").await;
                self.keep(&value, &answer);
                let answer =
                    client.with(name, &value).send(Method::POST, "/oauth/token", Some("a=b".into())).await;
                self.keep(&value, &answer);
            }
            let admin = admin.with("content-type", "application/json");
            for body in bodies(&secret) {
                for path in [
                    "/v1/orgs/default/keys",
                    "/v1/signing-keys/rotate",
                    "/v1/orgs/default/keys/key_0123456789abcdef/revoke",
                ] {
                    let answer = admin.send(Method::POST, path, Some(body.clone())).await;
                    assert!(answer.status >= 400, "{body}: {}", answer.text);
                    self.keep(&body, &answer);
                }
            }
        }
    }

    fn keep(&mut self, what: &str, answer: &Answer) {
        assert!(answer.status < 500, "{what}: {}", answer.text);
        let headers = answer.headers.iter().map(|(name, value)| format!("{name}: {value:?}\n"));
        let text = headers.collect::<String>() + &answer.text;
        self.answers.push((format!("the answer to {what}"), text.into_bytes()));
    }
}

/// The 43 characters of a key that are secret.
fn secret_of(key: &str) -> &str {
    &key[key.len() - 49..key.len() - 6]
}

fn paths(secret: &str) -> Vec<(Method, String)> {
    let templates = [
        "/{}",
        "/{}/",
        "/a{}",
        "/v1/{}",
        "/v1/self/{}",
        "/v1/orgs/{}/keys",
        "/v1/orgs/default/keys/{}",
        "/v1/orgs/default/keys/key_{}",
        "/v1/orgs/default/keys/{}%20",
        "/v1/orgs/default/keys/{}/revoke",
        "/oauth/{}",
        "/oauth/token/{}",
        "/.well-known/{}",
        "/healthz?{}",
        "/v1/self?{}",
        "/v1/self?api_key={}",
        "/oauth/token?client_secret={}",
        "/v1/orgs/default/keys?{}={}",
        "/v1/orgs/default/keys?cursor={}",
        "/v1/orgs/default/keys?q={}",
        "/v1/orgs/default/keys?status={}",
        "/v1/orgs/default/keys?limit={}",
        "/v1/orgs/default/keys?project={}",
        "/v1/orgs/default/keys?environment={}",
    ];
    let filled = templates.map(|template| template.replace("{}", secret));
    filled.into_iter().flat_map(|path| [(Method::GET, path.clone()), (Method::POST, path)]).collect()
}

fn forms(secret: &str) -> Vec<String> {
    [
        "{}",
        "{}={}",
        "{}=1&{}=2",
        "grant_type={}",
        "grant_type=client_credentials&scope={}",
        "grant_type=client_credentials&scope=read:{}",
        "grant_type=client_credentials&scope={}:*",
        "grant_type=client_credentials&resource={}",
        "grant_type=client_credentials&audience=https://{}.example/",
        "grant_type=client_credentials&client_id={}",
        "grant_type=client_credentials&client_secret={}x",
        "client_secret={}%zz",
        "token={}",
        "token={}x",
        "token={}&token={}",
        "token=x&token_type_hint={}",
    ]
    .map(|template| template.replace("{}", secret))
    .to_vec()
}

fn headers(secret: &str) -> Vec<(&'static str, String)> {
    [
        ("authorization", "{}"),
        ("authorization", "Bearer {}x"),
        ("authorization", "Bearer x {}"),
        ("authorization", "Basic {}"),
        ("authorization", "Digest {}"),
        ("x-api-key", "{}x"),
        ("cookie", "key={}"),
        ("user-agent", "{}"),
        ("referer", "https://{}/"),
        ("x-forwarded-for", "{}"),
        ("x-request-id", "{}"),
        ("content-type", "{}"),
        ("accept", "{}"),
    ]
    .map(|(name, template)| (name, template.replace("{}", secret)))
    .to_vec()
}

fn bodies(secret: &str) -> Vec<String> {
    let member = |name: &str, value: serde_json::Value| {
        let mut body = json!({ "name": "x", "project": "default", "environment": "prd" });
        body[name] = value;
        body.to_string()
    };
    vec![
        secret.to_owned(),
        json!(secret).to_string(),
        json!([secret]).to_string(),
        format!(r#"{{"name":"{secret}"#),
        member(secret, 1.into()),
        member("name", json!({ secret: 1 })),
        member("scopes", secret.into()),
        member("scopes", json!([secret])),
        member("scopes", json!([{ "action": secret, "resource": "*" }])),
        member("scopes", json!([{ "action": "read", "resource": format!("{secret} ") }])),
        member("scopes", json!([{ "action": "read", secret: "*" }])),
        member("preset", secret.into()),
        member("cidrs", json!([secret])),
        member("expires_at", secret.into()),
        member("expires_in", secret.into()),
        member("project", secret.into()),
        member("environment", secret.into()),
    ]
}
