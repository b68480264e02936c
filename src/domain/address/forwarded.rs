//! The hops in a forwarding header. A single malformed part makes the whole result unknown.

use std::net::{IpAddr, Ipv6Addr};

use super::ForwardedHeader;

/// A longer text is refused unread. No honest chain of proxies is that long.
const MAX_BYTES: usize = 8 * 1024;

/// An element with more parameters is refused. RFC 7239 §5 defines four.
const MAX_PARAMETERS: usize = 16;

/// The hops of all lines from first to last, with IPv4-mapped addresses as IPv4. Empty if there is no line. `None` if
/// anything is malformed, obfuscated or unknown. A quoted string must end in its line. Otherwise the sender of the
/// first line could swallow what a proxy writes in the second.
pub(super) fn hops<'a>(
    header: ForwardedHeader,
    lines: impl IntoIterator<Item = &'a [u8]>,
) -> Option<Vec<IpAddr>> {
    let mut lines = lines.into_iter().peekable();
    if lines.peek().is_none() {
        return Some(Vec::new());
    }
    let mut hops = Vec::new();
    let mut bytes_left = MAX_BYTES;
    for line in lines {
        bytes_left = bytes_left.checked_sub(line.len())?;
        match header {
            ForwardedHeader::XForwardedFor => x_forwarded_for(line, &mut hops)?,
            ForwardedHeader::Forwarded => forwarded(line, &mut hops)?,
        }
    }
    // RFC 7239 §4 requires at least one element.
    (!hops.is_empty()).then_some(hops)
}

/// Reads addresses separated by commas. An empty place is malformed: some proxy didn't report its client.
fn x_forwarded_for(line: &[u8], hops: &mut Vec<IpAddr>) -> Option<()> {
    for hop in std::str::from_utf8(line).ok()?.split(',') {
        hops.push(x_forwarded_for_hop(hop.trim_matches([' ', '\t']))?);
    }
    Some(())
}

fn x_forwarded_for_hop(hop: &str) -> Option<IpAddr> {
    match hop.parse::<Ipv6Addr>() {
        Ok(bare) => Some(IpAddr::V6(bare).to_canonical()),
        Err(_) => node(hop),
    }
}

/// RFC 7239 §4: `1#forwarded-element`. Empty elements are ignored (RFC 9110 §5.6.1.2).
fn forwarded(line: &[u8], hops: &mut Vec<IpAddr>) -> Option<()> {
    let mut rest = Rest(line);
    loop {
        rest.skip_whitespace();
        if !matches!(rest.peek(), None | Some(b',')) {
            hops.push(element(&mut rest)?);
            rest.skip_whitespace();
        }
        match rest.next() {
            Some(b',') => {}
            Some(_) => return None,
            None => return Some(()),
        }
    }
}

/// RFC 7239 §4: `[ forwarded-pair ] *( ";" [ forwarded-pair ] )`. The hop is in `for`. Case doesn't matter in names,
/// and none may occur twice.
fn element<'a>(rest: &mut Rest<'a>) -> Option<IpAddr> {
    let mut names: Vec<&'a [u8]> = Vec::new();
    let mut hop = None;
    loop {
        if !rest.at_end_of_pair() {
            let (name, value) = rest.pair()?;
            if names.len() == MAX_PARAMETERS || names.iter().any(|seen| seen.eq_ignore_ascii_case(name)) {
                return None;
            }
            names.push(name);
            if name.eq_ignore_ascii_case(b"for") {
                hop = Some(node(std::str::from_utf8(&value).ok()?)?);
            }
        }
        if rest.peek() != Some(b';') {
            return hop;
        }
        rest.next();
    }
}

/// RFC 7239 §6: `nodename [ ":" node-port ]`. Only addresses are accepted, not `unknown` or obfuscated identifiers,
/// which a port may be too.
fn node(node: &str) -> Option<IpAddr> {
    let (address, port) = match node.strip_prefix('[') {
        Some(bracketed) => {
            let (address, port) = bracketed.split_once(']')?;
            (IpAddr::V6(address.parse().ok()?), port)
        }
        None => {
            let (address, port) = node.split_at(node.find(':').unwrap_or(node.len()));
            (IpAddr::V4(address.parse().ok()?), port)
        }
    };
    let well_formed = port.is_empty() || port.strip_prefix(':').is_some_and(is_port);
    well_formed.then(|| address.to_canonical())
}

/// RFC 7239 §6.2: `port = 1*5DIGIT`.
fn is_port(port: &str) -> bool {
    (1..=5).contains(&port.len()) && port.bytes().all(|byte| byte.is_ascii_digit())
}

/// The rest of a line.
struct Rest<'a>(&'a [u8]);

impl<'a> Rest<'a> {
    fn peek(&self) -> Option<u8> {
        self.0.first().copied()
    }

    fn next(&mut self) -> Option<u8> {
        let (first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(*first)
    }

    /// RFC 9110 §5.6.3: OWS.
    fn skip_whitespace(&mut self) {
        self.take_while(is_whitespace);
    }

    fn at_end_of_pair(&self) -> bool {
        self.peek().is_none_or(|byte| byte == b';' || byte == b',' || is_whitespace(byte))
    }

    /// RFC 7239 §4: `token "=" value`, without white space.
    fn pair(&mut self) -> Option<(&'a [u8], Vec<u8>)> {
        let name = self.token()?;
        if self.next()? != b'=' {
            return None;
        }
        Some((name, self.value()?))
    }

    /// RFC 9110 §5.6.2.
    fn token(&mut self) -> Option<&'a [u8]> {
        let token = self.take_while(is_token_byte);
        (!token.is_empty()).then_some(token)
    }

    /// RFC 7239 §4: `token / quoted-string`. Removes the quotes and the backslashes of a quoted string.
    fn value(&mut self) -> Option<Vec<u8>> {
        if self.peek() != Some(b'"') {
            return self.token().map(<[u8]>::to_vec);
        }
        self.next();
        let mut value = Vec::new();
        loop {
            match self.next()? {
                b'"' => return Some(value),
                b'\\' => value.push(self.next().filter(|byte| is_quotable(*byte))?),
                byte if is_quotable(byte) => value.push(byte),
                _ => return None,
            }
        }
    }

    fn take_while(&mut self, accepted: impl Fn(u8) -> bool) -> &'a [u8] {
        let end = self.0.iter().position(|byte| !accepted(*byte)).unwrap_or(self.0.len());
        let (taken, rest) = self.0.split_at(end);
        self.0 = rest;
        taken
    }
}

fn is_whitespace(byte: u8) -> bool {
    byte == b' ' || byte == b'\t'
}

fn is_token_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

/// RFC 9110 §5.6.4: the bytes allowed in a quoted string, plain or after a backslash.
fn is_quotable(byte: u8) -> bool {
    byte == b'\t' || (byte >= b' ' && byte != 0x7f)
}
