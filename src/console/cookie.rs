//! The session cookie, and other cookies of the console.

use axum::http::{HeaderMap, HeaderValue, header};
use zeroize::Zeroizing;

use super::session::SessionId;
use crate::node::Node;
use crate::store::ConsoleSession;

/// RFC 6265bis §4.1.3.2: a browser accepts a cookie with this prefix only over TLS, for this host alone and for all of
/// its paths.
const NAME: &str = "__Host-claviger";

/// The name on loopback without TLS, where browsers reject the prefix.
const NAME_WITHOUT_TLS: &str = "claviger";

/// The purpose of the tag on session ids. The tag proves that this deployment issued the id, so forged ids never reach
/// the store.
const PURPOSE: &str = "console session";

/// The session id in the request's cookie. `None` if there are two cookies, since this server sets at most one.
pub(super) fn read(node: &Node, headers: &HeaderMap) -> Option<SessionId> {
    node.master_keys.unmarked(PURPOSE, only(headers, name_at(node))?)?.parse().ok()
}

/// The value of another console cookie.
pub(super) fn value<'h>(node: &Node, headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    only(headers, &format!("{}-{name}", name_at(node)))
}

/// The header that sets another console cookie.
pub(super) fn with(node: &Node, name: &str, value: &str, seconds: i64) -> Option<HeaderValue> {
    line(node, &format!("{}-{name}", name_at(node)), value, seconds)
}

/// The header that sets a cookie which the browser also sends when another site leads back here.
pub(super) fn with_lax(node: &Node, name: &str, value: &str, seconds: i64) -> Option<HeaderValue> {
    site_line(node, &format!("{}-{name}", name_at(node)), value, seconds, "Lax")
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

/// The header that sets the session cookie, for the longest life of a session.
pub(super) fn keep(node: &Node, id: &SessionId) -> Option<HeaderValue> {
    line(
        node,
        name_at(node),
        &node.master_keys.marked(PURPOSE, &id.expose()),
        ConsoleSession::LONGEST_SECONDS,
    )
}

/// The header that deletes the session cookie.
pub(super) fn clear(node: &Node) -> Option<HeaderValue> {
    line(node, name_at(node), "", 0)
}

fn line(node: &Node, name: &str, value: &str, seconds: i64) -> Option<HeaderValue> {
    site_line(node, name, value, seconds, "Strict")
}

fn site_line(node: &Node, name: &str, value: &str, seconds: i64, site: &str) -> Option<HeaderValue> {
    let secure = if has_tls(node) { "; Secure" } else { "" };
    let line = Zeroizing::new(format!(
        "{name}={value}; Path=/; Max-Age={seconds}; HttpOnly; SameSite={site}{secure}"
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
