//! What a program finds around it: a server, a client of it, and a resource server that may introspect.

use std::path::PathBuf;

use claviger::base::clock::Clock;
use serde_json::{Value, json};
use tokio::runtime::Runtime;

use crate::support::{Backend, Claviger, Database, Holder, Process, write_private};

/// In the order that a token has them.
const SCOPES: [&str; 2] = ["read:projects/*", "write:projects/web"];

pub(crate) struct World {
    runtime: Runtime,
    claviger: Claviger,
    server: Process,
    algorithm: &'static str,
    _database: Database,
}

impl World {
    /// A server that signs with the algorithm.
    pub(crate) fn signing_with(algorithm: &'static str) -> Self {
        Self::start(Backend::Sqlite, algorithm, &[])
    }

    /// A server over this database.
    pub(crate) fn on(backend: Backend) -> Self {
        Self::start(backend, "ES256", &[])
    }

    /// A server over this database that also serves metrics, and writes use every second.
    pub(crate) fn with_metrics(backend: Backend) -> Self {
        let settings = [
            ("CLAVIGER_METRICS_LISTEN", "127.0.0.1:0"),
            ("CLAVIGER_LOG_FORMAT", "json"),
            ("CLAVIGER_USAGE_FLUSH", "1"),
        ];
        Self::start(backend, "ES256", &settings)
    }

    /// Where the log says that metrics are served.
    pub(crate) fn metrics_address(&self) -> String {
        let log = self.log();
        let mut lines = log.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        let line = lines.find(|line| line["message"] == "serving metrics").expect("a line in the log");
        text(&line["address"]).to_owned()
    }

    /// A server with these settings.
    pub(crate) fn set(settings: &[(&str, &str)]) -> Self {
        Self::start(Backend::Sqlite, "ES256", settings)
    }

    /// A server over this database with these settings.
    pub(crate) fn set_on(backend: Backend, settings: &[(&str, &str)]) -> Self {
        Self::start(backend, "ES256", settings)
    }

    fn start(backend: Backend, algorithm: &'static str, settings: &[(&str, &str)]) -> Self {
        let runtime = Runtime::new().expect("a runtime");
        let database = runtime.block_on(backend.fresh());
        let claviger = signing(Claviger::over(&database), algorithm, &database);
        let claviger = settings.iter().fold(claviger, |claviger, (name, value)| claviger.set(name, value));
        let server = claviger.serve();
        Self { runtime, claviger, server, algorithm, _database: database }
    }

    pub(crate) fn issuer(&self) -> &str {
        &self.server.issuer
    }

    /// The audience that a token has if none is asked for.
    pub(crate) fn audience(&self) -> String {
        format!("{}/api", self.issuer())
    }

    /// What the programs are told (see README.md).
    pub(crate) fn environment(&self) -> Vec<(&'static str, String)> {
        let client = self.key(&json!({
            "scopes": SCOPES.map(scope),
            "cidrs": ["127.0.0.0/8", "::1"],
        }));
        let resource_server = self.key(&json!({
            "scopes": [scope("read:claviger/orgs/default/introspection")],
        }));
        let cidrs: Vec<&str> = client["cidrs"].as_array().into_iter().flatten().map(text).collect();
        vec![
            ("CLAVIGER_ISSUER", self.issuer().to_owned()),
            ("CLAVIGER_ALGORITHM", self.algorithm.to_owned()),
            ("CLAVIGER_AUDIENCE", self.audience()),
            ("CLAVIGER_ADMIN_KEY", self.server.admin_key()),
            ("CLAVIGER_CLIENT_ID", text(&client["id"]).to_owned()),
            ("CLAVIGER_API_KEY", text(&client["key"]).to_owned()),
            ("CLAVIGER_SCOPES", SCOPES.join(" ")),
            ("CLAVIGER_CIDRS", cidrs.join(" ")),
            ("CLAVIGER_RS_CLIENT_ID", text(&resource_server["id"]).to_owned()),
            ("CLAVIGER_RS_API_KEY", text(&resource_server["key"]).to_owned()),
        ]
    }

    /// What the management API makes of this, as its administrator.
    pub(crate) fn make(&self, collection: &str, body: &Value) -> Value {
        let admin = self.server.admin();
        let made = self.runtime.block_on(admin.post_json(collection, body));
        assert_eq!(made.status, 201, "{}", made.text);
        made.json()
    }

    /// Does as its administrator what has no answer but that it is done.
    pub(crate) fn order(&self, path: &str, body: &Value) {
        let done = self.runtime.block_on(self.server.admin().post_json(path, body));
        assert_eq!(done.status, 200, "{}", done.text);
    }

    /// A token of this API key, bound to the holder's key if there is one.
    pub(crate) fn token(&self, key: &str, holder: Option<&Holder>) -> String {
        let client = match holder {
            Some(holder) => {
                let url = format!("{}/oauth/token", self.issuer());
                self.server.client().proving(&holder.proof("POST", &url, Clock::system().now()).signed())
            }
            None => self.server.client(),
        };
        self.runtime.block_on(client.access_token(key, ""))
    }

    /// The port that the server listens on.
    pub(crate) fn port(&self) -> u16 {
        self.server.address.port()
    }

    /// Kills the server, which leaves its port to nobody.
    pub(crate) fn kill(&self) {
        self.server.signal("KILL");
    }

    /// Where the server logs.
    pub(crate) fn log_file(&self) -> PathBuf {
        self.claviger.log_file()
    }

    /// What the server logged.
    pub(crate) fn log(&self) -> String {
        self.claviger.log()
    }

    /// A key in the project `default`, with this and what a key needs besides.
    pub(crate) fn key(&self, members: &Value) -> Value {
        let mut body = json!({"name": "foreign", "project": "default", "environment": "prd"});
        for (name, value) in members.as_object().into_iter().flatten() {
            body[name] = value.clone();
        }
        self.make("/v1/orgs/default/keys", &body)
    }
}

/// With the settings for signing keys; RSA ones are imported, never made.
fn signing(claviger: Claviger, algorithm: &str, database: &Database) -> Claviger {
    if algorithm != "RS256" {
        return claviger.set("CLAVIGER_SIGNING_ALGORITHM", algorithm);
    }
    // Key files that others may read are refused.
    let file = database.folder.path().join("rsa.pem");
    write_private(&file, include_str!("../vectors/pem/rsa-2048.pem"));
    claviger.set("CLAVIGER_SIGNING_KEY_FILE", &file.display().to_string())
}

fn scope(scope: &str) -> Value {
    let (action, resource) = scope.split_once(':').expect("a scope has a colon");
    json!({"action": action, "resource": resource})
}

fn text(value: &Value) -> &str {
    value.as_str().expect("a string")
}
