//! What the node decided about requests, and the feed that it publishes.

use std::fmt;

use crate::metrics::Exposition;
use crate::node::Node;

pub(super) fn write(to: &mut Exposition<'_>, node: &Node) -> fmt::Result {
    to.counters(
        "claviger_token_requests_total",
        "The requests for tokens, by grant and result",
        node.events
            .token_requests()
            .map(|(grant, result, count)| ([("grant_type", grant), ("result", result)], count)),
    )?;
    to.counters(
        "claviger_gate_answers_total",
        "The answers of the gate, by result",
        node.events.gate_answers().map(|(result, count)| ([("result", result)], count)),
    )?;
    to.counters(
        "claviger_refusals_total",
        "The credentials that were refused, by reason",
        node.events.refusals().map(|(reason, count)| ([("reason", reason)], count)),
    )?;
    to.counters(
        "claviger_sign_in_refusals_total",
        "The people whom an OpenID provider vouched for and who were not let in, by reason",
        node.events.sign_in_refusals().map(|(reason, count)| ([("reason", reason)], count)),
    )?;
    let feed = node.revocations.feed.state();
    to.gauge(
        "claviger_feed_followers_waiting",
        "The requests that wait for news of the revocation feed",
        feed.waiting as f64,
    )?;
    to.gauge(
        "claviger_feed_document_bytes",
        "The size of the last document of the revocation feed",
        feed.document.map(|(bytes, _)| bytes as f64),
    )?;
    to.gauge(
        "claviger_feed_document_age_seconds",
        "The age of what the last document of the revocation feed says; it grows while nobody asks for the feed",
        feed.document.map(|(_, as_of)| node.clock.now().since(as_of) as f64),
    )
}
