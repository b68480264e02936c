//! Tours through the documentation: their commands are run against the real binary, and their answers are what
//! comes back.

use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::markdown::{Fence, fences};
use crate::missing::left_out;
use crate::server::{Server, without_settings};
use crate::text;

/// Where the server of the pages listens.
const ADDRESS: &str = "127.0.0.1:8080";

/// Printed behind the output of each step.
const END: &str = "\n--- end of step ---\n";

/// A number beyond this is a time, which no two runs share.
const LONG_AGO: i64 = 1_000_000_000;

#[test]
fn the_readme_says_what_happens() {
    take(&text("README.md"));
}

#[test]
fn the_tour_says_what_happens() {
    take(&text("docs/tour.md"));
}

#[test]
fn the_page_on_scopes_says_what_happens() {
    take(&text("docs/scopes.md"));
}

#[test]
fn the_page_on_clients_says_what_happens() {
    take(&text("docs/clients.md"));
}

#[test]
fn the_pages_on_operating_say_what_happens() {
    let pages = ["install", "run", "watch", "recover"];
    take(&pages.map(|page| text(format!("docs/operating/{page}.md"))).concat());
}

#[test]
fn the_page_on_resource_servers_says_what_happens() {
    take(&text("docs/resource-servers.md"));
}

#[test]
fn the_page_on_gateways_says_what_happens() {
    take(&text("docs/gateways.md"));
}

#[test]
fn the_page_on_administration_says_what_happens() {
    take(&text("docs/administration.md"));
}

#[test]
fn the_page_on_the_command_line_says_what_happens() {
    take(&text("docs/cli.md"));
}

fn take(tour: &str) {
    if !has("curl", "--version") {
        return left_out("curl");
    }
    let server = Server::start();
    let tour = tour.replace(ADDRESS, &server.address);
    let fences = fences(&tour);
    write_programs(&fences, server.folder());
    let steps: Vec<Step<'_>> =
        steps(&fences).into_iter().filter(|step| !step.needs_python() || python().is_some()).collect();
    if python().is_none() && tour.contains("python3 ") {
        left_out("what tests/foreign/prepare installs for python");
    }
    assert!(!steps.is_empty(), "the tour has no steps");
    let output = run(&steps, &server);
    let said: Vec<&str> = output.split_terminator(END).collect();
    assert_eq!(said.len(), steps.len(), "{output}");
    for (step, said) in steps.iter().zip(said) {
        step.compare(said);
    }
}

/// Commands, and the answer that is shown below them.
struct Step<'a> {
    commands: &'a str,
    answer: Option<&'a Fence>,
}

fn steps(fences: &[Fence]) -> Vec<Step<'_>> {
    let is_step = |fence: &Fence| fence.language == "sh";
    let is_answer = |fence: &&Fence| matches!(fence.language.as_str(), "json" | "text");
    let commands = fences.iter().enumerate().filter(|(_, fence)| is_step(fence));
    commands
        .map(|(at, fence)| Step { commands: &fence.text, answer: fences.get(at + 1).filter(is_answer) })
        .collect()
}

/// A program is saved under the name in its first line.
fn write_programs(fences: &[Fence], folder: &Path) {
    for fence in fences.iter().filter(|fence| fence.language == "python") {
        let name = fence.text.lines().next().and_then(|line| line.strip_prefix("# ")).expect("a file's name");
        std::fs::write(folder.join(name), &fence.text).expect("a file");
    }
}

/// Runs all steps in one shell, where the reader would.
fn run(steps: &[Step<'_>], server: &Server) -> String {
    let script: String = steps.iter().map(|step| format!("{}printf '%s' '{END}'\n", step.commands)).collect();
    let path = std::env::var("PATH").unwrap_or_default();
    let path = python().map_or(path.clone(), |folder| format!("{folder}:{path}"));
    let binary = Path::new(env!("CARGO_BIN_EXE_claviger")).parent().expect("it is in a folder");
    let mut shell = Command::new("sh");
    without_settings(&mut shell);
    let output = shell
        .args(["-ec", &format!("exec 2>&1\n{script}")])
        .current_dir(server.folder())
        .env("ADMIN_KEY", server.admin_key())
        .env("PATH", format!("{}:{path}", binary.display()))
        .env("HOME", server.folder())
        .env_remove("XDG_CONFIG_HOME")
        // A proxy of this machine's is not for a server on loopback.
        .envs([("NO_PROXY", "127.0.0.1"), ("no_proxy", "127.0.0.1")])
        .output()
        .expect("a shell");
    String::from_utf8(output.stdout).expect("text")
}

impl Step<'_> {
    fn needs_python(&self) -> bool {
        self.commands.contains("python3 ")
    }

    fn compare(&self, said: &str) {
        let Some(answer) = self.answer else { return };
        let is_true = match answer.language.as_str() {
            "json" => is_alike(&parse(&answer.text), &parse(said)),
            _ => is_alike(&words(&answer.text), &words(said)),
        };
        assert!(is_true, "{}\nis said to answer\n{}\nand answers\n{said}", self.commands, answer.text);
    }
}

fn words(text: &str) -> Value {
    text.split_whitespace().collect()
}

fn parse(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

/// Whether the two differ only in what differs from run to run.
fn is_alike(shown: &Value, said: &Value) -> bool {
    match (shown, said) {
        (Value::Object(shown), Value::Object(said)) => {
            shown.keys().eq(said.keys()) && shown.iter().all(|(name, value)| is_alike(value, &said[name]))
        }
        (Value::Array(shown), Value::Array(said)) => {
            shown.len() == said.len() && shown.iter().zip(said).all(|(shown, said)| is_alike(shown, said))
        }
        (Value::String(text), Value::String(_)) => shown == said || may_differ(text),
        (Value::Number(number), Value::Number(_)) => shown == said || number.as_i64() > Some(LONG_AGO),
        _ => shown == said,
    }
}

/// Ids, times and addresses have digits in them; what is longer is shortened.
fn may_differ(text: &str) -> bool {
    text.contains(|character: char| character == '…' || character.is_ascii_digit())
}

/// Where the Python with the libraries of the tour is.
fn python() -> Option<&'static str> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/foreign/python");
    Path::new(folder)
        .join(".prepared")
        .exists()
        .then_some(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/foreign/python/.venv/bin"))
}

fn has(program: &str, argument: &str) -> bool {
    Command::new(program).arg(argument).output().is_ok_and(|output| output.status.success())
}
