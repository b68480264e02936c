//! The cookie that a session's id travels in.

use axum::http::{HeaderMap, HeaderValue, header};
use zeroize::Zeroizing;

use super::session::SessionId;
use crate::node::Node;
use crate::store::ConsoleSession;

/// RFC 6265bis §4.1.3.2: a browser takes a cookie of this name only over TLS, for this host alone and all of it.
const NAME: &str = "__Host-claviger";

/// On loopback without TLS, where browsers would not take the other.
const NAME_WITHOUT_TLS: &str = "claviger";

/// What the tag of a session's id is for. It tells ids that were issued here: the store is asked about no others.
const PURPOSE: &str = "console session";

/// The id in the request's cookie. Two of them are none: at most one is from here.
pub(super) fn read(node: &Node, headers: &HeaderMap) -> Option<SessionId> {
    let lines = headers.get_all(header::COOKIE).iter().filter_map(|line| line.to_str().ok());
    let pairs = lines.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='));
    let mut values = pairs.filter(|(name, _)| *name == name_at(node)).map(|(_, value)| value);
    match (values.next(), values.next()) {
        (Some(value), None) => node.tagger.unmarked(PURPOSE, value)?.parse().ok(),
        _ => None,
    }
}

/// Has the browser keep a session's id for as long as it may live.
pub(super) fn keep(node: &Node, id: &SessionId) -> Option<HeaderValue> {
    value(node, &node.tagger.marked(PURPOSE, &id.expose()), ConsoleSession::LONGEST_SECONDS)
}

/// Has the browser forget it.
pub(super) fn forget(node: &Node) -> Option<HeaderValue> {
    value(node, "", 0)
}

fn value(node: &Node, id: &str, seconds: i64) -> Option<HeaderValue> {
    let secure = if has_tls(node) { "; Secure" } else { "" };
    let name = name_at(node);
    let line =
        Zeroizing::new(format!("{name}={id}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Strict{secure}"));
    let mut value = HeaderValue::from_str(&line).ok()?;
    value.set_sensitive(true);
    Some(value)
}

fn name_at(node: &Node) -> &'static str {
    if has_tls(node) { NAME } else { NAME_WITHOUT_TLS }
}

fn has_tls(node: &Node) -> bool {
    node.deployment.issuer.starts_with("https:")
}
