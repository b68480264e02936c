//! What the console says to do with a new key works as it stands.

use std::path::Path;
use std::process::Command;

use serde_json::Value;
use tokio::runtime::Runtime;

use crate::program::{prepared, program, succeed_beside};
use crate::support::{Backend, Client, Server, is_here};

/// The page that shows a new key, and the key.
struct Made {
    page: String,
    key: String,
}

impl Made {
    /// A key for the management API is made at the console, so that there is something to be asked directly.
    async fn at(server: &Server) -> Self {
        let origin = server.url("");
        let browser = server.client().with("origin", &origin);
        let signed_in = browser.post_form("/console/sign-in", &format!("key={}", server.admin_key)).await;
        let cookie = signed_in.header("set-cookie").split(';').next().expect("a cookie").to_owned();
        let browser: Client = browser.with("cookie", &cookie);
        let form = browser.get("/console/orgs/default/keys/new").await.text;
        let token = between(&form, r#"name="token" value=""#, "\"");
        let fields = format!(
            "token={token}&name=New&project=default&environment=dev&ends=never&access=scopes&action=read\
             &resource=claviger%2Forgs%2Fdefault%2F**&owner="
        );
        let made = browser.post_form("/console/orgs/default/keys/new", &fields).await;
        assert_eq!(made.status, 200, "{}", made.text);
        let key = between(&made.text, r#"aria-label="The API key">"#, "<").to_owned();
        Self { page: made.text, key }
    }

    /// The snippet with this label.
    fn snippet(&self, label: &str) -> String {
        let (_, rest) = self.page.split_once(&format!(r#"aria-label="{label}""#)).expect(label);
        let text = between(rest, "\">", "</code>");
        [("&#34;", "\""), ("&#39;", "'"), ("&#60;", "<"), ("&#62;", ">"), ("&#38;", "&")]
            .into_iter()
            .fold(text.to_owned(), |text, (escaped, plain)| text.replace(escaped, plain))
    }

    /// Runs a program that has the key in its environment. Returns what it prints.
    fn run(&self, mut command: Command) -> String {
        command.env("CLAVIGER_API_KEY", &self.key);
        succeed_beside(command, String::new).0
    }
}

fn between<'t>(text: &'t str, before: &str, after: &str) -> &'t str {
    let (_, rest) = text.split_once(before).unwrap_or_else(|| panic!("no {before} in {text}"));
    rest.split(after).next().unwrap_or_default()
}

fn scene() -> (Runtime, Server, Made) {
    let runtime = Runtime::new().expect("a runtime");
    let (server, made) = runtime.block_on(async {
        let server = Server::start(Backend::Sqlite).await;
        let made = Made::at(&server).await;
        (server, made)
    });
    (runtime, server, made)
}

#[test]
fn no_snippet_has_the_key_in_it() {
    let (_runtime, _server, made) = scene();
    assert_eq!(made.page.matches(&made.key).count(), 1, "only where it is revealed");
}

#[test]
fn those_for_a_shell_work() {
    if !is_here("curl") || !is_here("bash") {
        return;
    }
    let (_runtime, _server, made) = scene();
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let run =
        |label: &str| made.run(program(here, "bash", &["-euo", "pipefail", "-c", &made.snippet(label)]));
    let token: Value = serde_json::from_str(&run("Get a token: curl")).expect("JSON");
    assert_eq!(token["scope"], "read:claviger/orgs/default/**");
    let own: Value = serde_json::from_str(&run("Send the key itself: curl")).expect("JSON");
    assert_eq!(own["organization"], "default");
}

#[test]
fn those_in_python_work() {
    let Some(folder) = prepared("python") else { return };
    let (_runtime, _server, made) = scene();
    let python = folder.join(".venv/bin/python");
    let run = |text: &str| made.run(program(&folder, &python, &["-c", text]));
    let token = run(&format!("{}\nprint(token)", made.snippet("Get a token: Python")));
    assert_eq!(token.trim().split('.').count(), 3, "{token}");
    let own = run(&format!(
        "{}\nprint(answer.json()['organization'])",
        made.snippet("Send the key itself: Python")
    ));
    assert_eq!(own.trim(), "default");
}

#[test]
fn those_in_node_work() {
    if !is_here("node") {
        return;
    }
    let (_runtime, _server, made) = scene();
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let run = |text: &str| made.run(program(here, "node", &["--input-type=module", "--eval", text]));
    let token = run(&format!("{}\nconsole.log(token);", made.snippet("Get a token: Node")));
    assert_eq!(token.trim().split('.').count(), 3, "{token}");
    let own = format!(
        "{}\nconsole.log((await answer.json()).organization);",
        made.snippet("Send the key itself: Node")
    );
    assert_eq!(run(&own).trim(), "default");
}
