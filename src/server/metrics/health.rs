//! What an operator should look at: freshness, signing keys, the clock, and what is still to be written.

use std::fmt;

use crate::base::clock::Timestamp;
use crate::metrics::Exposition;
use crate::node::Node;
use crate::node::keyring::SigningKeyStatus;

pub(super) fn write(to: &mut Exposition<'_>, node: &Node) -> fmt::Result {
    to.gauge(
        "claviger_store_confirmation_age_seconds",
        "The time since the store last confirmed what this node knows; at 31 the node stops relying on it",
        node.freshness.age().as_secs_f64(),
    )?;
    to.counter(
        "claviger_changes_followed_total",
        "The changes in the store that this node has applied",
        node.progress.followed(),
    )?;
    to.gauge(
        "claviger_changes_behind",
        "The changes that the store is known to have and this node has not applied",
        node.progress.behind() as f64,
    )?;
    to.counter(
        "claviger_changes_restarts_total",
        "How often this node read everything again, because the store had another history or a gap",
        node.progress.restarts(),
    )?;
    signing_keys(to, node)?;
    to.counter(
        "claviger_clock_jumps_total",
        "The jumps of the clock, or times without a server, of more than ten minutes",
        node.retention_clock.jumps(),
    )?;
    to.gauge(
        "claviger_clock_trusted",
        "Whether deletion by age follows the clock; it does not for a day after a jump",
        f64::from(u8::from(node.retention_clock.is_trusted())),
    )?;
    to.gauge(
        "claviger_settings_differing",
        "The settings in which this node differs from other nodes of its deployment",
        node.differences.names().len() as f64,
    )?;
    unwritten(to, node)
}

fn signing_keys(to: &mut Exposition<'_>, node: &Node) -> fmt::Result {
    let (now, ring) = (node.clock.now(), node.signer.keyring.ring());
    let in_stage = |stage| ring.keys().iter().filter(|key| key.status(now) == stage).count() as f64;
    to.gauges(
        "claviger_signing_keys",
        "The signing keys in each stage",
        SigningKeyStatus::ALL.map(|stage| ([("stage", stage.as_str())], in_stage(stage))),
    )?;
    to.gauge(
        "claviger_signing_key_next_activation_seconds",
        "The time until the next signing key signs; absent while there is no next key",
        ring.next(now).map(|next| next.activates_at.since(now) as f64),
    )?;
    to.gauge(
        "claviger_signing_key_next_due_timestamp_seconds",
        "When the key that signs needs a published successor; absent if no key signs",
        ring.signing(now).map(|key| seconds(node.signer.policy.successor_due(key.activates_at))),
    )
}

fn unwritten(to: &mut Exposition<'_>, node: &Node) -> fmt::Result {
    let backlog = node.usage.backlog();
    to.gauge(
        "claviger_usage_last_flush_timestamp_seconds",
        "When the counted use of keys was last written; absent before the first time",
        backlog.flushed_at.map(seconds),
    )?;
    to.gauge(
        "claviger_usage_records_waiting",
        "The records of use that are not written yet, and that the end of the process would lose",
        backlog.records as f64,
    )?;
    to.counter(
        "claviger_usage_flush_failures_total",
        "The attempts to write the use of keys that failed; the next one tries again",
        backlog.failed_flushes,
    )?;
    to.counter(
        "claviger_audit_refusals_lost_total",
        "The refusals that are missing from the audit trail, because too many were waiting to be written",
        node.usage.refusals.dropped(),
    )?;
    to.counter(
        "claviger_audit_sign_ins_omitted_total",
        "The refused sign-ins that are not in the audit trail, because the same one was shortly before, or too many were",
        node.usage.refusals.omitted_sign_ins(),
    )
}

fn seconds(at: Timestamp) -> f64 {
    at.unix() as f64
}
