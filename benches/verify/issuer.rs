//! A server that issues any number of tokens.

use claviger::jose::jwk::Algorithm;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::process::Server;

pub(crate) struct Issuer {
    pub(crate) url: String,
    pub(crate) algorithm: Algorithm,
    key: String,
    http: reqwest::Client,
    _server: Server,
    _folder: TempDir,
}

impl Issuer {
    pub(crate) async fn signing_with(algorithm: Algorithm) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let settings = [
            ("CLAVIGER_SIGNING_ALGORITHM", algorithm.as_str()),
            ("CLAVIGER_ARGON2_MEMORY", "8"),
            ("CLAVIGER_ARGON2_PASSES", "1"),
        ];
        let server = Server::claviger(folder.path(), &settings);
        let url = format!("http://{}", server.address);
        let admin = std::fs::read_to_string(folder.path().join("keys/admin.key")).expect("the first key");
        let http = reqwest::Client::builder().no_proxy().build().expect("a client");
        let body =
            json!({ "name": "bench", "project": "default", "environment": "prd", "preset": "query_only" });
        let made = http.post(format!("{url}/v1/orgs/default/keys")).bearer_auth(admin.trim_end()).json(&body);
        let made: Value = made.send().await.expect("an answer").json().await.expect("JSON");
        let key = made["key"].as_str().expect("a key").to_owned();
        Self { url, algorithm, key, http, _server: server, _folder: folder }
    }

    pub(crate) fn audience(&self) -> String {
        format!("{}/api", self.url)
    }

    pub(crate) async fn tokens(&self, count: usize) -> Vec<String> {
        let mut tokens = Vec::with_capacity(count);
        for _ in 0..count {
            let form = [("grant_type", "client_credentials"), ("client_secret", self.key.as_str())];
            let asked = self.http.post(format!("{}/oauth/token", self.url)).form(&form);
            let answer: Value = asked.send().await.expect("an answer").json().await.expect("JSON");
            tokens.push(answer["access_token"].as_str().expect("a token").to_owned());
        }
        tokens
    }

    pub(crate) async fn jwks(&self) -> String {
        let asked = self.http.get(format!("{}/.well-known/jwks.json", self.url));
        asked.send().await.expect("an answer").text().await.expect("text")
    }
}
