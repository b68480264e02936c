//! What the node holds in memory, and the queues for what organizations share.

use std::fmt;

use crate::metrics::Exposition;
use crate::node::Node;

pub(super) fn write(to: &mut Exposition<'_>, node: &Node) -> fmt::Result {
    let keys = node.authenticator.keys.load();
    to.gauge("claviger_key_cache_keys", "The API keys in memory", keys.keys as f64)?;
    to.gauge("claviger_key_cache_limit", "The most API keys in memory", keys.capacity as f64)?;
    to.counters(
        "claviger_key_cache_lookups_total",
        "The lookups of API keys in memory",
        [([("result", "hit")], keys.hits), ([("result", "miss")], keys.misses)],
    )?;
    let waiting_for = node.records.store.queues().into_iter();
    let queues: Vec<_> = waiting_for
        .chain([
            ("hashes", node.authenticator.secrets.load()),
            ("management_requests", node.requests.load()),
            ("exports", node.records.exports.load()),
        ])
        .collect();
    to.gauges(
        "claviger_queue_permits_in_use",
        "The permits of a shared queue that are in use",
        queues.iter().map(|(name, load)| ([("queue", *name)], load.taken as f64)),
    )?;
    to.gauges(
        "claviger_queue_permits_limit",
        "The permits of a shared queue; absent if only those of each organization are limited",
        queues.iter().filter_map(|(name, load)| Some(([("queue", *name)], load.permits? as f64))),
    )?;
    to.gauges(
        "claviger_queue_waiting",
        "The callers who wait for a permit of a shared queue",
        queues.iter().map(|(name, load)| ([("queue", *name)], load.waiting as f64)),
    )?;
    to.counters(
        "claviger_queue_refusals_total",
        "The callers who were refused because too many of their organization were waiting or had a permit",
        queues.iter().map(|(name, load)| ([("queue", *name)], load.refused)),
    )
}
