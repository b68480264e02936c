//! The store: whether it can be reached, whose it is, and what is in it.

use super::finding::{Report, Severity};
use crate::base::clock::{NODE_SKEW_SECONDS, Timestamp};
use crate::server::config::Config;
use crate::store::{
    Contents, Inspection, KNOWN_SCHEMA, OpenError, Place, Places, inspect, lock_holder, was_served,
};
use crate::use_cases::bootstrap::MasterKeySources;

/// The difference of clocks, in seconds, from which on tokens of one node are not accepted by verifiers.
const APART: i64 = 60;

/// Checks the store. Returns its contents, if they can be read.
/// Without `sources` it does not look for the master key.
pub(super) async fn check(
    config: &Config,
    sources: Option<&MasterKeySources>,
    now: Timestamp,
    report: &mut Report,
) -> Option<Contents> {
    let place = Place::of(&config.database_url);
    if let Ok(Place::File(file)) = &place {
        match lock_holder(file) {
            Ok(Some(process)) => report.ok("store_in_use", format!("process {process} serves the store")),
            _ if !file.exists() => {}
            Ok(None) => report.ok("store_in_use", "no process serves the store"),
            Err(error) => {
                report.ok("store_in_use", format!("cannot tell whether a process serves the store: {error}"))
            }
        }
    }
    let named = match &place {
        Ok(Place::File(file)) => file.display().to_string(),
        Ok(Place::Servers(servers)) => servers.clone(),
        Err(_) => "the database".into(),
    };
    let mut places = Places::default();
    for groups in config.sign_in().providers.iter().filter_map(|provider| provider.groups.as_ref()) {
        groups.add_to(&mut places);
    }
    let inspected = match inspect(&config.database_url, &config.hash_cost().prefix(), &places).await {
        Ok(Some(inspected)) => inspected,
        Ok(None) if matches!(&place, Ok(Place::File(file)) if was_served(file)) => {
            report.fail(
                "database",
                format!("{named} does not exist, and a server has used it: its lock file is there"),
                "Put the file back, with those that end in -wal and -shm, or restore a backup. A start would create an empty store.",
            );
            return None;
        }
        Ok(None) => {
            report.warn(
                "database",
                format!("{named} does not exist"),
                "A first start creates it. Otherwise, check database_url: a relative path begins in the working directory.",
            );
            return None;
        }
        Err(OpenError::TransactionPooling) => {
            let error = OpenError::TransactionPooling.to_string();
            report.fail("pooling", error, "Set pool_mode = session, or connect to PostgreSQL itself.");
            return None;
        }
        Err(error) => {
            report.fail(
                "database",
                format!("{named}: {error}"),
                "Check database_url: the address, the user, the password and the name; and that the database runs.",
            );
            return None;
        }
    };
    report.ok("database", format!("{named} can be read"));
    if matches!(place, Ok(Place::Servers(_))) {
        report.ok("pooling", "a connection keeps its session");
    }
    check_clock(&inspected, now, report);
    check_schema(&inspected, report);
    let contents = inspected.contents?;
    if let Some(sources) = sources {
        check_master_key(sources, &contents, report);
    }
    check_deployment(config, &contents, report);
    check_hashes(config, &contents, report);
    Some(contents)
}

fn check_clock(inspected: &Inspection, now: Timestamp, report: &mut Report) {
    const ADVICE: &str = "Run NTP on both machines.";
    if let Some(clock) = inspected.clock {
        let apart = clock.since(now);
        let message =
            format!("the database's clock is {} s {} this machine's", apart.abs(), direction(apart));
        match apart.abs() {
            0..=NODE_SKEW_SECONDS => report.ok("clock", message),
            apart if apart <= APART => report.warn("clock", message, ADVICE),
            _ => report.fail("clock", message, ADVICE),
        }
    }
    let Some(steady_at) = inspected.contents.as_ref().and_then(|contents| contents.steady_at) else { return };
    let ahead = steady_at.since(now);
    if ahead > APART {
        report.fail(
            "clock",
            format!("a server has seen the time {}, which is {ahead} s ahead of this clock", steady_at.rfc3339()),
            "Check this machine's clock. If it is right, another clock was ahead: see docs/operating/run.md, Clocks.",
        );
    } else if inspected.clock.is_none() {
        report.ok(
            "clock",
            format!("this machine's clock, {}, agrees with what the store has seen", now.rfc3339()),
        );
    }
}

fn direction(apart: i64) -> &'static str {
    if apart < 0 { "behind" } else { "ahead of" }
}

fn check_schema(inspected: &Inspection, report: &mut Report) {
    match inspected.schema {
        Some(KNOWN_SCHEMA) if inspected.contents.is_none() => {
            report.warn("schema", "the store is empty", "A first start fills it, or `claviger restore`.");
        }
        Some(KNOWN_SCHEMA) => report.ok("schema", format!("the schema has version {KNOWN_SCHEMA}, as this binary's")),
        None => report.warn("schema", "the database has no schema", "A first start creates it, or `claviger restore`."),
        Some(newer) if newer > KNOWN_SCHEMA => report.fail(
            "schema",
            format!("the schema has version {newer}, which is newer than this binary knows ({KNOWN_SCHEMA})"),
            "Install the newer claviger.",
        ),
        Some(older) => report.warn(
            "schema",
            format!("the schema has version {older}, and migrations up to {KNOWN_SCHEMA} are pending"),
            "Back up the store. The next start of this binary applies them. What is in the store is checked after that.",
        ),
    }
}

fn check_master_key(sources: &MasterKeySources, contents: &Contents, report: &mut Report) {
    match sources.matching(&contents.master_key_check, "store") {
        Ok(_) => report.ok("master_key", "the master key is the store's"),
        Err(fault) => report.fail(
            "master_key",
            fault.to_string(),
            "Provide the right master key. Do not create another one: the store is useless with it.",
        ),
    }
}

fn check_deployment(config: &Config, contents: &Contents, report: &mut Report) {
    let (own, stored) = (config.deployment(config.listen), &contents.settings);
    report.ok("deployment", format!("the epoch is {}", contents.epoch));
    let brand = own.brand.to_string();
    let mut differences = Vec::new();
    let issuer = stored.issuer.as_ref().filter(|issuer| **issuer != own.issuer);
    differences.extend(issuer.map(|issuer| (Severity::Error, "issuer", issuer.clone(), own.issuer.clone())));
    let other = stored.brand.as_ref().filter(|stored| **stored != brand);
    differences.extend(other.map(|stored| (Severity::Error, "brand", stored.clone(), brand.clone())));
    let audiences = stored.audiences.as_ref().filter(|_| !config.derives_issuer());
    let audiences = audiences.filter(|stored| **stored != own.audiences);
    differences.extend(
        audiences.map(|stored| (Severity::Warning, "audiences", stored.join(" "), own.audiences.join(" "))),
    );
    for (severity, name, stored, own) in &differences {
        let advice = match severity {
            Severity::Error => {
                "Set it to the deployment's. A start is refused otherwise, but for one with --accept-new-identity."
            }
            _ => {
                "All nodes need the same. The node that starts last decides what the others are compared with."
            }
        };
        let message = format!("the deployment has the {name} {stored}, and these settings {own}");
        report.add("deployment", *severity, message, advice);
    }
    if differences.is_empty() {
        let issuer = stored.issuer.as_deref().unwrap_or("that of the listener");
        report.ok("deployment", format!("the issuer is {issuer}, and the brand {brand}, as in the settings"));
    }
}

fn check_hashes(config: &Config, contents: &Contents, report: &mut Report) {
    let (all, other) = (contents.secrets, contents.at_another_cost);
    let cost = config.hash_cost().prefix();
    match other {
        0 => report.ok("hash_cost", format!("all {all} secrets in use have hashes of the cost in effect ({cost})")),
        _ => report.warn(
            "hash_cost",
            format!("{other} of {all} secrets in use have a hash of another cost than the one in effect ({cost})"),
            "The first use of each costs its old hash, and replaces it. There is nothing to do if the number goes down.",
        ),
    }
}
