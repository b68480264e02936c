//! The caller's address: the peer's, or what trusted proxies say of it.
//!
//! A forwarding header is believed as far as the chain of trusted proxies reaches, counted from the peer
//! backwards, and not at all from anybody else. What is malformed anywhere in it makes the address
//! unknown, never another one.

mod forwarded;

use std::fmt;
use std::net::{IpAddr, Ipv6Addr};
use std::str::FromStr;

use crate::base::text::Excerpt;
use crate::domain::cidr::{Cidr, CidrError};

/// Where a request comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CallerAddress {
    /// This address; one that was IPv4-mapped is IPv4.
    Known(IpAddr),
    /// A trusted proxy forwarded it with a header that gives no usable answer.
    Unknown,
}

impl CallerAddress {
    /// The address, where it is known: what [`crate::domain::cidr::Cidrs::admits`] asks for.
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

/// Where a request comes from, and what the log and the audit trail call it.
#[derive(Clone, Copy, Debug)]
pub struct Origin<'r> {
    /// The caller's address.
    pub address: CallerAddress,
    /// The id that the request was given.
    pub request_id: &'r str,
}

/// The network that an address is taken for where somebody is counted: the /64 of an IPv6 address, whose owner
/// has all of it.
pub fn network(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() & !u128::from(u64::MAX))),
    }
}

/// How the caller's address is found.
#[derive(Clone, Debug, Default)]
pub struct AddressPolicy {
    /// The peers whose header is believed.
    pub proxies: TrustedProxies,
    /// The one header that they write.
    pub header: ForwardedHeader,
}

impl AddressPolicy {
    /// The address of the caller behind `peer`, given the values of all lines of [`AddressPolicy::header`]
    /// in their order. They are not looked at unless `peer` is a trusted proxy.
    ///
    /// It is the rightmost hop that is not a trusted proxy; the leftmost, when all are; and the peer's
    /// where the header is absent.
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

/// The networks of the proxies that are believed; none by default.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TrustedProxies(Vec<Cidr>);

impl TrustedProxies {
    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn trusts(&self, address: IpAddr) -> bool {
        self.0.iter().any(|range| range.contains(address))
    }
}

impl FromStr for TrustedProxies {
    type Err = CidrError;

    /// Reads ranges and single addresses separated by commas; spaces around them are fine. `*` is not a
    /// range here: who trusts everyone believes whatever a caller says of itself.
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

/// The header in which a deployment's proxies say for whom they speak. Only this one is read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ForwardedHeader {
    /// `X-Forwarded-For`: addresses separated by commas.
    #[default]
    XForwardedFor,
    /// `Forwarded`, RFC 7239.
    Forwarded,
}

impl ForwardedHeader {
    /// Its name in lower case.
    pub const fn name(self) -> &'static str {
        match self {
            Self::XForwardedFor => "x-forwarded-for",
            Self::Forwarded => "forwarded",
        }
    }

    /// What a proxy writes in it for a request of `caller`'s.
    pub fn value_for(self, caller: CallerAddress) -> String {
        match (self, caller) {
            // RFC 7239 §6: in brackets, and so quoted.
            (Self::Forwarded, CallerAddress::Known(IpAddr::V6(address))) => format!("for=\"[{address}]\""),
            (Self::Forwarded, caller) => format!("for={caller}"),
            (Self::XForwardedFor, caller) => caller.to_string(),
        }
    }
}

impl FromStr for ForwardedHeader {
    type Err = ForwardedHeaderError;

    /// Reads the header's name, in which case does not matter (RFC 9110 §5.1).
    fn from_str(name: &str) -> Result<Self, ForwardedHeaderError> {
        [Self::XForwardedFor, Self::Forwarded]
            .into_iter()
            .find(|header| header.name().eq_ignore_ascii_case(name))
            .ok_or_else(|| ForwardedHeaderError(name.into()))
    }
}

/// A text that is the name of neither header.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the forwarding header is X-Forwarded-For or Forwarded, not `{0}`")]
pub struct ForwardedHeaderError(Excerpt);

/// Whether the host of a URL is this machine itself.
#[cfg(feature = "_client")]
pub(crate) fn is_loopback(host: &str) -> bool {
    let address = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || address.parse().is_ok_and(|address: IpAddr| address.is_loopback())
}
