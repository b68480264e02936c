//! The URLs in proofs, and the configured URL that they are compared with.

use std::fmt;
use std::str::FromStr;

/// An http or https URL without query and fragment, in the form in which two are compared (RFC 9449 §4.3, RFC 3986 §6.2.2
/// and §6.2.3): scheme and host in lower case, without the scheme's default port, with a path, and with escapes only
/// where they are necessary, in upper case. Dot segments stay, because servers differ in what they make of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TargetUri {
    origin: String,
    path: String,
}

/// The URL under which clients reach a service: its origin, and the path before the paths that the service itself sees,
/// if something in front of it removes one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicUrl(TargetUri);

/// Why a text is not a public URL. The text completes "the URL …".
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PublicUrlError {
    /// It is not an absolute URL of the two schemes, with a host and without a user name.
    #[error("is not an absolute http or https URL")]
    NotAUrl,
    /// It has a query or a fragment.
    #[error("has a query or a fragment")]
    QueryOrFragment,
}

impl TargetUri {
    /// Reads a URL. Query and fragment are dropped. `None` for anything but an absolute http or https URL with a host and
    /// without a user name.
    pub fn parse(text: &str) -> Option<Self> {
        let (scheme, rest) = text.split_once("://")?;
        let scheme = scheme.to_ascii_lowercase();
        let default_port = match scheme.as_str() {
            "https" => "443",
            "http" => "80",
            _ => return None,
        };
        let rest = rest.split(['?', '#']).next()?;
        let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        let authority = authority.to_ascii_lowercase();
        let (host, port) = host_and_port(&authority)?;
        let port = match port {
            "" => String::new(),
            port if port == default_port => String::new(),
            port => format!(":{port}"),
        };
        Some(Self { origin: format!("{scheme}://{host}{port}"), path: normal_path(path)? })
    }
}

impl fmt::Display for TargetUri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.origin, self.path)
    }
}

impl PublicUrl {
    /// The URL of a request target below this URL: a path with its leading slash, and possibly a query, which is dropped.
    /// `None` if it is not such a path.
    pub fn at(&self, target: &str) -> Option<TargetUri> {
        let path = target.split(['?', '#']).next().filter(|path| path.starts_with('/'))?;
        let before = self.0.path.trim_end_matches('/');
        Some(TargetUri { origin: self.0.origin.clone(), path: format!("{before}{}", normal_path(path)?) })
    }

    /// Whether there is nothing after the host and the port.
    pub fn is_origin(&self) -> bool {
        self.0.path == "/"
    }
}

impl FromStr for PublicUrl {
    type Err = PublicUrlError;

    fn from_str(text: &str) -> Result<Self, PublicUrlError> {
        let target = TargetUri::parse(text).ok_or(PublicUrlError::NotAUrl)?;
        if text.contains(['?', '#']) { Err(PublicUrlError::QueryOrFragment) } else { Ok(Self(target)) }
    }
}

impl fmt::Display for PublicUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Splits an authority in lower case (RFC 3986 §3.2). The port is empty if there is none.
fn host_and_port(authority: &str) -> Option<(&str, &str)> {
    let (host, port) = match authority.strip_prefix('[') {
        Some(rest) => {
            let end = rest.find(']')? + 2;
            let after = &authority[end..];
            (&authority[..end], if after.is_empty() { after } else { after.strip_prefix(':')? })
        }
        None => authority.split_once(':').unwrap_or((authority, "")),
    };
    let is_host = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~[:]".contains(&byte);
    let is_plain = !host.is_empty() && host.bytes().all(is_host);
    let is_port = port.bytes().all(|byte| byte.is_ascii_digit());
    (is_plain && is_port).then_some((host, port.trim_start_matches('0')))
}

/// A path with escapes only where they are necessary (RFC 3986 §6.2.2.1, §6.2.2.2). `None` if there is an incomplete
/// escape, white space, a control character or one beyond ASCII.
fn normal_path(path: &str) -> Option<String> {
    let mut normal = String::with_capacity(path.len().max(1));
    let mut bytes = path.bytes();
    while let Some(byte) = bytes.next() {
        match byte {
            b'%' => {
                let (high, low) = (hex(bytes.next()?)?, hex(bytes.next()?)?);
                match char::from(high * 16 + low) {
                    plain if is_unreserved(plain) => normal.push(plain),
                    escaped => normal.push_str(&format!("%{:02X}", u32::from(escaped))),
                }
            }
            b'!'..=b'~' => normal.push(char::from(byte)),
            _ => return None,
        }
    }
    if normal.is_empty() {
        normal.push('/');
    }
    Some(normal)
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok())
}

/// RFC 3986 §2.3.
fn is_unreserved(character: char) -> bool {
    character.is_ascii_alphanumeric() || "-._~".contains(character)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn normal(text: &str) -> Option<String> {
        TargetUri::parse(text).map(|target| target.to_string())
    }

    #[test]
    fn a_url_has_one_form() {
        for (text, form) in [
            ("https://api.example.com", "https://api.example.com/"),
            ("HTTPS://API.Example.COM:443/a", "https://api.example.com/a"),
            ("https://api.example.com:/a", "https://api.example.com/a"),
            ("https://api.example.com:0443/a", "https://api.example.com/a"),
            ("http://api.example.com:80/a?b=c#d", "http://api.example.com/a"),
            ("http://api.example.com:443/a", "http://api.example.com:443/a"),
            ("https://api.example.com?b=c", "https://api.example.com/"),
            ("https://[2001:DB8::1]:8443/a", "https://[2001:db8::1]:8443/a"),
            ("https://h/%7euser/%2f%c3%A9/%41", "https://h/~user/%2F%C3%A9/A"),
            ("https://h/a/../b/./c", "https://h/a/../b/./c"),
            ("https://h/A/", "https://h/A/"),
        ] {
            assert_eq!(normal(text).as_deref(), Some(form), "{text}");
            assert_eq!(normal(form).as_deref(), Some(form), "{form}");
        }
    }

    #[test]
    fn other_texts_are_no_urls() {
        for text in [
            "",
            "/a",
            "//h/a",
            "h/a",
            "ftp://h/a",
            "https:h/a",
            "https:///a",
            "https://",
            "https://user@h/a",
            "https://user:pass@h/a",
            "https://h:port/a",
            "https://[::1/a",
            "https://[::1]8443/a",
            "https://h\\a",
            "https://h/a b",
            "https://h/%4",
            "https://h/%zz",
            "https://h/\u{e9}",
            "https://h\u{e9}/",
            " https://h/",
        ] {
            assert_eq!(normal(text), None, "{text}");
        }
    }

    #[test]
    fn a_request_target_is_appended_to_the_public_url() {
        let at = |url: &str, target| {
            let url: PublicUrl = url.parse().unwrap();
            url.at(target).map(|target| target.to_string())
        };
        assert_eq!(at("https://h", "/orders/7?expand=1").as_deref(), Some("https://h/orders/7"));
        assert_eq!(at("https://h/api/", "/orders").as_deref(), Some("https://h/api/orders"));
        assert_eq!(at("https://h", "/%7e").as_deref(), Some("https://h/~"));
        for target in ["", "orders", "*", "https://h/orders", "?a", "/%"] {
            assert_eq!(at("https://h", target), None, "{target}");
        }
        assert_eq!("https://h?a".parse::<PublicUrl>(), Err(PublicUrlError::QueryOrFragment));
        assert_eq!("h".parse::<PublicUrl>(), Err(PublicUrlError::NotAUrl));
    }
}
