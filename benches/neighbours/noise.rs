//! Two tenants, and the noise that one of them makes.

use std::sync::Arc;

use serde_json::{Value, json};

use crate::load::{Pace, token_request};
use crate::process::Server;
use crate::seed::Store;

/// The kinds of noise.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Noise {
    Client,
    ManagementToken,
    ReadOnlyKey,
    Lists,
    ResourceServer,
    Gateway,
    Console,
    Anonymous,
}

/// The two tenants. The noisy one owns the seeded keys, the quiet one a single key.
pub(crate) struct Tenants {
    base: String,
    http: reqwest::Client,
    admin: String,
    /// A key of the noisy tenant.
    key: (String, String),
    /// The quiet tenant's requests.
    pub(crate) quiet: Arc<Vec<Vec<u8>>>,
}

impl Noise {
    pub(crate) const ALL: [Self; 8] = [
        Self::Client,
        Self::ManagementToken,
        Self::ReadOnlyKey,
        Self::Lists,
        Self::ResourceServer,
        Self::Gateway,
        Self::Console,
        Self::Anonymous,
    ];

    /// The number of connections, and the pace.
    pub(crate) fn pace(self) -> (usize, Pace) {
        match self {
            Self::Client | Self::ResourceServer | Self::Gateway | Self::Anonymous => {
                (64, Pace::Open(4_000.0))
            }
            Self::ManagementToken | Self::ReadOnlyKey | Self::Lists | Self::Console => (64, Pace::Closed),
        }
    }
}

impl Tenants {
    pub(crate) async fn of(server: &Server, store: &Store) -> Self {
        let mut tenants = Self {
            base: format!("http://{}", server.address),
            http: reqwest::Client::builder().no_proxy().build().expect("a client"),
            admin: store.admin.clone(),
            key: store.key(0),
            quiet: Arc::default(),
        };
        tenants.post("/v1/orgs", json!({ "id": "quiet" })).await;
        tenants.post("/v1/orgs/quiet/projects", json!({ "id": "default" })).await;
        let made = tenants.make_key("quiet", "read", "*").await;
        tenants.quiet = Arc::new(vec![token_request(&made.0, &made.1)]);
        tenants
    }

    pub(crate) async fn requests(&self, noise: Noise) -> Arc<Vec<Vec<u8>>> {
        let requests = match noise {
            Noise::Client => vec![token_request(&self.key.0, &self.key.1)],
            Noise::ManagementToken => {
                // The organization itself is not below itself.
                let scopes = [("*", "claviger/orgs/default"), ("*", "claviger/orgs/default/**")];
                let admin = self.make_key_with("default", &scopes).await.1;
                let token = self.token(&admin).await;
                let patch = json!({ "name": "Noisy" }).to_string();
                // A caller can grant only the permissions that it has itself.
                let own = json!({ "action": "read", "resource": "claviger/orgs/default/audit" });
                let all = json!({ "filter": { "q": "Key 1" }, "add": [own] });
                vec![
                    request("PATCH", "/v1/orgs/default", &bearer(&token), &patch),
                    request(
                        "POST",
                        "/v1/orgs/default/keys/rescope?dry_run=true",
                        &bearer(&token),
                        &all.to_string(),
                    ),
                ]
            }
            Noise::ReadOnlyKey => vec![get("/v1/orgs/default/configuration", &bearer(&self.reader().await))],
            Noise::Lists => {
                let reader = bearer(&self.reader().await);
                [
                    "/v1/orgs/default/keys?limit=200",
                    "/v1/orgs/default/keys?q=nothing",
                    "/v1/orgs/default/usage",
                    "/v1/orgs/default/audit?limit=200",
                ]
                .map(|path| get(path, &reader))
                .into()
            }
            Noise::ResourceServer => {
                let key = self.make_key("default", "read", "claviger/orgs/default/introspection").await.1;
                let token = self.token(&self.key.1).await;
                let form = format!("{}content-type: application/x-www-form-urlencoded\r\n", bearer(&key));
                vec![request("POST", "/oauth/introspect", &form, &format!("token={token}"))]
            }
            Noise::Gateway => {
                vec![get("/v1/gate?action=read&resource=a&token=1", &bearer(&self.key.1))]
            }
            Noise::Console => {
                let key = self.make_key("default", "*", "claviger/orgs/default/**").await.1;
                let cookie = self.sign_in(&key).await;
                let headers = format!("cookie: {cookie}\r\n");
                ["/console/orgs/default/keys", "/console/orgs/default/usage", "/console/orgs/default/audit"]
                    .map(|path| get(path, &headers))
                    .into()
            }
            Noise::Anonymous => vec![
                token_request(&self.key.0, "nonsense"),
                get("/oauth/revocations", ""),
                get("/.well-known/jwks.json", ""),
                get("/v1/self", ""),
            ],
        };
        Arc::new(requests)
    }

    async fn reader(&self) -> String {
        self.make_key("default", "read", "claviger/orgs/default/**").await.1
    }

    async fn make_key(&self, organization: &str, action: &str, resource: &str) -> (String, String) {
        self.make_key_with(organization, &[(action, resource)]).await
    }

    async fn make_key_with(&self, organization: &str, scopes: &[(&str, &str)]) -> (String, String) {
        let scope = |(action, resource): &(&str, &str)| json!({ "action": action, "resource": resource });
        let scopes: Vec<Value> = scopes.iter().map(scope).collect();
        let body = json!({ "name": "x", "project": "default", "environment": "prd", "scopes": scopes });
        let made = self.post(&format!("/v1/orgs/{organization}/keys"), body).await;
        let text = |name: &str| made[name].as_str().expect("text").to_owned();
        (text("id"), text("key"))
    }

    async fn post(&self, path: &str, body: Value) -> Value {
        let request = self.http.post(format!("{}{path}", self.base)).bearer_auth(&self.admin).json(&body);
        let answer = request.send().await.expect("an answer");
        assert!(answer.status().is_success(), "{path}: {}", answer.status());
        answer.json().await.expect("JSON")
    }

    async fn token(&self, key: &str) -> String {
        let form = [("grant_type", "client_credentials"), ("client_secret", key)];
        let answer = self.http.post(format!("{}/oauth/token", self.base)).form(&form).send().await;
        let token: Value = answer.expect("an answer").json().await.expect("JSON");
        token["access_token"].as_str().expect("a token").to_owned()
    }

    async fn sign_in(&self, key: &str) -> String {
        let http = reqwest::Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none()).build();
        let request = http.expect("a client").post(format!("{}/console/sign-in", self.base));
        let answer =
            request.header("origin", &self.base).form(&[("key", key)]).send().await.expect("an answer");
        let cookie = answer.headers()["set-cookie"].to_str().expect("text");
        cookie.split(';').next().expect("a pair").to_owned()
    }
}

fn bearer(credential: &str) -> String {
    format!("authorization: Bearer {credential}\r\n")
}

fn get(path: &str, headers: &str) -> Vec<u8> {
    format!("GET {path} HTTP/1.1\r\nhost: 127.0.0.1\r\n{headers}\r\n").into_bytes()
}

fn request(method: &str, path: &str, headers: &str, body: &str) -> Vec<u8> {
    let json = if headers.contains("content-type") { "" } else { "content-type: application/json\r\n" };
    let length = body.len();
    format!(
        "{method} {path} HTTP/1.1\r\nhost: 127.0.0.1\r\n{headers}{json}content-length: {length}\r\n\r\n{body}"
    )
    .into_bytes()
}
