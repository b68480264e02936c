//! What a program finds around it: a server, a client of it, and a resource server that may introspect.

use std::fs::{self, File};
use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::client::Client;

/// In the order that a token has them.
const SCOPES: [&str; 2] = ["read:projects/*", "write:projects/web"];

pub(crate) struct World {
    server: Server,
    algorithm: &'static str,
    client: Value,
    resource_server: Value,
}

impl World {
    /// A server that signs with the algorithm.
    pub(crate) fn start(algorithm: &'static str) -> Self {
        let server = Server::start(algorithm);
        let client = server.create_key(&json!({
            "scopes": SCOPES.map(scope),
            "cidrs": ["127.0.0.0/8", "::1"],
        }));
        let resource_server = server.create_key(&json!({
            "scopes": [scope("read:claviger/orgs/default/introspection")],
        }));
        Self { server, algorithm, client, resource_server }
    }

    /// What the programs are told (see README.md).
    pub(crate) fn environment(&self) -> Vec<(&'static str, String)> {
        let cidrs: Vec<&str> = self.client["cidrs"].as_array().into_iter().flatten().map(text).collect();
        vec![
            ("CLAVIGER_ISSUER", self.server.issuer.clone()),
            ("CLAVIGER_ALGORITHM", self.algorithm.to_owned()),
            ("CLAVIGER_AUDIENCE", format!("{}/api", self.server.issuer)),
            ("CLAVIGER_CLIENT_ID", text(&self.client["id"]).to_owned()),
            ("CLAVIGER_API_KEY", text(&self.client["key"]).to_owned()),
            ("CLAVIGER_SCOPES", SCOPES.join(" ")),
            ("CLAVIGER_CIDRS", cidrs.join(" ")),
            ("CLAVIGER_RS_CLIENT_ID", text(&self.resource_server["id"]).to_owned()),
            ("CLAVIGER_RS_API_KEY", text(&self.resource_server["key"]).to_owned()),
        ]
    }

    /// What the server logged.
    pub(crate) fn log(&self) -> String {
        fs::read_to_string(self.server.folder.path().join(LOG)).unwrap_or_default()
    }
}

const LOG: &str = "server.log";

/// The real binary, bootstrapped in a folder of its own; it ends with this value.
struct Server {
    process: Child,
    folder: TempDir,
    issuer: String,
    address: SocketAddr,
}

impl Server {
    fn start(algorithm: &str) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let log = File::create(folder.path().join(LOG)).expect("a file for the log");
        let mut command = Command::new(env!("CARGO_BIN_EXE_claviger"));
        for (name, _) in
            std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("CLAVIGER_"))
        {
            command.env_remove(name);
        }
        let mut process = command
            .args(["serve", "--listen", "127.0.0.1:0"])
            .envs(signing(algorithm, folder.path()))
            .current_dir(folder.path())
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()
            .expect("the server starts");
        let stdout = process.stdout.take().expect("stdout is piped");
        let ready = BufReader::new(stdout).lines().map_while(Result::ok).find_map(|line| {
            let (issuer, address) = line.strip_prefix("Claviger serves ")?.split_once(" on ")?;
            Some((issuer.to_owned(), address.parse().ok()?))
        });
        let (issuer, address) = ready.expect("the server says what it serves, and where");
        Self { process, folder, issuer, address }
    }

    /// Creates a key in the project `default`, with this and what a key needs besides.
    fn create_key(&self, members: &Value) -> Value {
        let admin_key =
            fs::read_to_string(self.folder.path().join("keys/admin.key")).expect("the administrator's key");
        let mut body = json!({"name": "foreign", "project": "default", "environment": "prd"});
        for (name, value) in members.as_object().into_iter().flatten() {
            body[name] = value.clone();
        }
        let admin = Client::new(self.address).bearer(admin_key.trim());
        let runtime = tokio::runtime::Runtime::new().expect("a runtime");
        let created = runtime.block_on(admin.post_json("/v1/orgs/default/keys", &body));
        assert_eq!(created.status, 201, "{}", created.text);
        created.json()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// The settings for signing keys; RSA ones are imported, never made.
fn signing(algorithm: &str, folder: &Path) -> Vec<(&'static str, String)> {
    if algorithm != "RS256" {
        return vec![("CLAVIGER_SIGNING_ALGORITHM", algorithm.to_owned())];
    }
    let pem = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/vectors/pem/rsa-2048.pem");
    let file = folder.join("rsa.pem");
    // Key files that others may read are refused.
    let mut private =
        File::options().write(true).create_new(true).mode(0o600).open(&file).expect("a new file");
    std::io::copy(&mut File::open(pem).expect("the PEM file"), &mut private).expect("the PEM file is copied");
    vec![("CLAVIGER_SIGNING_KEY_FILE", file.display().to_string())]
}

fn scope(scope: &str) -> Value {
    let (action, resource) = scope.split_once(':').expect("a scope has a colon");
    json!({"action": action, "resource": resource})
}

fn text(value: &Value) -> &str {
    value.as_str().expect("a string")
}
