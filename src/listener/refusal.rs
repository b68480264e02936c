//! Refuses requests that hyper accepts although RFC 9112 does not.
//!
//! hyper itself refuses malformed request lines and fields, whitespace around names, folded lines, lengths that differ
//! or are not numbers, and codings of which `chunked` is not the last. If a request has both a length and a coding,
//! hyper uses the coding and closes the connection after the answer, as §6.3 allows.

use hyper::header::{HOST, HeaderValue, TRANSFER_ENCODING};
use hyper::{Request, Version};

/// Whether another recipient may read this request differently, or take it for a request to another host.
pub(super) fn is_ambiguous<B>(request: &Request<B>) -> bool {
    request.version() <= Version::HTTP_11 && !(names_one_host(request) && has_known_coding(request))
}

/// There is exactly one valid `Host`, which only HTTP/1.0 may omit (RFC 9112 §3.2).
fn names_one_host<B>(request: &Request<B>) -> bool {
    let mut hosts = request.headers().get_all(HOST).iter();
    match (hosts.next(), hosts.next()) {
        (Some(host), None) => host.as_bytes().iter().all(|&byte| may_be_in_host(byte)),
        (None, _) => request.version() < Version::HTTP_11,
        _ => false,
    }
}

/// The characters of `uri-host [":" port]` (RFC 3986 §3.2.2, §3.2.3).
fn may_be_in_host(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=%:[]".contains(&byte)
}

/// `chunked` is applied once, and the server knows no other coding (RFC 9112 §6.1).
fn has_known_coding<B>(request: &Request<B>) -> bool {
    let mut codings = request.headers().get_all(TRANSFER_ENCODING).iter();
    match (codings.next(), codings.next()) {
        (None, _) => true,
        (Some(coding), None) => is_chunked(coding),
        _ => false,
    }
}

fn is_chunked(coding: &HeaderValue) -> bool {
    coding.as_bytes().eq_ignore_ascii_case(b"chunked")
}
