//! Clients of four languages that hold a private key, and sign assertions with it instead of sending a secret.

use std::path::Path;
use std::process::Command;

use crate::program::{prepared, program, succeed};
use crate::world::World;

/// What `--assertion-audience` may be.
const AUDIENCES: [&str; 2] = ["issuer", "token-endpoint-too"];

#[test]
fn python() {
    with_each_audience("python", |folder| {
        program(folder, folder.join(".venv/bin/python"), &["private_key.py"])
    });
}

#[test]
fn node() {
    with_each_audience("node", |folder| program(folder, "node", &["private-key.mjs"]));
}

#[test]
fn go() {
    with_each_audience("go", |folder| {
        let mut command = program(folder, "go", &["run", ".", "private-key"]);
        command.envs([("GOPROXY", "off"), ("GOTOOLCHAIN", "local"), ("GOFLAGS", "-mod=readonly")]);
        command
    });
}

#[test]
fn java() {
    let arguments = [
        "--offline",
        "--batch-mode",
        "--quiet",
        "-Dexec.mainClass=foreign.PrivateKey",
        "compile",
        "exec:java",
    ];
    with_each_audience("java", |folder| program(folder, "mvn", &arguments));
}

/// Runs a language's program against one server for each setting.
fn with_each_audience(language: &str, program: impl Fn(&Path) -> Command) {
    let Some(folder) = prepared(language) else { return };
    for audience in AUDIENCES {
        let world = World::set(&[("CLAVIGER_ASSERTION_AUDIENCE", audience)]);
        let mut command = program(&folder);
        command.envs(world.environment()).env("CLAVIGER_ASSERTION_AUDIENCE", audience);
        succeed(command, &world);
    }
}
