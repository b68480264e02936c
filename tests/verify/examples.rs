//! The programs in `examples/`, as somebody would start them.

use std::io::{BufRead as _, BufReader};
use std::path::PathBuf;
use std::process::{Child, ChildStderr, ChildStdout, Command, Stdio};

use serde_json::json;

use crate::support::{Backend, Claviger, Client, Process, left_out, until};

/// An example that runs, and is killed when this is dropped.
struct Example {
    child: Child,
    stdout: BufReader<ChildStdout>,
    stderr: BufReader<ChildStderr>,
}

impl Example {
    /// Starts the example that was built along with this test.
    fn start(name: &str, arguments: &[&str], variables: &[(&str, &str)]) -> Option<Self> {
        let program = built(name)?;
        let mut command = Command::new(program);
        command.args(arguments).envs(variables.iter().copied());
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let stdout = BufReader::new(child.stdout.take().unwrap());
        let stderr = BufReader::new(child.stderr.take().unwrap());
        Some(Self { child, stdout, stderr })
    }

    /// The next line that it prints.
    fn line(&mut self) -> String {
        let mut line = String::new();
        self.stdout.read_line(&mut line).unwrap();
        line.trim_end().to_owned()
    }

    /// The next line that it complains with.
    fn complaint(&mut self) -> String {
        let mut line = String::new();
        self.stderr.read_line(&mut line).unwrap();
        line.trim_end().to_owned()
    }
}

impl Drop for Example {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// `cargo test` builds them, `cargo test --test verify` does not.
fn built(name: &str) -> Option<PathBuf> {
    let tests = std::env::current_exe().unwrap();
    let program = tests.parent()?.parent()?.join("examples").join(name);
    if !program.exists() {
        left_out(&format!("the example {name} (cargo build --examples)"));
        return None;
    }
    Some(program)
}

/// A resource server of this issuer's, once it is ready, and its URL.
async fn resource_server(server: &Process) -> Option<(Example, String)> {
    let variables = [("CLAVIGER_ISSUER", server.issuer.as_str()), ("LISTEN", "127.0.0.1:0")];
    let mut example = Example::start("resource_server", &[], &variables)?;
    let url = example.line().strip_prefix("listening on ").expect("where it listens").to_owned();
    assert_eq!(client_of(&url).get("/ready").await.text, "ready\n");
    Some((example, url))
}

fn client_of(url: &str) -> Client {
    Client::new(url.strip_prefix("http://").unwrap().parse().unwrap())
}

#[tokio::test]
async fn the_resource_server_takes_tokens_and_keys() {
    let database = Backend::Sqlite.fresh().await;
    let server = Claviger::over(&database).serve();
    let Some((_example, url)) = resource_server(&server).await else { return };
    let api = client_of(&url);
    let (id, key) = server.admin().create_key(&["read:orders/*"]).await;
    let token = server.client().access_token(&key, "").await;
    for credential in [&token, &key] {
        let read = api.bearer(credential).get("/orders/7").await;
        assert_eq!((read.status, read.text.as_str()), (200, "order 7 of default\n"));
        let written = api.bearer(credential).post_form("/orders/7", "").await;
        assert_eq!((written.status, written.code().as_str()), (403, "forbidden"));
    }
    let anonymous = api.get("/orders/7").await;
    assert_eq!(anonymous.status, 401);
    // Its challenge names where RFC 9728's metadata is, and there it is. (The audience is the issuer's in this test.)
    let named = anonymous.header("www-authenticate").split("resource_metadata=\"").nth(1).expect("a URL");
    let path =
        named.split('"').next().unwrap().strip_prefix(server.issuer.as_str()).expect("the audience's host");
    assert_eq!(path, "/.well-known/oauth-protected-resource/api");
    let metadata = api.get(path).await.done(200);
    assert_eq!(metadata["authorization_servers"], json!([server.issuer]));
    assert_eq!(api.get("/nothing").await.status, 401, "what is not named as open is guarded");
    server.admin().post_json(&format!("/v1/orgs/default/keys/{id}/revoke"), &json!({})).await;
    for (credential, code) in [(&token, "token_revoked"), (&key, "key_revoked")] {
        until("the credential is refused", async || {
            api.bearer(credential).get("/orders/7").await.text.contains(code)
        })
        .await;
    }
    let metrics = api.get("/metrics").await.text;
    assert!(metrics.contains("revocations_stale 0\n"), "{metrics}");
}

#[tokio::test]
async fn the_client_survives_a_server_that_is_away() {
    let database = Backend::Sqlite.fresh().await;
    let server = Claviger::over(&database).serve();
    let Some((_api, url)) = resource_server(&server).await else { return };
    let (_, key) =
        server.admin().create_key_from(json!({ "expires_in": 10, "scopes": [{ "action": "read" }] })).await;
    let variables = [("CLAVIGER_API_KEY", key.as_str()), ("CLAVIGER_URL", server.issuer.as_str())];
    let mut client = Example::start("fresh_token", &[&format!("{url}/orders/7")], &variables).unwrap();
    assert_eq!(client.line(), "200 OK order 7 of default");
    drop(server);
    // Its token is due for renewal, which fails; it goes on with it, and stops when it ends.
    let complaint = client.complaint();
    assert!(complaint.starts_with("the token is not renewed yet: no connection"), "{complaint}");
    assert_eq!(client.line(), "200 OK order 7 of default");
    let end = client.complaint();
    assert!(end.starts_with("no connection"), "{end}");
    assert!(!format!("{complaint}{end}").contains(&key));
}
