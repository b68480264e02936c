//! The OAuth and JWT libraries of four languages, with each algorithm.

use std::path::Path;
use std::process::Command;

use crate::program::{prepared, program, succeed};
use crate::world::World;

const ALGORITHMS: [&str; 3] = ["ES256", "EdDSA", "RS256"];

#[test]
fn python() {
    with_each_algorithm("python", |folder| program(folder, folder.join(".venv/bin/python"), &["check.py"]));
}

#[test]
fn node() {
    with_each_algorithm("node", |folder| program(folder, "node", &["check.mjs"]));
}

#[test]
fn go() {
    with_each_algorithm("go", |folder| {
        let mut command = program(folder, "go", &["run", "."]);
        command.envs([("GOPROXY", "off"), ("GOTOOLCHAIN", "local"), ("GOFLAGS", "-mod=readonly")]);
        command
    });
}

#[test]
fn java() {
    with_each_algorithm("java", |folder| {
        program(folder, "mvn", &["--offline", "--batch-mode", "--quiet", "compile", "exec:java"])
    });
}

/// Runs a language's program against one server for each algorithm.
fn with_each_algorithm(language: &str, program: impl Fn(&Path) -> Command) {
    let Some(folder) = prepared(language) else { return };
    for algorithm in ALGORITHMS {
        let world = World::signing_with(algorithm);
        let mut command = program(&folder);
        command.envs(world.environment());
        succeed(command, &world);
    }
}
