//! A foreign OpenID provider that an organization trusts: its tokens open a key.

use crate::program::{prepared, program, succeed};
use crate::world::World;

#[test]
fn openid_provider() {
    let Some(folder) = prepared("openid-provider") else { return };
    // The provider is on this machine, without TLS.
    let world = World::set(&[("CLAVIGER_ISSUER_HTTP", "true"), ("CLAVIGER_ISSUER_NETWORKS", "127.0.0.0/8")]);
    let mut check = program(&folder, "node", &["check.mjs"]);
    check.envs(world.environment());
    succeed(check, &world);
}
