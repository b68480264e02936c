//! The token that a session's own forms carry, for callers who see no form at all.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::hmac;

use crate::support::Server;

/// The form token of the session in a cookie, as the pages have it: that of nothing when the cookie holds no session.
pub(crate) fn form_token(server: &Server, cookie: &str) -> String {
    let (name, marked) = cookie.split_once('=').unwrap_or_default();
    let purpose = if name.ends_with("-portal") { "portal session" } else { "console session" };
    let Some(id) = server.node.master_keys.unmarked(purpose, marked) else { return String::new() };
    let id = URL_SAFE_NO_PAD.decode(id).expect("an id");
    let key = hmac::Key::new(hmac::HMAC_SHA256, &id);
    URL_SAFE_NO_PAD.encode(hmac::sign(&key, b"claviger console form v1"))
}
