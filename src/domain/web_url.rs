//! Absolute URLs that the server may fetch on behalf of an organization.

use std::fmt;
use std::str::FromStr;

use crate::base::text::serde_as_text;
use crate::domain::address::is_loopback;

/// An https URL, or an http URL of this machine itself. It is kept byte for byte.
///
/// It has no user, no password and no fragment. Whether plain http is allowed at all is a setting.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct WebUrl {
    text: Box<str>,
    is_https: bool,
    host: Box<str>,
    port: u16,
    /// The path and the query.
    target: Box<str>,
}

/// Why a text is not such a URL. The text completes "the URL …".
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum WebUrlError {
    /// It is too long.
    #[error("has more than {} bytes", WebUrl::MAX_LENGTH)]
    TooLong,
    /// A character doesn't belong into a URL.
    #[error("has a space, a control character, a backslash or a character beyond ASCII")]
    Characters,
    /// The scheme is another one, or it is http and the host is not this machine.
    #[error("does not begin with https://")]
    Scheme,
    /// There is a user, a password or a fragment.
    #[error("has a user, a password or a fragment")]
    Parts,
    /// The host is missing or malformed.
    #[error("has no host, or a malformed one")]
    Host,
    /// The port is no number from 1 to 65535.
    #[error("has a malformed port")]
    Port,
    /// There is a query where none may be.
    #[error("has a query")]
    Query,
}

impl WebUrl {
    /// The longest URL, in bytes.
    pub const MAX_LENGTH: usize = 512;

    /// The URL as it was written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether requests go over TLS.
    pub fn is_https(&self) -> bool {
        self.is_https
    }

    /// The host: a name or an address. An IPv6 address has no brackets.
    pub fn host(&self) -> &str {
        self.host.trim_start_matches('[').trim_end_matches(']')
    }

    /// The port. The scheme decides if the URL names none.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Host and port as `Host` names them (RFC 9112 §3.2), with the brackets of IPv6.
    pub fn authority(&self) -> String {
        let default = if self.is_https { 443 } else { 80 };
        if self.port == default { self.host.to_string() } else { format!("{}:{}", self.host, self.port) }
    }

    /// The path and the query, as a request names them (RFC 9112 §3.2.1).
    pub fn target(&self) -> &str {
        if self.target.is_empty() { "/" } else { &self.target }
    }

    fn has_query(&self) -> bool {
        self.target.contains('?')
    }
}

impl FromStr for WebUrl {
    type Err = WebUrlError;

    fn from_str(text: &str) -> Result<Self, WebUrlError> {
        if text.len() > Self::MAX_LENGTH {
            return Err(WebUrlError::TooLong);
        }
        let belongs =
            |byte: u8| byte.is_ascii_graphic() && !matches!(byte, b'\\' | b'"' | b'<' | b'>' | b'`');
        if !text.bytes().all(belongs) {
            return Err(WebUrlError::Characters);
        }
        let (is_https, rest) = match (text.strip_prefix("https://"), text.strip_prefix("http://")) {
            (Some(rest), _) => (true, rest),
            (None, Some(rest)) => (false, rest),
            (None, None) => return Err(WebUrlError::Scheme),
        };
        if rest.contains(['#', '@']) {
            return Err(WebUrlError::Parts);
        }
        let (authority, target) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
        if target.starts_with('?') {
            return Err(WebUrlError::Host);
        }
        let (host, port) = split_port(authority)?;
        let port = match port {
            Some(digits) => number(digits).ok_or(WebUrlError::Port)?,
            None if is_https => 443,
            None => 80,
        };
        if !is_https && !is_loopback(host) {
            return Err(WebUrlError::Scheme);
        }
        Ok(Self { text: text.into(), is_https, host: host.into(), port, target: target.into() })
    }
}

fn split_port(authority: &str) -> Result<(&str, Option<&str>), WebUrlError> {
    let behind_host = authority.find(']').map_or(0, |bracket| bracket + 1);
    let (host, port) = match authority[behind_host..].split_once(':') {
        Some((name, port)) => (&authority[..behind_host + name.len()], Some(port)),
        None => (authority, None),
    };
    let is_name = |host: &str| {
        let fits = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_');
        !host.is_empty() && host.bytes().all(fits) && !host.starts_with('.')
    };
    let is_address = |host: &str| {
        let inner = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
        inner.is_some_and(|inner| inner.parse::<std::net::Ipv6Addr>().is_ok())
    };
    if is_name(host) || is_address(host) { Ok((host, port)) } else { Err(WebUrlError::Host) }
}

/// Digits without a sign. `u16::from_str` would accept one.
fn number(digits: &str) -> Option<u16> {
    let port = digits.bytes().all(|byte| byte.is_ascii_digit()).then(|| digits.parse().ok())?;
    port.filter(|port| *port > 0)
}

impl fmt::Display for WebUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Debug for WebUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

serde_as_text!(WebUrl);

/// The URL of an issuer: what `iss` must be, byte for byte. It has no query (OpenID Connect Discovery 1.0 §3).
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct IssuerUrl(WebUrl);

impl IssuerUrl {
    /// The URL as it was written.
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }

    /// The host: a name or an address. An IPv6 address has no brackets.
    pub fn host(&self) -> &str {
        self.0.host()
    }

    /// Whether requests go over TLS.
    pub fn is_https(&self) -> bool {
        self.0.is_https()
    }

    /// Where the issuer describes itself (OpenID Connect Discovery 1.0 §4.1).
    ///
    /// # Errors
    /// [`WebUrlError::TooLong`].
    pub fn discovery(&self) -> Result<WebUrl, WebUrlError> {
        let base = self.as_str().trim_end_matches('/');
        format!("{base}/.well-known/openid-configuration").parse()
    }
}

impl FromStr for IssuerUrl {
    type Err = WebUrlError;

    fn from_str(text: &str) -> Result<Self, WebUrlError> {
        let url: WebUrl = text.parse()?;
        if url.has_query() { Err(WebUrlError::Query) } else { Ok(Self(url)) }
    }
}

impl fmt::Display for IssuerUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for IssuerUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

serde_as_text!(IssuerUrl);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_has_a_host_a_port_and_a_target() {
        for (text, host, port, authority, target) in [
            ("https://gitlab.com", "gitlab.com", 443, "gitlab.com", "/"),
            ("https://a.example:8443/x/?y=1", "a.example", 8443, "a.example:8443", "/x/?y=1"),
            ("https://[2001:db8::1]:444/k", "2001:db8::1", 444, "[2001:db8::1]:444", "/k"),
            ("http://127.0.0.1:9000", "127.0.0.1", 9000, "127.0.0.1:9000", "/"),
            ("http://localhost/", "localhost", 80, "localhost", "/"),
        ] {
            let url: WebUrl = text.parse().unwrap();
            assert_eq!((url.host(), url.port(), url.target()), (host, port, target), "{text}");
            assert_eq!((url.authority().as_str(), url.as_str()), (authority, text));
        }
    }

    #[test]
    fn what_could_be_read_in_two_ways_is_refused() {
        use WebUrlError as E;
        for (text, error) in [
            ("", E::Scheme),
            ("HTTPS://a.example", E::Scheme),
            ("ftp://a.example", E::Scheme),
            ("http://a.example", E::Scheme),
            ("http://127.0.0.1.example", E::Scheme),
            ("https://user@a.example", E::Parts),
            ("https://a.example#x", E::Parts),
            ("https://a.example/#@b.example", E::Parts),
            ("https://a.example\\@b.example", E::Characters),
            ("https://a.example /", E::Characters),
            ("https://\u{e9}.example", E::Characters),
            ("https://", E::Host),
            ("https:///a.example", E::Host),
            ("https://a.example?x", E::Host),
            ("https://[::1", E::Host),
            ("https://[fe80::1%25eth0]", E::Host),
            ("https://[::1]x", E::Host),
            ("https://%61.example", E::Host),
            ("https://a.example:", E::Port),
            ("https://a.example:+443", E::Port),
            ("https://a.example:0", E::Port),
            ("https://a.example:65536", E::Port),
        ] {
            assert_eq!(text.parse::<WebUrl>(), Err(error), "{text}");
        }
        assert_eq!("https://a.example/?".parse::<IssuerUrl>(), Err(E::Query));
        assert_eq!(format!("https://{}", "a".repeat(512)).parse::<WebUrl>(), Err(E::TooLong));
    }

    #[test]
    fn an_issuer_describes_itself_below_its_url() {
        for (issuer, discovery) in [
            ("https://gitlab.com", "https://gitlab.com/.well-known/openid-configuration"),
            ("https://sts.windows.net/t/", "https://sts.windows.net/t/.well-known/openid-configuration"),
        ] {
            let issuer: IssuerUrl = issuer.parse().unwrap();
            assert_eq!(issuer.discovery().unwrap().as_str(), discovery);
        }
    }
}
