//! Clients of four languages and of MCP that hold a private key, and sign assertions with it instead of sending a secret.

use std::net::{Ipv4Addr, TcpListener};
use std::path::Path;
use std::process::Command;

use crate::program::{prepared, program, succeed};
use crate::world::World;

/// What `--assertion-audience` may be.
const AUDIENCES: [&str; 2] = ["issuer", "token-endpoint-too"];

/// Where the MCP server listens; whatever else takes ports of this machine's takes those of 127.0.0.1.
const MCP_HOST: Ipv4Addr = Ipv4Addr::new(127, 0, 77, 2);

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

/// An MCP client asks for tokens for the MCP server that it calls, so the server has to know that audience.
#[test]
fn mcp() {
    let Some(folder) = prepared("mcp") else { return };
    let address = TcpListener::bind((MCP_HOST, 0)).and_then(|free| free.local_addr()).expect("a free port");
    let url = format!("http://{address}/mcp");
    let world = World::set(&[("CLAVIGER_AUDIENCES", &url)]);
    let mut check = program(&folder, "node", &["check.mjs"]);
    check.envs(world.environment()).env("CLAVIGER_AUDIENCE", &url).env("NO_PROXY", "127.0.0.1,127.0.77.2");
    succeed(check, &world);
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
