//! Prometheus' own parser of the exposition format reads a scrape.

use serde_json::json;

use crate::program::{prepared, program, succeed};
use crate::support::Backend;
use crate::world::World;

#[test]
fn sqlite() {
    a_scrape_is_valid(Backend::Sqlite);
}

#[test]
fn postgres() {
    if let Some(backend) = Backend::postgres() {
        a_scrape_is_valid(backend);
    }
}

fn a_scrape_is_valid(backend: Backend) {
    let Some(folder) = prepared("metrics") else { return };
    let world = World::with_metrics(backend);
    world.key(&json!({ "scopes": [{ "action": "read" }] }));
    let mut check = program(&folder, folder.join(".venv/bin/python"), &["check.py"]);
    check.env("CLAVIGER_METRICS_URL", format!("http://{}/metrics", world.metrics_address()));
    succeed(check, &world);
}
