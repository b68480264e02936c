//! Requests that hyper would let through and RFC 9112 would not.
//!
//! hyper itself refuses malformed request lines and fields, whitespace around names, folded lines, lengths
//! that differ or are no number, and codings of which `chunked` is not the last. When a request has both a
//! length and a coding, it goes by the coding and closes after the answer, as §6.3 allows.

use hyper::header::{HOST, HeaderValue, TRANSFER_ENCODING};
use hyper::{Request, Version};

/// Whether another recipient may read this request as something else, or take it for another host's.
pub(super) fn is_ambiguous<B>(request: &Request<B>) -> bool {
    request.version() <= Version::HTTP_11 && !(names_one_host(request) && has_known_coding(request))
}

/// RFC 9112 §3.2: exactly one valid `Host`, which only HTTP/1.0 may leave out.
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

/// RFC 9112 §6.1: `chunked` is applied once, and no other coding is known here.
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
