//! Two organizations on one server: one that makes noise, and a quiet one.

use claviger::jose::jwk::Algorithm;
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::assertion::{Holder, claims, form as assertion};
use crate::support::foreign_issuer::ForeignIssuer;
use crate::support::{Answer, Backend, Client, Database, Options, Server};

/// Keys of the noisy organization.
const KEYS: u32 = 300;

/// Keys of the quiet one that the node has not seen yet.
const COLD: usize = 4;

/// Whose noise it is, by the credential.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Noise {
    Client,
    ManagementToken,
    ReadOnlyKey,
    ResourceServer,
    Gateway,
    Console,
    Workload,
    Anonymous,
}

/// Two organizations, `noisy` and `quiet`.
pub(super) struct Street {
    pub(super) server: Server,
    /// A client of the quiet one; its key, and a token of it.
    key: String,
    token: String,
    /// The introspection key of a resource server of the quiet one.
    introspection: String,
    /// Keys of the quiet one that are each used once.
    cold: Vec<String>,
}

/// A request that a noisy neighbour makes.
#[derive(Clone)]
pub(super) struct Request {
    client: Client,
    method: Method,
    path: String,
    body: Option<String>,
}

impl Noise {
    pub(super) const ALL: [Self; 8] = [
        Self::Client,
        Self::ManagementToken,
        Self::ReadOnlyKey,
        Self::ResourceServer,
        Self::Gateway,
        Self::Console,
        Self::Workload,
        Self::Anonymous,
    ];
}

impl Street {
    pub(super) async fn new(backend: Backend) -> Self {
        Self::on(backend.fresh().await, Options::default()).await
    }

    pub(super) async fn on(database: Database, options: Options) -> Self {
        let server = Server::start_on(database, options).await;
        let admin = server.admin();
        for id in ["noisy", "quiet"] {
            admin.post_json("/v1/orgs", &json!({ "id": id })).await.done(201);
            let project = json!({ "id": "default" });
            admin.post_json(&format!("/v1/orgs/{id}/projects"), &project).await.done(201);
        }
        let keys: Vec<Value> = (0..KEYS)
            .map(|at| {
                json!({
                    "name": format!("Key {at}"), "project": "default", "environment": "dev",
                    "scopes": [{ "action": "read" }],
                })
            })
            .collect();
        let document =
            json!({ "organization": { "id": "noisy", "name": "Noisy" }, "keys": keys }).to_string();
        let path = "/v1/orgs/noisy/configuration";
        admin
            .with("content-type", "application/json")
            .send(Method::PUT, path, Some(document))
            .await
            .done(200);
        let key = make_key(&server, "quiet", "*:*").await;
        let token = server.client().access_token(&key, "").await;
        let introspection = make_key(&server, "quiet", "read:claviger/orgs/quiet/introspection").await;
        let mut cold = Vec::new();
        for _ in 0..COLD {
            cold.push(make_key(&server, "quiet", "read:*").await);
        }
        Self { server, key, token, introspection, cold }
    }

    /// What a quiet neighbour needs, all of which it gets. A key is used for the first time now and then.
    pub(super) async fn quiet_round(&self, noise: Noise, round: usize) {
        let client = self.server.client();
        let mut answers = vec![
            client.token(&self.key, "").await,
            client.bearer(&self.key).get("/v1/gate?action=read&resource=orders/7").await,
            client.bearer(&self.token).get("/v1/gate?action=read&resource=orders/7").await,
            client.bearer(&self.key).get("/v1/self").await,
            client
                .bearer(&self.introspection)
                .post_form("/oauth/introspect", &format!("token={}", self.token))
                .await,
        ];
        if let Some(cold) = self.cold.get(round) {
            answers.push(client.token(cold, "").await);
        }
        for answer in answers {
            assert_eq!(answer.status, 200, "{noise:?}, round {round}: {}", answer.text);
        }
    }

    /// What the noisy neighbour asks for, again and again.
    pub(super) async fn requests(&self, noise: Noise) -> Vec<Request> {
        let server = &self.server;
        let client = server.client();
        match noise {
            Noise::Client => {
                let key = make_key(server, "noisy", "*:*").await;
                let mut requests = vec![form(&client, "/oauth/token", &grant(&key))];
                for _ in 0..3 {
                    let token = client.access_token(&key, "").await;
                    let revoke = format!("token={token}&client_secret={key}");
                    requests.push(form(&client, "/oauth/revoke", &revoke));
                }
                requests
            }
            Noise::ManagementToken => {
                let token = client.access_token(&self.administrator().await, "").await;
                let client = client.bearer(&token).with("content-type", "application/json");
                let key = json!({ "name": "x", "project": "default", "environment": "prd", "preset": "query_only" });
                let all =
                    json!({ "filter": { "q": "Key" }, "add": [{ "action": "write", "resource": "x" }] });
                vec![
                    json_request(&client, Method::POST, "/v1/orgs/noisy/keys", &key),
                    json_request(
                        &client,
                        Method::PATCH,
                        "/v1/orgs/noisy/projects/default",
                        &json!({ "name": "Noisy" }),
                    ),
                    json_request(&client, Method::POST, "/v1/orgs/noisy/keys/rescope?dry_run=true", &all),
                    get(&client, "/v1/orgs/noisy/keys?limit=200"),
                ]
            }
            Noise::ReadOnlyKey => {
                let client = client.bearer(&make_key(server, "noisy", "read:claviger/orgs/noisy/**").await);
                [
                    "/v1/orgs/noisy/configuration",
                    "/v1/orgs/noisy/keys?q=nothing&status=all",
                    "/v1/orgs/noisy/audit?format=csv",
                    "/v1/orgs/noisy/usage",
                    "/v1/orgs/noisy/projects",
                ]
                .map(|path| get(&client, path))
                .into()
            }
            Noise::ResourceServer => {
                let client =
                    client.bearer(&make_key(server, "noisy", "read:claviger/orgs/noisy/introspection").await);
                let key = make_key(server, "noisy", "read:*").await;
                let token = server.client().access_token(&key, "").await;
                [&*key, &*token, "nonsense", &*self.key]
                    .map(|subject| form(&client, "/oauth/introspect", &format!("token={subject}")))
                    .into()
            }
            Noise::Gateway => {
                let client = client.bearer(&make_key(server, "noisy", "*:*").await);
                [
                    "action=read&resource=a&token=1",
                    "action=write&resource=b",
                    "action=x",
                    "action=read&resource=claviger/x",
                ]
                .map(|question| get(&client, &format!("/v1/gate?{question}")))
                .into()
            }
            Noise::Console => {
                let key = self.administrator().await;
                let client = client.with("origin", &server.url(""));
                let answer = client.post_form("/console/sign-in", &format!("key={key}")).await;
                assert_eq!(answer.status, 303, "{}", answer.text);
                let cookie = answer.header("set-cookie").split(';').next().unwrap_or_default().to_owned();
                let signed_in = client.with("cookie", &cookie);
                vec![
                    get(&signed_in, "/console/orgs/noisy/keys"),
                    get(&signed_in, "/console/orgs/noisy/usage"),
                    get(&signed_in, "/console/orgs/noisy/audit"),
                    form(&client, "/console/sign-in", &format!("key={key}")),
                ]
            }
            Noise::Workload => self.workload_requests().await,
            Noise::Anonymous => {
                // Who guesses at a key holds its owner up in the same network, which here is everybody's.
                let other = make_key(server, "noisy", "read:*").await;
                vec![
                    form(&client, "/oauth/token", &grant("nonsense")),
                    form(&client, "/oauth/token", &grant(&crate::support::forged(&other))),
                    get(&client, "/oauth/revocations"),
                    get(&client, "/.well-known/jwks.json"),
                    get(&client, "/readyz"),
                    get(
                        &client.with("cookie", &format!("claviger={}", "A".repeat(43))),
                        "/console/orgs/quiet/keys",
                    ),
                    get(&client, "/v1/orgs/quiet/keys"),
                ]
            }
        }
    }

    /// Assertions and tokens that nobody signed who may, of a key that has ways in for both, and of made-up keys. The issuer
    /// that the key trusts doesn't answer any more, and each of its tokens names another key.
    async fn workload_requests(&self) -> Vec<Request> {
        let (server, client, admin) = (&self.server, self.server.client(), self.server.admin());
        let (issuer, now) = (ForeignIssuer::start().await, server.clock.now().unix());
        let keys = json!({ "jwks_uri": format!("{}/keys", issuer.url) });
        let record = json!({ "id": "idp", "issuer": issuer.url, "keys": keys });
        admin.post_json("/v1/orgs/noisy/issuers", &record).await.done(201);
        let new = json!({
            "name": "workload", "project": "default", "environment": "prd", "scopes": [{ "action": "read" }],
            "secret": false, "public_keys": [{ "jwk": Holder::new(Algorithm::Es256).jwk }],
            "trust_rules": [{ "issuer": "idp", "subject": "workload" }],
        });
        let made = admin.post_json("/v1/orgs/noisy/keys", &new).await.done(201);
        let id = made["id"].as_str().unwrap();
        let good = issuer.token(&server.issuer(), now, &json!({}));
        client.token_by(&good, &format!("&client_id={id}")).await.done(200);
        issuer.hang().await;
        server.advance(60).await;
        let now = server.clock.now().unix();
        let stranger = Holder::new(Algorithm::Es256);
        let by = |assertion_of: &str, more: &str| {
            let text = format!("grant_type=client_credentials&{}{more}", assertion(assertion_of));
            form(&client, "/oauth/token", &text)
        };
        let mut requests = Vec::new();
        for at in 0..12 {
            let header = json!({ "alg": "ES256", "kid": format!("unknown-{at}") });
            let claims_of_workload = issuer.claims(&server.issuer(), now, &json!({}));
            requests.push(by(&stranger.sign(&header, &claims_of_workload), &format!("&client_id={id}")));
            for client_id in [id, &format!("key_{at:016}")] {
                let claims = claims(client_id, &server.issuer(), now);
                requests.push(by(&stranger.sign(&json!({ "alg": "ES256" }), &claims), ""));
            }
        }
        requests
    }

    async fn administrator(&self) -> String {
        make_key(&self.server, "noisy", "*:claviger/orgs/noisy/**").await
    }
}

impl Request {
    pub(super) async fn ask(&self) -> Answer {
        self.client.send(self.method.clone(), &self.path, self.body.clone()).await
    }
}

/// A new key of an organization, with this scope.
pub(super) async fn make_key(server: &Server, organization: &str, scope: &str) -> String {
    let (action, resource) = scope.split_once(':').unwrap();
    let body = json!({
        "name": "test", "project": "default", "environment": "prd",
        "scopes": [{ "action": action, "resource": resource }],
    });
    let made = server.admin().post_json(&format!("/v1/orgs/{organization}/keys"), &body).await.done(201);
    made["key"].as_str().unwrap().to_owned()
}

fn grant(key: &str) -> String {
    format!("grant_type=client_credentials&client_secret={key}")
}

fn get(client: &Client, path: &str) -> Request {
    Request { client: client.clone(), method: Method::GET, path: path.to_owned(), body: None }
}

fn form(client: &Client, path: &str, body: &str) -> Request {
    let client = client.with("content-type", "application/x-www-form-urlencoded");
    Request { client, method: Method::POST, path: path.to_owned(), body: Some(body.to_owned()) }
}

fn json_request(client: &Client, method: Method, path: &str, body: &Value) -> Request {
    Request { client: client.clone(), method, path: path.to_owned(), body: Some(body.to_string()) }
}
