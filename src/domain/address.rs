//! The caller's address: the peer's, or the one that trusted proxies report.
//!
//! A forwarding header is trusted as far as the chain of trusted proxies reaches, counted backwards from the peer.
//! From anybody else, it is ignored. If any part of it is malformed, the address is unknown, and never a different
//! one.
//!
//! ```
//! use claviger::domain::address::{AddressPolicy, CallerAddress};
//!
//! let policy = AddressPolicy { proxies: "10.0.0.0/8".parse()?, ..AddressPolicy::default() };
//! let forwarded: [&[u8]; 1] = [b"192.0.2.66, 203.0.113.7, 10.0.0.2"];
//!
//! let through_proxy = policy.caller("10.0.0.1".parse()?, forwarded);
//! assert_eq!(through_proxy, CallerAddress::Known("203.0.113.7".parse()?));
//! let direct = policy.caller("198.51.100.9".parse()?, forwarded);
//! assert_eq!(direct, CallerAddress::Known("198.51.100.9".parse()?));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod forwarded;

use std::fmt;
use std::net::{IpAddr, Ipv6Addr};
use std::str::FromStr;

use crate::base::text::Excerpt;
use crate::domain::cidr::{Cidr, CidrError};

/// The address that a request comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CallerAddress {
    /// The known address. An IPv4-mapped address is converted to IPv4.
    Known(IpAddr),
    /// A trusted proxy forwarded the request with a header that can't be used.
    Unknown,
}

impl CallerAddress {
    /// The address if it is known, in the form that [`crate::domain::cidr::Cidrs::admits`] takes.
    pub const fn known(self) -> Option<IpAddr> {
        match self {
            Self::Known(address) => Some(address),
            Self::Unknown => None,
        }
    }
}

impl fmt::Display for CallerAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Known(address) => address.fmt(f),
            Self::Unknown => f.write_str("unknown"),
        }
    }
}

/// The origin of a request, as the log and the audit trail name it.
#[derive(Clone, Copy, Debug)]
pub struct Origin<'r> {
    /// The caller's address.
    pub address: CallerAddress,
    /// The id of the request.
    pub request_id: &'r str,
}

/// The network that stands for an address where callers are counted: the address itself for IPv4, and its /64 for
/// IPv6, because one owner has all of that.
pub fn network(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() & !u128::from(u64::MAX))),
    }
}

/// How the caller's address is determined.
#[derive(Clone, Debug, Default)]
pub struct AddressPolicy {
    /// The peers whose header is trusted.
    pub proxies: TrustedProxies,
    /// The header that these peers write.
    pub header: ForwardedHeader,
}

impl AddressPolicy {
    /// The address of the caller behind `peer`. `header_lines` are the values of all lines of
    /// [`AddressPolicy::header`] in order. They are only read if `peer` is a trusted proxy.
    ///
    /// The result is the rightmost hop that is not a trusted proxy. If all hops are, it is the leftmost. If the
    /// header is absent, it is the peer.
    pub fn caller<'a>(
        &self,
        peer: IpAddr,
        header_lines: impl IntoIterator<Item = &'a [u8]>,
    ) -> CallerAddress {
        let peer = peer.to_canonical();
        if !self.proxies.trusts(peer) {
            return CallerAddress::Known(peer);
        }
        let Some(hops) = forwarded::hops(self.header, header_lines) else {
            return CallerAddress::Unknown;
        };
        let untrusted = hops.iter().rev().find(|hop| !self.proxies.trusts(**hop));
        CallerAddress::Known(*untrusted.or(hops.first()).unwrap_or(&peer))
    }
}

/// The networks of the trusted proxies; none by default.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TrustedProxies(Vec<Cidr>);

impl TrustedProxies {
    /// Whether no proxy is trusted.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn trusts(&self, address: IpAddr) -> bool {
        self.0.iter().any(|range| range.contains(address))
    }
}

impl FromStr for TrustedProxies {
    type Err = CidrError;

    /// Reads ranges and single addresses separated by commas, with optional spaces. `*` is not a range here: to trust
    /// every peer is to believe whatever a caller says about itself.
    fn from_str(text: &str) -> Result<Self, CidrError> {
        if text.trim().is_empty() {
            return Ok(Self::default());
        }
        text.split(',').map(|entry| entry.trim().parse()).collect()
    }
}

impl FromIterator<Cidr> for TrustedProxies {
    fn from_iter<I: IntoIterator<Item = Cidr>>(ranges: I) -> Self {
        Self(ranges.into_iter().collect())
    }
}

/// The header in which a deployment's proxies report the caller. No other header is read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ForwardedHeader {
    /// `X-Forwarded-For`: addresses separated by commas.
    #[default]
    XForwardedFor,
    /// `Forwarded`, RFC 7239.
    Forwarded,
}

impl ForwardedHeader {
    /// The header's name in lower case.
    pub const fn name(self) -> &'static str {
        match self {
            Self::XForwardedFor => "x-forwarded-for",
            Self::Forwarded => "forwarded",
        }
    }

    /// The value that a proxy writes for a request of `caller`.
    pub fn value_for(self, caller: CallerAddress) -> String {
        match (self, caller) {
            // RFC 7239 §6: an IPv6 address is in brackets, and therefore quoted.
            (Self::Forwarded, CallerAddress::Known(IpAddr::V6(address))) => format!("for=\"[{address}]\""),
            (Self::Forwarded, caller) => format!("for={caller}"),
            (Self::XForwardedFor, caller) => caller.to_string(),
        }
    }
}

impl FromStr for ForwardedHeader {
    type Err = ForwardedHeaderError;

    /// Reads the header's name. Case doesn't matter (RFC 9110 §5.1).
    fn from_str(name: &str) -> Result<Self, ForwardedHeaderError> {
        [Self::XForwardedFor, Self::Forwarded]
            .into_iter()
            .find(|header| header.name().eq_ignore_ascii_case(name))
            .ok_or_else(|| ForwardedHeaderError(name.into()))
    }
}

/// The text is not the name of a supported header.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the forwarding header is X-Forwarded-For or Forwarded, not `{0}`")]
pub struct ForwardedHeaderError(Excerpt);

/// Whether the host of a URL is this machine.
pub(crate) fn is_loopback(host: &str) -> bool {
    let address = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || address.parse().is_ok_and(|address: IpAddr| address.is_loopback())
}
