//! A client in another language that proves the possession of a key (DPoP), without nonces and with them.

use crate::program::{prepared, program, succeed};
use crate::world::World;

#[test]
fn node() {
    let Some(folder) = prepared("node") else { return };
    for nonces in ["false", "true"] {
        let world = World::set(&[("CLAVIGER_DPOP_NONCES", nonces)]);
        let mut check = program(&folder, "node", &["dpop.mjs"]);
        check.envs(world.environment());
        succeed(check, &world);
    }
}
