//! Several servers over one store.

use std::net::{SocketAddr, TcpListener};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::postgres::Postgres;
use crate::process::Server;

/// A store and its folder of key files.
pub(crate) struct Deployment {
    folder: TempDir,
    url: String,
}

/// A server of the deployment.
pub(crate) struct Node {
    pub(crate) issuer: String,
    pub(crate) address: SocketAddr,
    pub(crate) server: Server,
    admin: String,
    http: reqwest::Client,
}

impl Deployment {
    pub(crate) fn on_sqlite() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let url = format!("sqlite://{}", folder.path().join("claviger.db").display());
        Self { folder, url }
    }

    pub(crate) async fn on_postgres(server: &Postgres) -> Self {
        use sqlx::Connection as _;
        let connection = sqlx::PgConnection::connect(&server.url("postgres")).await;
        let mut connection = connection.expect("a connection");
        sqlx::raw_sql("CREATE DATABASE revocation").execute(&mut connection).await.expect("a database");
        Self { folder: tempfile::tempdir().expect("a folder"), url: server.url("revocation") }
    }

    /// Starts a server whose issuer is its own address.
    pub(crate) fn start(&self) -> Node {
        let address = free_address();
        self.start_at(address, &format!("http://{address}"))
    }

    /// Starts another server with the same issuer.
    pub(crate) fn start_beside(&self, node: &Node) -> Node {
        self.start_at(free_address(), &node.issuer)
    }

    /// Starts a server with another issuer.
    pub(crate) fn start_as(&self, issuer: &str) -> Node {
        self.start_at(free_address(), issuer)
    }

    /// Kills a server and starts it again.
    pub(crate) fn restart(&self, node: Node) -> Node {
        let Node { issuer, address, server, .. } = node;
        drop(server);
        self.start_at(address, &issuer)
    }

    fn start_at(&self, address: SocketAddr, issuer: &str) -> Node {
        let listen = address.to_string();
        let settings = [
            ("CLAVIGER_DATABASE_URL", self.url.as_str()),
            ("CLAVIGER_LISTEN", &listen),
            ("CLAVIGER_ISSUER", issuer),
            ("CLAVIGER_MAX_CONNECTIONS", "12000"),
            ("CLAVIGER_ARGON2_MEMORY", "8"),
            ("CLAVIGER_ARGON2_PASSES", "1"),
        ];
        let server = Server::claviger(self.folder.path(), &settings);
        let admin =
            std::fs::read_to_string(self.folder.path().join("keys/admin.key")).expect("the first key");
        let http = reqwest::Client::builder().no_proxy().build().expect("a client");
        Node { issuer: issuer.to_owned(), address, server, admin: admin.trim_end().to_owned(), http }
    }
}

impl Node {
    /// Creates a key, and returns its id and a token.
    pub(crate) async fn key_and_token(&self) -> (String, String) {
        let body =
            json!({ "name": "bench", "project": "default", "environment": "prd", "preset": "query_only" });
        let made = self.post("/v1/orgs/default/keys", &body).await;
        let key = made["key"].as_str().expect("a key");
        let form = [("grant_type", "client_credentials"), ("client_secret", key)];
        let asked = self.http.post(format!("http://{}/oauth/token", self.address)).form(&form);
        let answer: Value = asked.send().await.expect("an answer").json().await.expect("JSON");
        let token = answer["access_token"].as_str().expect("a token");
        (made["id"].as_str().expect("an id").to_owned(), token.to_owned())
    }

    pub(crate) async fn revoke(&self, id: &str) {
        let revoked = self.post(&format!("/v1/orgs/default/keys/{id}/revoke"), &json!({})).await;
        assert_eq!(revoked["status"], "revoked", "{revoked}");
    }

    async fn post(&self, path: &str, body: &Value) -> Value {
        let asked =
            self.http.post(format!("http://{}{path}", self.address)).bearer_auth(&self.admin).json(body);
        asked.send().await.expect("an answer").json().await.expect("JSON")
    }
}

/// An address with a port that is free at the moment.
fn free_address() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("a port")
}
