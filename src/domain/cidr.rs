//! The networks from which a key may be used, in CIDR notation.
//!
//! Every range has exactly one spelling. The two families never mix: an IPv4-mapped IPv6 address or range (RFC 4291
//! §2.5.5.2) counts as IPv4, and a shorter IPv6 prefix doesn't contain it.
//!
//! ```
//! use claviger::domain::cidr::{Cidr, Cidrs};
//!
//! let office = Cidrs::parse(["203.0.113.0/24", "2001:db8::/32"])?;
//! assert!(office.admits(Some("203.0.113.7".parse()?)));
//! assert!(!office.admits(Some("198.51.100.7".parse()?)));
//! assert!(!office.admits(None), "only a list with both wildcards admits an unknown address");
//! assert_eq!("::ffff:10.0.0.0/104".parse::<Cidr>()?.to_string(), "10.0.0.0/8");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod list;

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

use ipnet::{IpNet, Ipv4Net};

use crate::base::text::{Excerpt, serde_as_text};

pub use list::Cidrs;

/// One range of addresses in canonical form: no host bits, and mapped ranges as IPv4.
///
/// Ranges sort IPv4 first, then by address, then by prefix length.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Cidr(IpNet);

impl Cidr {
    /// `0.0.0.0/0`: every IPv4 address.
    pub const EVERY_IPV4: Self = Self(IpNet::new_assert(IpAddr::V4(Ipv4Addr::UNSPECIFIED), 0));

    /// `::/0`: every IPv6 address.
    pub const EVERY_IPV6: Self = Self(IpNet::new_assert(IpAddr::V6(Ipv6Addr::UNSPECIFIED), 0));

    /// Whether this range contains `address`. A mapped address counts as IPv4.
    pub fn contains(&self, address: IpAddr) -> bool {
        self.0.contains(&address.to_canonical())
    }

    /// Whether this range is every address of its family.
    pub fn is_wildcard(&self) -> bool {
        self.0.prefix_len() == 0
    }

    /// The first address.
    pub fn address(&self) -> IpAddr {
        self.0.addr()
    }

    /// The length of the prefix in bits.
    pub fn prefix_len(&self) -> u8 {
        self.0.prefix_len()
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

/// Why a text is not a range, or a list is not a list of ranges.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CidrError {
    /// An entry breaks a rule.
    #[error("`{entry}` is not a network range: {rule}")]
    Entry {
        /// The rejected entry.
        entry: Excerpt,
        /// The rule that it breaks.
        rule: CidrRule,
    },
    /// There are more than [`Cidrs::MAX_COUNT`] entries. `*` counts for two.
    #[error("at most {} ranges are allowed, and `*` counts for two", Cidrs::MAX_COUNT)]
    TooMany,
}

/// The rules for an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CidrRule {
    /// The address is invalid or has an unusual spelling (`10.1`, `010.0.0.1`).
    #[error("its address is neither IPv4 in dotted decimal form nor IPv6")]
    Address,
    /// The address has a zone (`fe80::1%eth0`), which is only meaningful on one machine.
    #[error("an address with a zone is not allowed")]
    Zone,
    /// The prefix length is not a plain number, or is greater than 32 (IPv4) or 128 (IPv6).
    #[error("its prefix length is not a plain number from 0 to {max}")]
    Prefix {
        /// The longest prefix of the address's family.
        max: u8,
    },
    /// The address has bits beyond its prefix.
    #[error("it has bits set beyond its prefix; the range itself is `{range}`")]
    HostBits {
        /// The range that contains the entry's address.
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

/// Accepts digits without a sign or a leading zero. `u8::from_str` would accept both.
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
