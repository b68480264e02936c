//! Clients and resource servers in other languages, with the libraries that their developers know, against a
//! live server. What each of them checks is in README.md beside this file.

#![cfg(feature = "server")]

#[path = "../support/client.rs"]
#[allow(dead_code, unreachable_pub, reason = "shared between test binaries, of which none uses all of it")]
mod client;
#[path = "../support/missing.rs"]
#[allow(unreachable_pub, reason = "shared between test binaries")]
mod missing;
mod world;

use std::path::Path;
use std::process::Command;

use world::World;

const ALGORITHMS: [&str; 3] = ["ES256", "EdDSA", "RS256"];

#[test]
fn python() {
    with_each_algorithm("python", |folder| program(folder.join(".venv/bin/python"), &["check.py"]));
}

#[test]
fn node() {
    with_each_algorithm("node", |_| program("node", &["check.mjs"]));
}

#[test]
fn go() {
    with_each_algorithm("go", |_| {
        let mut command = program("go", &["run", "."]);
        command.envs([("GOPROXY", "off"), ("GOTOOLCHAIN", "local"), ("GOFLAGS", "-mod=readonly")]);
        command
    });
}

#[test]
fn java() {
    with_each_algorithm("java", |_| {
        program("mvn", &["--offline", "--batch-mode", "--quiet", "compile", "exec:java"])
    });
}

/// Runs a language's program against one server for each algorithm.
fn with_each_algorithm(language: &str, program: impl Fn(&Path) -> Command) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/foreign").join(language);
    if !folder.join(".prepared").exists() {
        return missing::left_out(&format!("what tests/foreign/prepare installs for {language}"));
    }
    for algorithm in ALGORITHMS {
        let world = World::start(algorithm);
        let output = program(&folder)
            .current_dir(&folder)
            .envs(world.environment())
            .output()
            .unwrap_or_else(|error| panic!("{language} does not start: {error}"));
        assert!(
            output.status.success(),
            "{language} with {algorithm}: {}\n{}{}\nthe server's log:\n{}",
            output.status,
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr),
            world.log(),
        );
    }
}

fn program(name: impl AsRef<std::ffi::OsStr>, arguments: &[&str]) -> Command {
    let mut command = Command::new(name);
    // A proxy of this machine's is not for a server on loopback.
    command.args(arguments).env("NO_PROXY", "127.0.0.1").env("no_proxy", "127.0.0.1");
    command
}
