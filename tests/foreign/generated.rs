//! Clients that public generators make of openapi.yaml.

use crate::program::{prepared, program, succeed};
use crate::world::World;

#[test]
fn python() {
    let Some(folder) = prepared("generated-python") else { return };
    let world = World::signing_with("ES256");
    let installed = |name: &str| folder.join(".venv/bin").join(name);
    let generate = [
        "generate",
        "--path=../../../openapi.yaml",
        "--config=config.yml",
        "--output-path=claviger_client",
        "--meta=none",
        "--overwrite",
        "--fail-on-warning",
    ];
    succeed(program(&folder, installed("openapi-python-client"), &generate), &world);
    let mut check = program(&folder, installed("python"), &["check.py"]);
    check.envs(world.environment());
    succeed(check, &world);
}

#[test]
fn typescript() {
    let Some(folder) = prepared("generated-typescript") else { return };
    let world = World::signing_with("ES256");
    let mut check = program(&folder, "npm", &["run", "--silent", "check"]);
    check.envs(world.environment());
    succeed(check, &world);
}
