//! Measures what a page of a list costs with a million keys, in the API and in the console.
//!
//! `cargo bench --bench pages` prints how long an administrator waits for a page, for each available database: for the
//! first and the deepest page, with each filter. Requests come one after another over one connection, so each time is
//! that of the server and of a loopback socket. `-- quick` uses fewer keys. `-- huge` uses ten million in one
//! organization; it needs some minutes to fill, and 10 GB of disk per database. `-- sqlite` or `-- postgres` selects
//! one database, and `-- one` uses one organization.

#![allow(
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "a benchmark measures real time, and prints what it measured"
)]

#[path = "../support/arguments.rs"]
mod arguments;
mod ask;
#[path = "../../tests/support/postgres.rs"]
#[allow(dead_code, unreachable_pub)]
mod postgres;
#[path = "../support/process.rs"]
#[allow(dead_code)]
mod process;
#[path = "../support/seed.rs"]
#[allow(dead_code)]
mod seed;

use std::process::ExitCode;

use serde_json::{Value, json};

use self::arguments::Arguments;
use self::ask::Asking;
use self::process::Server;
use self::seed::{Database, Shape, Store};

/// The least cost of a hash, since hashing is not measured here.
const COST: (u32, u32) = (8, 1);

/// The promised maximum for every page, in milliseconds.
const PROMISE: f64 = 20.0;

/// The numbers of keys and of organizations.
const FULL: (u32, u32) = (1_000_000, 1_000);
const QUICK: (u32, u32) = (20_000, 20);
const HUGE: (u32, u32) = (10_000_000, 1);

fn main() -> ExitCode {
    let arguments = Arguments::read();
    if arguments.is_test() {
        return ExitCode::SUCCESS;
    }
    let size = match () {
        () if arguments.has("huge") => HUGE,
        () if arguments.has("quick") => QUICK,
        () => FULL,
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    process::pin_load();
    for database in seed::databases(&arguments) {
        if size.1 != 1 && !arguments.has("one") {
            runtime.block_on(measure(&database, size));
        }
        runtime.block_on(measure(&database, (size.0, 1)));
    }
    ExitCode::SUCCESS
}

async fn measure(database: &Database, (keys, organizations): (u32, u32)) {
    println!("\n# {}: {keys} keys in {organizations} organizations", database.name());
    let store = Store::of(database, keys, COST, Shape::Spread { organizations }).await;
    let server = Server::claviger(store.folder.path(), &store.settings());
    println!("ready after {:.2} s with {} MiB resident", server.started_in, server.resident_mib());
    let asking = Asking::of(&server, &store.admin);
    println!("{:<44} {:>9} {:>9} {:>9}", "page, in milliseconds", "median", "p99", "most");
    let mut slowest: f64 = 0.0;
    let place = Place::one_of(organizations);
    for (name, path) in pages(&place).into_iter().chain(pages_of_nothing(&place)) {
        slowest = slowest.max(asking.report(&name, &path).await);
    }
    for (name, list) in [
        ("the deepest page of keys", format!("{}/keys?status=all&limit=200", place.api)),
        ("the deepest page of organizations", "/v1/orgs?limit=200".to_owned()),
        ("the deepest page of the audit trail", format!("{}/audit?limit=200", place.api)),
    ] {
        let deepest = asking.deepest(&list).await;
        slowest = slowest.max(asking.report(name, &deepest).await);
    }
    for (name, operation, body) in bulk() {
        let path = format!("{}/keys/{operation}", place.api);
        slowest = slowest.max(asking.report_dry_run(name, &path, &body).await);
    }
    for (name, query) in [
        ("inventory", "status=all"),
        ("inventory by name", "status=all&sort=name"),
        ("inventory by last use", "status=all&sort=last_used"),
        ("inventory, a search that finds nothing", "q=nothing"),
    ] {
        asking.report_whole(name, &format!("{}/keys?format=csv&{query}", place.api)).await;
    }
    let console = Asking::signed_in(&server, &store.admin).await;
    for (name, path) in console_pages(&place) {
        slowest = slowest.max(console.report(name, &path).await);
    }
    for sort in ["", "name", "end-down", "used"] {
        let list = format!("{}/keys?status=all&sort={sort}", place.console);
        let deep = console.deepest_by_links(&list, 200).await;
        let name = format!("console: a deep page of keys, sorted by \"{sort}\"");
        slowest = slowest.max(console.report(&name, &deep).await);
    }
    println!(
        "slowest p99: {slowest:.1} ms, promised {PROMISE:.0} ms; {} MiB resident",
        server.resident_mib()
    );
}

/// The organization whose pages are requested.
struct Place {
    api: String,
    console: String,
    /// The id of one of its keys.
    key: String,
}

impl Place {
    /// One of `organizations`, over which the keys are spread evenly.
    fn one_of(organizations: u32) -> Self {
        let at = 7 % organizations;
        Self {
            api: format!("/v1/orgs/org-{at}"),
            console: format!("/console/orgs/org-{at}"),
            key: format!("key_{:016}", at + organizations),
        }
    }
}

/// Each kind of API page, by name.
fn pages(Place { api: of, key: one, .. }: &Place) -> Vec<(String, String)> {
    let keys = format!("{of}/keys");
    [
        ("first keys", format!("{keys}?limit=50")),
        ("first 200 keys", format!("{keys}?limit=200")),
        ("keys of all kinds", format!("{keys}?status=all&limit=200")),
        ("revoked keys", format!("{keys}?status=revoked&limit=200")),
        ("expired keys", format!("{keys}?status=expired&limit=200")),
        ("keys of a project and environment", format!("{keys}?project=p-3&environment=prd&limit=200")),
        ("keys whose name has \"9\" in it", format!("{keys}?q=9&limit=200")),
        ("keys whose name has \"nothing\" in it", format!("{keys}?q=nothing&limit=200")),
        ("keys with a tag", format!("{keys}?tag=team:billing&limit=200")),
        ("keys of an owner", format!("{keys}?owner=nobody&limit=200")),
        ("keys that expire soon", format!("{keys}?expires_before=2027-01-01T00:00:00Z&limit=200")),
        ("keys open to everyone", format!("{keys}?any_address=true&limit=200")),
        ("keys of a creator", format!("{keys}?created_by=bootstrap&limit=200")),
        ("keys unused since a year", format!("{keys}?unused_since=2026-01-02T00:00:00Z&limit=200")),
        ("one key", format!("{keys}/{one}")),
        ("use of a key", format!("{keys}/{one}/usage")),
        ("use of an organization", format!("{of}/usage")),
        ("organizations", "/v1/orgs?limit=200".to_owned()),
        ("projects", format!("{of}/projects")),
        ("audit trail", format!("{of}/audit?limit=200")),
        ("audit trail of a key", format!("{of}/audit?key={one}")),
        ("audit trail by action", format!("{of}/audit?action=key.create&limit=200")),
        ("audit trail, an action that there was none of", format!("{of}/audit?action=key.delete")),
        ("audit trail of the deployment", "/v1/audit?limit=200".to_owned()),
    ]
    .map(|(name, path)| (name.to_owned(), path))
    .to_vec()
}

/// Bulk changes by a filter that finds few keys or none, as dry runs.
fn bulk() -> Vec<(&'static str, &'static str, Value)> {
    let nothing = json!({ "filter": { "q": "nothing", "project": "p-3" } });
    let tagged = json!({ "filter": { "tag": ["team:nothing"] } });
    let unused = json!({ "filter": { "unused_since": "2020-01-01T00:00:00Z", "project": "p-3" } });
    vec![
        ("bulk: revoke by name in a project", "revoke", nothing.clone()),
        ("bulk: disable by name in a project", "disable", nothing),
        ("bulk: revoke by a tag", "revoke", tagged),
        ("bulk: revoke what a project has not used", "revoke", unused),
    ]
}

/// Pages without a matching key, with each filter.
fn pages_of_nothing(Place { api, .. }: &Place) -> Vec<(String, String)> {
    let long_ago = "unused_since=2020-01-01T00:00:00Z";
    [
        ("a name", "q=nothing".to_owned()),
        ("a creator", "created_by=key_zzzzzzzzzzzzzzzz".to_owned()),
        ("a project", "project=nothing".to_owned()),
        ("an environment", "environment=nothing".to_owned()),
        ("a project's environment", "project=p-3&environment=nothing".to_owned()),
        ("revoked keys by name", "status=revoked&q=nothing".to_owned()),
        ("expired keys by name", "status=expired&q=nothing".to_owned()),
        ("last use", long_ago.to_owned()),
        ("last use, keys of all kinds", format!("status=all&{long_ago}")),
        ("last use, of a project", format!("project=p-3&{long_ago}")),
        ("last use, of an environment", format!("environment=prd&{long_ago}")),
        ("last use of many, by name", "q=nothing&unused_since=2026-06-01T00:00:00Z".to_owned()),
        (
            "last use of many, by name in a project",
            "project=p-3&q=nothing&unused_since=2026-06-01T00:00:00Z".to_owned(),
        ),
    ]
    .map(|(name, filter)| (format!("none: {name}"), format!("{api}/keys?limit=200&{filter}")))
    .to_vec()
}

/// Each kind of console page, by name.
fn console_pages(Place { console: of, key, .. }: &Place) -> Vec<(&'static str, String)> {
    let one = format!("{of}/keys/{key}");
    vec![
        ("console: overview", of.clone()),
        ("console: keys", format!("{of}/keys")),
        ("console: keys that expire soon", format!("{of}/keys?soon=yes")),
        ("console: keys open to everyone", format!("{of}/keys?open=yes")),
        ("console: keys with a tag", format!("{of}/keys?tag=team:billing")),
        ("console: keys of an owner", format!("{of}/keys?owner=nobody")),
        (
            "console: keys with every filter",
            format!("{of}/keys?soon=yes&open=yes&stale=yes&tag=team&owner=nobody"),
        ),
        ("console: keys of all kinds", format!("{of}/keys?status=all")),
        ("console: keys by name", format!("{of}/keys?status=all&sort=name")),
        ("console: keys by their end", format!("{of}/keys?status=all&sort=end")),
        ("console: oldest keys first", format!("{of}/keys?status=all&sort=oldest")),
        ("console: keys by their last use", format!("{of}/keys?status=all&sort=used")),
        ("console: stale keys by their last use", format!("{of}/keys?stale=on&sort=idle")),
        ("console: stale keys", format!("{of}/keys?stale=on")),
        ("console: keys of a project and environment", format!("{of}/keys?project=p-3&environment=prd")),
        ("console: keys whose name has \"9\" in it", format!("{of}/keys?q=9")),
        ("console: a search that finds nothing", format!("{of}/keys?q=nothing")),
        ("console: the same by name", format!("{of}/keys?q=nothing&sort=name")),
        ("console: the same by last use", format!("{of}/keys?q=nothing&sort=used")),
        ("console: the same by end", format!("{of}/keys?q=nothing&sort=end")),
        ("console: stale keys, a search that finds nothing", format!("{of}/keys?stale=on&q=nothing")),
        ("console: the same by name", format!("{of}/keys?stale=on&q=nothing&sort=name")),
        ("console: the same by last use", format!("{of}/keys?stale=on&q=nothing&sort=idle")),
        ("console: one key", one.clone()),
        ("console: changing a key", format!("{one}/edit")),
        ("console: making a key", format!("{of}/keys/new")),
        ("console: use", format!("{of}/usage")),
        ("console: audit log", format!("{of}/audit")),
        ("console: projects", format!("{of}/projects")),
        ("console: organizations", "/console/orgs".to_owned()),
        ("console: signing keys", format!("{of}/signing-keys")),
    ]
}
