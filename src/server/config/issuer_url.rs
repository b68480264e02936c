//! Checks the issuer, which is the `iss` of every token and the base of every URL in the metadata.

use axum::http::Uri;

use crate::domain::address::is_loopback;

/// Checks a URL against RFC 8414 §2: https, without query or fragment. Plain http is allowed on loopback only. Clients
/// compare issuers byte by byte (§3.3), so a URL that has a second spelling is refused.
///
/// # Errors
/// The reason.
pub(super) fn check(text: &str) -> Result<(), &'static str> {
    let uri: Uri = text.parse().map_err(|_| "is not a URL")?;
    let host = uri.host().filter(|host| !host.is_empty()).ok_or("is not an absolute URL")?;
    if text.starts_with("http://") && !is_loopback(host) {
        return Err("must be https, except on loopback");
    }
    if !text.starts_with("https://") && !text.starts_with("http://") {
        return Err("must begin with https://");
    }
    if text.contains(['?', '#', '@']) {
        return Err("must have no query, fragment or user");
    }
    let authority = uri.authority().map_or("", |authority| authority.as_str());
    if authority.len() > host.len() && uri.port_u16().is_none() {
        return Err("must have a port from 0 to 65535 after its colon, or none");
    }
    if text.ends_with('/') {
        return Err("must not end with a slash");
    }
    if uri.path() != "/" && !has_plain_segments(uri.path()) {
        return Err("must have a path of letters, digits and -._~ only, and not /.well-known");
    }
    Ok(())
}

/// The path becomes part of routes, also after `/.well-known/…` (RFC 8414 §3.1).
fn has_plain_segments(path: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    let mut segments = path.split('/').skip(1);
    segments
        .all(|segment| !matches!(segment, "" | "." | ".." | ".well-known") && segment.bytes().all(is_plain))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_issuer_is_a_plain_https_url() {
        for good in [
            "https://auth.example.com",
            "https://example.com:8443/auth/v2",
            "http://localhost:8080",
            "http://127.0.0.1:8080",
            "http://[::1]/auth",
        ] {
            assert_eq!(check(good), Ok(()), "{good}");
        }
        for bad in [
            "",
            "example.com",
            "/auth",
            "https://",
            "https://:443",
            "https://example.com:",
            "https://example.com:99999",
            "HTTPS://example.com",
            "ftp://example.com",
            "http://example.com",
            "http://127.0.0.1.example.com",
            "https://user@example.com",
            "https://example.com?",
            "https://example.com/a?b=c",
            "https://example.com#",
            "https://example.com/",
            "https://example.com/a/",
            "https://example.com/a//b",
            "https://example.com/a/../b",
            "https://example.com/:a",
            "https://example.com/{a}",
            "https://example.com/*",
            "https://example.com/a\"b",
            "https://example.com/a%2fb",
            "https://example.com/.well-known/oauth-authorization-server",
        ] {
            assert!(check(bad).is_err(), "{bad}");
        }
    }
}
