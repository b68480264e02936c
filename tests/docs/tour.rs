//! Tours through the documentation: their commands are run against the real binary, and their answers are what
//! comes back.

use std::path::Path;
use std::process::Command;

use crate::markdown::{Fence, fences};
use crate::server::{Server, without_settings};
use crate::steps::{Step, compare, script, steps};
use crate::support::left_out;
use crate::text;

/// Where the server of the pages listens.
const ADDRESS: &str = "127.0.0.1:8080";

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
fn the_page_on_ways_in_says_what_happens() {
    take(&text("docs/ways-in.md"));
}

#[test]
fn the_page_on_bound_tokens_says_what_happens() {
    take(&text("docs/dpop.md"));
}

#[test]
fn the_page_on_resource_servers_says_what_happens() {
    take(&text("docs/resource-servers.md"));
}

#[test]
fn the_page_on_mcp_servers_says_what_happens() {
    take(&text("docs/mcp.md"));
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
    let steps: Vec<Step<'_>> = steps(&fences)
        .into_iter()
        .filter(|step| !step.commands.contains("python3 ") || python().is_some())
        .collect();
    if python().is_none() && tour.contains("python3 ") {
        left_out("what tests/foreign/prepare installs for python");
    }
    assert!(!steps.is_empty(), "the tour has no steps");
    compare(&steps, &run(&steps, &server));
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
    let path = std::env::var("PATH").unwrap_or_default();
    let path = python().map_or(path.clone(), |folder| format!("{folder}:{path}"));
    let binary = Path::new(env!("CARGO_BIN_EXE_claviger")).parent().expect("it is in a folder");
    let mut shell = Command::new("sh");
    without_settings(&mut shell);
    let output = shell
        .args(["-ec", &format!("exec 2>&1\n{}", script(steps))])
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
