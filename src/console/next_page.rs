//! The page that follows a sign-in.

use axum::http::header::SET_COOKIE;
use axum::response::Response;

use super::cookie;
use super::notice::Notice;
use super::page::{address, see_other};
use super::shell::base;
use crate::node::Node;

/// Redirects to the sign-in page, which leads on to the path `wanted`.
pub(super) fn sign_in_first(node: &Node, wanted: Option<&str>, was_in: bool) -> Response {
    let path = sign_in_path(&base(node), wanted);
    if !was_in {
        return see_other(&path);
    }
    let mut response = Notice::Over.at(node, None, &path);
    if let Some(cleared) = cookie::clear(node) {
        response.headers_mut().append(SET_COOKIE, cleared);
    }
    response
}

/// The path of the sign-in page, which leads on to the path `wanted`.
pub(super) fn sign_in_path(base: &str, wanted: Option<&str>) -> String {
    let next = wanted.map(|wanted| next_of(base, wanted)).filter(|next| next != base).unwrap_or_default();
    address(&format!("{base}/sign-in"), [("next", &*next)])
}

/// `wanted` if it is a page of the console, otherwise the entry page. This prevents open redirects.
pub(super) fn next_of(base: &str, wanted: &str) -> String {
    if is_page(base, wanted) { wanted.to_owned() } else { base.to_owned() }
}

/// Whether the path is a page of the console, except those for signing in and out.
pub(super) fn is_page(base: &str, wanted: &str) -> bool {
    let rest = wanted.strip_prefix(base);
    let is_below = rest.is_some_and(|rest| rest.starts_with(['/', '?']));
    let is_plain = wanted.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\');
    let is_sign = rest.is_some_and(|rest| rest.starts_with("/sign-"));
    is_below && is_plain && !is_sign
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_pages_of_the_console_are_valid_next_pages() {
        for good in ["/console/orgs/a/keys?q=x", "/console?x"] {
            assert_eq!(next_of("/console", good), good);
        }
        for bad in [
            "",
            "/console",
            "/consoles",
            "//elsewhere.example",
            "/\\elsewhere.example",
            "https://elsewhere.example/console/",
            "/console/\\elsewhere",
            "/console/a\nb",
            "/console/é",
            "/console/sign-in",
            "/console/sign-out",
            "/v1/orgs",
            "javascript:alert(1)",
        ] {
            assert_eq!(next_of("/console", bad), "/console", "{bad}");
        }
        assert_eq!(
            sign_in_path("/console", Some("/console/a?b=c")),
            "/console/sign-in?next=%2Fconsole%2Fa%3Fb%3Dc"
        );
        assert_eq!(sign_in_path("/console", Some("/console")), "/console/sign-in");
    }
}
