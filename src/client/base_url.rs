//! The base URL of a server.

use std::fmt;
use std::str::FromStr;

use hyper::Uri;
use hyper::http::uri::{Authority, Scheme};

use crate::domain::address::is_loopback;

/// The base of a server's URLs: `https://` or `http://`, a host, and optionally a port and a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BaseUrl {
    scheme: Scheme,
    authority: Authority,
    /// Empty, or a path that begins with a slash and does not end with one.
    path: Box<str>,
}

/// Why a text is not a base URL. The message completes "the URL …".
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BaseUrlError {
    /// The text is not an absolute URL with a host.
    #[error("is not an absolute URL such as https://auth.example.com")]
    NotAbsolute,
    /// The scheme is neither http nor https.
    #[error("begins with neither https:// nor http://")]
    Scheme,
    /// The URL has a user, a query or a fragment. The first two may hold secrets, so the message shows none of it.
    #[error("has a user, a query or a fragment")]
    Parts,
}

impl BaseUrl {
    /// The host: a name or an address. An IPv6 address has no brackets.
    pub fn host(&self) -> &str {
        self.authority.host().trim_start_matches('[').trim_end_matches(']')
    }

    /// The port. The scheme decides if the URL does not name one.
    pub fn port(&self) -> u16 {
        self.authority.port_u16().unwrap_or(if self.is_https() { 443 } else { 80 })
    }

    /// Whether requests go over TLS.
    pub fn is_https(&self) -> bool {
        self.scheme == Scheme::HTTPS
    }

    /// Whether nobody on a network can read the traffic: it goes over TLS, or to this machine itself.
    pub fn is_private(&self) -> bool {
        self.is_https() || self.is_loopback()
    }

    /// Whether the host is this machine itself.
    pub fn is_loopback(&self) -> bool {
        is_loopback(self.authority.host())
    }

    /// Host and port, as `CONNECT` names them (RFC 9110 §7.1).
    pub(super) fn host_and_port(&self) -> String {
        format!("{}:{}", self.authority.host(), self.port())
    }

    /// The same server without the path.
    #[must_use]
    pub fn origin(self) -> Self {
        self.with_path("")
    }

    /// The same server with another path, which begins with a slash or is empty.
    pub(crate) fn with_path(self, path: &str) -> Self {
        Self { path: path.into(), ..self }
    }

    /// The value of `Host` (RFC 9112 §3.2).
    pub(super) fn authority(&self) -> &str {
        self.authority.as_str()
    }

    /// The path before the path of every resource.
    pub(crate) fn path(&self) -> &str {
        &self.path
    }
}

impl FromStr for BaseUrl {
    type Err = BaseUrlError;

    fn from_str(text: &str) -> Result<Self, BaseUrlError> {
        // The parser drops the fragment, so this check has to come first.
        if text.contains(['?', '#', '@']) {
            return Err(BaseUrlError::Parts);
        }
        let parts = text.parse::<Uri>().map_err(|_| BaseUrlError::NotAbsolute)?.into_parts();
        let (Some(scheme), Some(authority)) = (parts.scheme, parts.authority) else {
            return Err(BaseUrlError::NotAbsolute);
        };
        if scheme != Scheme::HTTPS && scheme != Scheme::HTTP {
            return Err(BaseUrlError::Scheme);
        }
        let has_bad_port =
            authority.as_str().len() > authority.host().len() && authority.port_u16().is_none();
        if authority.host().is_empty() || has_bad_port {
            return Err(BaseUrlError::NotAbsolute);
        }
        let path = parts.path_and_query.map(|path| path.path().trim_end_matches('/').into());
        Ok(Self { scheme, authority, path: path.unwrap_or_default() })
    }
}

impl fmt::Display for BaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}{}", self.scheme, self.authority, self.path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_base_is_a_scheme_a_host_and_a_path() {
        for (text, host, port, shown) in [
            ("https://auth.example.com", "auth.example.com", 443, "https://auth.example.com"),
            ("https://example.com:8443/auth/", "example.com", 8443, "https://example.com:8443/auth"),
            ("http://127.0.0.1:8080/", "127.0.0.1", 8080, "http://127.0.0.1:8080"),
            ("http://[::1]", "::1", 80, "http://[::1]"),
            ("HTTPS://Example.com", "Example.com", 443, "https://Example.com"),
        ] {
            let base: BaseUrl = text.parse().unwrap();
            assert_eq!((base.host(), base.port(), base.to_string().as_str()), (host, port, shown));
        }
    }

    #[test]
    fn what_is_no_base_is_refused() {
        use BaseUrlError::{NotAbsolute, Parts, Scheme};
        for (text, error) in [
            ("", NotAbsolute),
            ("example.com", NotAbsolute),
            ("/v1", NotAbsolute),
            ("https://", NotAbsolute),
            ("https://:443", NotAbsolute),
            ("https://example.com:", NotAbsolute),
            ("https://example.com:99999", NotAbsolute),
            ("https://exa mple.com", NotAbsolute),
            ("ftp://example.com", Scheme),
            ("https://user:password@example.com", Parts),
            ("https://example.com?", Parts),
            ("https://example.com/#", Parts),
        ] {
            assert_eq!(text.parse::<BaseUrl>(), Err(error), "{text}");
        }
    }

    #[test]
    fn only_tls_and_loopback_are_private() {
        for (text, is_private) in [
            ("https://example.com", true),
            ("http://localhost:8080", true),
            ("http://127.0.0.2", true),
            ("http://[::1]:8080", true),
            ("http://example.com", false),
            ("http://10.0.0.1", false),
            ("http://localhost.example.com", false),
            ("http://127.0.0.1.example.com", false),
        ] {
            assert_eq!(text.parse::<BaseUrl>().unwrap().is_private(), is_private, "{text}");
        }
    }
}
