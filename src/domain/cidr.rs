//! CIDRs: the networks from which a key may be used.
//!
//! Every range has exactly one spelling, and the two families never meet: an IPv4-mapped IPv6 address or
//! range (RFC 4291 §2.5.5.2) is its IPv4 self, and a shorter IPv6 prefix does not match it.

mod list;

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

use ipnet::{IpNet, Ipv4Net};

use crate::base::text::{Excerpt, serde_as_text};

pub use list::Cidrs;

/// One range of addresses, in canonical form: no host bits, mapped ranges made IPv4.
///
/// Sorted IPv4 first, then by address, then by prefix length.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Cidr(IpNet);

impl Cidr {
    /// `0.0.0.0/0`: every IPv4 address.
    pub const EVERY_IPV4: Self = Self(IpNet::new_assert(IpAddr::V4(Ipv4Addr::UNSPECIFIED), 0));

    /// `::/0`: every IPv6 address.
    pub const EVERY_IPV6: Self = Self(IpNet::new_assert(IpAddr::V6(Ipv6Addr::UNSPECIFIED), 0));

    /// Whether `address` lies in this range. A mapped address counts as its IPv4 self.
    pub fn contains(&self, address: IpAddr) -> bool {
        self.0.contains(&address.to_canonical())
    }

    /// Whether this is every address of its family.
    pub fn is_wildcard(&self) -> bool {
        self.0.prefix_len() == 0
    }

    /// Its first address.
    pub fn address(&self) -> IpAddr {
        self.0.addr()
    }

    /// How many leading bits its addresses share.
    pub fn prefix_len(&self) -> u8 {
        self.0.prefix_len()
    }

    /// Its last address.
    pub(crate) fn last_address(&self) -> IpAddr {
        self.0.broadcast()
    }
}

impl FromStr for Cidr {
    type Err = CidrError;

    fn from_str(entry: &str) -> Result<Self, CidrError> {
        parse(entry).map_err(|rule| CidrError::Entry { entry: entry.into(), rule })
    }
}

impl fmt::Display for Cidr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for Cidr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Why a text, or a list of them, is not one of ranges.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CidrError {
    /// One entry breaks a rule.
    #[error("`{entry}` is not a network range: {rule}")]
    Entry {
        /// The entry as it was given.
        entry: Excerpt,
        /// The rule.
        rule: CidrRule,
    },
    /// More than [`Cidrs::MAX_COUNT`] entries, where `*` counts for two.
    #[error("at most {} ranges are allowed, and `*` counts for two", Cidrs::MAX_COUNT)]
    TooMany,
}

/// A rule that an entry breaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CidrRule {
    /// The address is not one, or is spelled oddly (`10.1`, `010.0.0.1`).
    #[error("its address is neither IPv4 in dotted decimal form nor IPv6")]
    Address,
    /// The address has a zone (`fe80::1%eth0`), which means something on one machine only.
    #[error("an address with a zone is not allowed")]
    Zone,
    /// The prefix length is not a plain number of at most 32 or 128.
    #[error("its prefix length is not a plain number from 0 to {max}")]
    Prefix {
        /// The longest prefix in the address's family.
        max: u8,
    },
    /// The address has bits beyond its prefix.
    #[error("it has bits set beyond its prefix; the range itself is `{range}`")]
    HostBits {
        /// The range that the entry's address lies in.
        range: Cidr,
    },
}

fn parse(entry: &str) -> Result<Cidr, CidrRule> {
    let (address, prefix) = match entry.split_once('/') {
        Some((address, prefix)) => (address, Some(prefix)),
        None => (entry, None),
    };
    let address = parse_address(address)?;
    let max = if address.is_ipv4() { 32 } else { 128 };
    let prefix = match prefix {
        Some(digits) => parse_prefix(digits).ok_or(CidrRule::Prefix { max })?,
        None => max,
    };
    let net = IpNet::new(address, prefix).map_err(|_| CidrRule::Prefix { max })?;
    let range = Cidr(unmapped(net.trunc()));
    if net.addr() == net.network() { Ok(range) } else { Err(CidrRule::HostBits { range }) }
}

fn parse_address(text: &str) -> Result<IpAddr, CidrRule> {
    text.parse().map_err(|_| if text.contains('%') { CidrRule::Zone } else { CidrRule::Address })
}

/// Digits without sign or leading zero, which `u8::from_str` would let pass.
fn parse_prefix(digits: &str) -> Option<u8> {
    let plain =
        digits.bytes().all(|byte| byte.is_ascii_digit()) && (digits == "0" || !digits.starts_with('0'));
    if plain { digits.parse().ok() } else { None }
}

/// `::ffff:a.b.c.d/n` with n ≥ 96 is the IPv4 range `a.b.c.d/(n-96)`.
fn unmapped(net: IpNet) -> IpNet {
    if let IpNet::V6(mapped) = net
        && let Some(address) = mapped.addr().to_ipv4_mapped()
        && let Some(prefix) = mapped.prefix_len().checked_sub(96)
        && let Ok(net) = Ipv4Net::new(address, prefix)
    {
        return net.into();
    }
    net
}

serde_as_text!(Cidr);
