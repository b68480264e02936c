//! A recipe that runs, and what it answers.

use std::fs::{self, File};
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, Stdio};

use reqwest::Method;
use tempfile::TempDir;

use crate::program::program;
use crate::support::Client;

/// The audience that it is.
pub(crate) const AUDIENCE: &str = "https://orders.example";

const DOCUMENTATION: &str = include_str!("../../../docs/resource-servers.md");

/// A status, and the challenge that came with it.
pub(crate) type Verdict = (u16, String);

/// A recipe's server. It is killed when this is dropped; its log is shown if that is because a test failed.
pub(crate) struct Orders {
    client: Client,
    child: Child,
    log: TempDir,
}

impl Orders {
    /// Starts it in its folder, by the line that the documentation has for it.
    pub(crate) fn start(folder: &Path, name: &str, issuer: &str) -> Self {
        let log = tempfile::tempdir().expect("a folder");
        let mut shell = program(folder, "sh", &["-c", &format!("exec env {}", line_of(name, issuer))]);
        shell.env("PUBLIC_URL", AUDIENCE);
        shell.stdout(Stdio::piped()).stderr(File::create(log.path().join("log")).expect("a file"));
        let mut child = shell.spawn().expect("a shell");
        let mut greeting = String::new();
        let mut stdout = BufReader::new(child.stdout.take().expect("a pipe"));
        stdout.read_line(&mut greeting).expect("text");
        let address = greeting.trim_end().strip_prefix("serves on http://").map(str::parse);
        let Some(Ok(address)) = address else {
            let _ = child.kill();
            panic!("{name} says {greeting:?}: {}", log_of(&log));
        };
        Self { client: Client::new(address), child, log }
    }

    /// What it answers to a GET of the path with this token.
    pub(crate) async fn get(&self, path: &str, token: &str) -> Verdict {
        self.ask(Method::GET, path, &format!("Bearer {token}")).await
    }

    /// What it answers to this request with this `Authorization`.
    pub(crate) async fn ask(&self, method: Method, path: &str, authorization: &str) -> Verdict {
        let answer = self.client.with("authorization", authorization).send(method, path, None).await;
        (answer.status, answer.header("www-authenticate").to_owned())
    }

    /// What it answers to a GET of the path with this token and these proofs of possession.
    pub(crate) async fn prove(&self, path: &str, token: &str, proofs: &[String]) -> Verdict {
        let client = proofs.iter().fold(self.client.dpop(token), |client, proof| client.proving(proof));
        let answer = client.get(path).await;
        (answer.status, answer.header("www-authenticate").to_owned())
    }

    /// What it answers to a GET of the path with nothing.
    pub(crate) async fn get_without_token(&self, path: &str) -> Verdict {
        let answer = self.client.get(path).await;
        (answer.status, answer.header("www-authenticate").to_owned())
    }
}

impl Drop for Orders {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if std::thread::panicking() {
            let _ = writeln!(std::io::stderr(), "the recipe's log:\n{}", log_of(&self.log));
        }
    }
}

/// The second of the two lines of the documentation, for this issuer and any free port.
fn line_of(name: &str, issuer: &str) -> String {
    let installs = format!("cd examples/{name} ");
    let mut lines = DOCUMENTATION.lines().skip_while(|line| !line.starts_with(&installs));
    let line = lines.nth(1).unwrap_or_else(|| panic!("the documentation does not start {name}"));
    let line = line.replace("http://127.0.0.1:8080/api", AUDIENCE).replace("http://127.0.0.1:8080", issuer);
    line.replace("PORT=8081", "PORT=0")
}

fn log_of(folder: &TempDir) -> String {
    fs::read_to_string(folder.path().join("log")).unwrap_or_default()
}
