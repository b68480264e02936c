//! The store: calls, connections and the queues in front of them.

use std::fmt;

use crate::metrics::Exposition;
use crate::store::Store;

const POOL: &str = "db_client_connection_pool_name";

pub(super) fn write(to: &mut Exposition<'_>, store: &Store) -> fmt::Result {
    to.durations(
        "claviger_store_call_duration_seconds",
        "The time of a call to the database, by kind",
        store.calls().read().map(|(kind, calls)| ([("call", kind)], &calls.durations)),
    )?;
    to.counters(
        "claviger_store_call_failures_total",
        "The calls to the database that failed",
        store.calls().read().map(|(kind, calls)| ([("call", kind)], calls.failures())),
    )?;
    let failing = store.writes().failing();
    to.gauge(
        "claviger_store_writes_failing",
        "Whether the store takes no writes",
        f64::from(u8::from(failing.is_some())),
    )?;
    to.gauge(
        "claviger_store_writes_failing_seconds",
        "How long the store has taken no writes; 0 if it takes them",
        failing.map_or(0.0, |failing| failing.lasted().as_secs_f64()),
    )?;
    let pools = store.pools();
    to.gauges(
        "db_client_connection_count",
        "The connections to the database that are in use, and those that are idle",
        pools.iter().flat_map(|(name, load)| {
            [("used", load.in_use), ("idle", load.idle)]
                .map(|(state, count)| ([(POOL, *name), ("db_client_connection_state", state)], count as f64))
        }),
    )?;
    to.gauges(
        "db_client_connection_max",
        "The most connections to the database",
        pools.iter().map(|(name, load)| ([(POOL, *name)], load.limit as f64)),
    )?;
    to.gauges(
        "db_client_connection_pending_requests",
        "The callers who wait for a connection to the database",
        pools.iter().map(|(name, load)| ([(POOL, *name)], load.waiting as f64)),
    )?;
    Ok(())
}
