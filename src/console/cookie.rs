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
    node.authenticator.tagger.unmarked(PURPOSE, only(headers, name_at(node))?)?.parse().ok()
}

/// The value of another cookie of the console's, if there is one.
pub(super) fn value<'h>(node: &Node, headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    only(headers, &format!("{}-{name}", name_at(node)))
}

/// Has the browser keep another cookie of the console's.
pub(super) fn with(node: &Node, name: &str, value: &str, seconds: i64) -> Option<HeaderValue> {
    line(node, &format!("{}-{name}", name_at(node)), value, seconds)
}

fn only<'h>(headers: &'h HeaderMap, wanted: &str) -> Option<&'h str> {
    let lines = headers.get_all(header::COOKIE).iter().filter_map(|line| line.to_str().ok());
    let pairs = lines.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='));
    let mut values = pairs.filter(|(name, _)| *name == wanted).map(|(_, value)| value);
    match (values.next(), values.next()) {
        (Some(value), None) => Some(value),
        _ => None,
    }
}

/// Has the browser keep a session's id for as long as it may live.
pub(super) fn keep(node: &Node, id: &SessionId) -> Option<HeaderValue> {
    line(
        node,
        name_at(node),
        &node.authenticator.tagger.marked(PURPOSE, &id.expose()),
        ConsoleSession::LONGEST_SECONDS,
    )
}

/// Has the browser delete it.
pub(super) fn clear(node: &Node) -> Option<HeaderValue> {
    line(node, name_at(node), "", 0)
}

fn line(node: &Node, name: &str, value: &str, seconds: i64) -> Option<HeaderValue> {
    let secure = if has_tls(node) { "; Secure" } else { "" };
    let line = Zeroizing::new(format!(
        "{name}={value}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Strict{secure}"
    ));
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
