//! Clients in two languages, and a resource server by Spring Security, that know tokens which are bound to a key (DPoP), without
//! nonces and with them.

use std::path::Path;
use std::process::Command;

use crate::program::{prepared, program, succeed};
use crate::world::World;

#[test]
fn node() {
    without_nonces_and_with_them("node", |folder| program(folder, "node", &["dpop.mjs"]));
}

#[test]
fn java() {
    let arguments =
        ["--offline", "--batch-mode", "--quiet", "-Dexec.mainClass=foreign.Dpop", "compile", "exec:java"];
    without_nonces_and_with_them("java", |folder| program(folder, "mvn", &arguments));
}

/// Runs a language's program against one server for each setting.
fn without_nonces_and_with_them(language: &str, program: impl Fn(&Path) -> Command) {
    let Some(folder) = prepared(language) else { return };
    for nonces in ["false", "true"] {
        let world = World::set(&[("CLAVIGER_DPOP_NONCES", nonces)]);
        let mut command = program(&folder);
        command.envs(world.environment()).env("CLAVIGER_DPOP_NONCES", nonces);
        succeed(command, &world);
    }
}
