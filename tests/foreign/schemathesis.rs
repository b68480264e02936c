//! schemathesis: requests that openapi.yaml allows and requests that it doesn't, thousands of each, with all checks
//! on the answers. What is excused, and why, is in its configuration and hooks.

use serde_json::json;

use crate::program::{prepared, program, succeed};
use crate::support::Backend;
use crate::world::World;

#[test]
fn sqlite() {
    all_checks(Backend::Sqlite);
}

#[test]
fn postgres() {
    if let Some(backend) = Backend::postgres() {
        all_checks(backend);
    }
}

fn all_checks(backend: Backend) {
    let Some(folder) = prepared("schemathesis") else { return };
    let world = World::on(backend);
    // The caller is at home where no test changes anything, or the first rotation would lock it out.
    world.make("/v1/orgs", &json!({ "id": "operator" }));
    world.make("/v1/orgs/operator/projects", &json!({ "id": "default" }));
    let scopes = json!([{ "action": "*", "resource": "claviger/**" }, { "action": "*" }]);
    let caller = json!({ "name": "caller", "project": "default", "environment": "prd", "scopes": scopes });
    let caller = world.make("/v1/orgs/operator/keys", &caller);
    let text = |name: &str| caller[name].as_str().expect("a string").to_owned();
    let document = format!("{}/openapi.yaml", world.issuer());
    let mut run = program(&folder, folder.join(".venv/bin/schemathesis"), &["run", &document]);
    run.env("CLAVIGER_API_KEY", text("key")).env("CLAVIGER_CLIENT_ID", text("id"));
    run.env("CLAVIGER_ISSUER", world.issuer()).env("CLAVIGER_AUDIENCE", world.audience());
    succeed(run, &world);
}
