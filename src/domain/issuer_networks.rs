//! The networks in which the server may look for issuers.
//!
//! Whoever may name a URL for the server to fetch could otherwise make it ask machines that only the server reaches
//! (server-side request forgery). Therefore the server connects to public addresses only, unless the operator allows
//! more.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

use crate::domain::cidr::{Cidr, CidrError};

/// The networks beyond the public ones. None by default.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct IssuerNetworks(Vec<Cidr>);

impl IssuerNetworks {
    /// Whether the server may connect to `address` for a URL that an organization named. An address that carries an
    /// IPv4 address through NAT64 needs that one to be admitted too.
    pub fn admit(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        let carried = match address {
            IpAddr::V6(address) => translated(address),
            IpAddr::V4(_) => None,
        };
        let is_allowed = is_public(address) || self.0.iter().any(|range| range.contains(address));
        is_allowed && carried.is_none_or(|carried| self.admit(carried.into()))
    }
}

impl FromStr for IssuerNetworks {
    type Err = CidrError;

    /// Reads ranges and single addresses separated by commas, with optional spaces.
    fn from_str(text: &str) -> Result<Self, CidrError> {
        if text.trim().is_empty() {
            return Ok(Self::default());
        }
        text.split(',').map(|entry| entry.trim().parse()).collect::<Result<_, _>>().map(Self)
    }
}

/// The IPv4 address in an address of NAT64's well-known prefix `64:ff9b::/96` (RFC 6052 §2.1).
fn translated(address: Ipv6Addr) -> Option<Ipv4Addr> {
    match address.segments() {
        [0x64, 0xff9b, 0, 0, 0, 0, high, low] => {
            Some(Ipv4Addr::from_bits(u32::from(high) << 16 | u32::from(low)))
        }
        _ => None,
    }
}

/// Whether an address is in no special-purpose range of IANA (RFC 6890 and its registries) and no multicast range.
/// Ranges that the registry calls globally reachable are refused too: no issuer is there.
fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => {
            !SPECIAL_V4.into_iter().any(|(range, length)| within_v4(address, range, length))
        }
        // RFC 4291 §2.4, RFC 3587: nothing but this is assigned to anybody.
        IpAddr::V6(address) => {
            within_v6(address, [0x2000, 0, 0], 3)
                && !SPECIAL_V6.into_iter().any(|(range, length)| within_v6(address, range, length))
        }
    }
}

const SPECIAL_V4: [([u8; 4], u32); 17] = [
    ([0, 0, 0, 0], 8),
    ([10, 0, 0, 0], 8),
    ([100, 64, 0, 0], 10),
    ([127, 0, 0, 0], 8),
    ([169, 254, 0, 0], 16),
    ([172, 16, 0, 0], 12),
    ([192, 0, 0, 0], 24),
    ([192, 0, 2, 0], 24),
    ([192, 31, 196, 0], 24),
    ([192, 52, 193, 0], 24),
    ([192, 88, 99, 0], 24),
    ([192, 168, 0, 0], 16),
    ([192, 175, 48, 0], 24),
    ([198, 18, 0, 0], 15),
    ([198, 51, 100, 0], 24),
    ([203, 0, 113, 0], 24),
    // Multicast, then reserved and broadcast.
    ([224, 0, 0, 0], 3),
];

/// Those within `2000::/3`, by their first three groups. The first has Teredo, ORCHID, benchmarking and more in it; the
/// third is 6to4.
const SPECIAL_V6: [([u16; 3], u32); 5] = [
    ([0x2001, 0, 0], 23),
    ([0x2001, 0x0db8, 0], 32),
    ([0x2002, 0, 0], 16),
    ([0x2620, 0x004f, 0x8000], 48),
    ([0x3fff, 0, 0], 20),
];

fn within_v4(address: Ipv4Addr, range: [u8; 4], length: u32) -> bool {
    (address.to_bits() ^ u32::from_be_bytes(range)) >> (32 - length) == 0
}

fn within_v6(address: Ipv6Addr, [first, second, third]: [u16; 3], length: u32) -> bool {
    let range = Ipv6Addr::new(first, second, third, 0, 0, 0, 0, 0);
    (address.to_bits() ^ range.to_bits()) >> (128 - length) == 0
}

#[cfg(test)]
mod tests {
    use ipnet::IpNet;

    use super::*;

    /// IANA's registries of special-purpose IPv4 and IPv6 addresses, and the ranges of multicast.
    const REGISTRIES: &str = "
        0.0.0.0/8 0.0.0.0/32 10.0.0.0/8 100.64.0.0/10 127.0.0.0/8 169.254.0.0/16 172.16.0.0/12 192.0.0.0/24
        192.0.0.0/29 192.0.0.8/32 192.0.0.9/32 192.0.0.10/32 192.0.0.170/32 192.0.0.171/32 192.0.2.0/24
        192.31.196.0/24 192.52.193.0/24 192.88.99.0/24 192.88.99.2/32 192.168.0.0/16 192.175.48.0/24 198.18.0.0/15
        198.51.100.0/24 203.0.113.0/24 240.0.0.0/4 255.255.255.255/32 224.0.0.0/4
        ::1/128 ::/128 ::ffff:0:0/96 64:ff9b::/96 64:ff9b:1::/48 100::/64 100:0:0:1::/64 2001::/23 2001::/32
        2001:1::1/128 2001:1::2/128 2001:1::3/128 2001:2::/48 2001:3::/32 2001:4:112::/48 2001:10::/28 2001:20::/28
        2001:30::/28 2001:db8::/32 2002::/16 2620:4f:8000::/48 3fff::/20 5f00::/16 fc00::/7 fe80::/10
        fec0::/10 ff00::/8";

    /// The first and the last address of a range, and one in its middle.
    fn samples(range: &IpNet) -> [IpAddr; 3] {
        let (first, last) = (range.network(), range.broadcast());
        let middle = match (first, last) {
            (IpAddr::V4(first), IpAddr::V4(last)) => {
                IpAddr::from(Ipv4Addr::from_bits(first.to_bits() + (last.to_bits() - first.to_bits()) / 2))
            }
            (IpAddr::V6(first), IpAddr::V6(last)) => {
                IpAddr::from(Ipv6Addr::from_bits(first.to_bits() + (last.to_bits() - first.to_bits()) / 2))
            }
            _ => unreachable!("a range has one family"),
        };
        [first, middle, last]
    }

    /// Mapped addresses are those of IPv4, public ones too.
    #[test]
    fn no_special_purpose_address_is_admitted() {
        for range in REGISTRIES.split_whitespace().filter(|range| !range.starts_with("::ffff")) {
            let range: IpNet = range.parse().unwrap();
            for address in samples(&range) {
                assert!(!IssuerNetworks::default().admit(address), "{address} in {range}");
                if let IpAddr::V4(address) = address {
                    assert!(!IssuerNetworks::default().admit(address.to_ipv6_mapped().into()), "{address}");
                }
            }
        }
    }

    #[test]
    fn their_public_neighbours_are_admitted() {
        for address in [
            "1.1.1.1",
            "9.255.255.255",
            "11.0.0.0",
            "100.63.255.255",
            "100.128.0.0",
            "126.255.255.255",
            "128.0.0.0",
            "169.253.255.255",
            "172.15.255.255",
            "172.32.0.0",
            "192.0.1.0",
            "192.0.3.0",
            "192.167.255.255",
            "198.17.255.255",
            "198.20.0.0",
            "203.0.114.0",
            "223.255.255.255",
            "::ffff:1.1.1.1",
            "2001:200::",
            "2001:db7:ffff::",
            "2001:db9::",
            "2003::1",
            "2606:4700::1111",
            "3ffe::1",
            "3fff:1000::",
        ] {
            assert!(IssuerNetworks::default().admit(address.parse().unwrap()), "{address}");
        }
        for address in ["1fff::1", "4000::1", "::1.1.1.1", "2001:1ff:ffff::"] {
            assert!(!IssuerNetworks::default().admit(address.parse().unwrap()), "{address}");
        }
    }

    #[test]
    fn an_operator_allows_more() {
        let allowed: IssuerNetworks = "10.1.0.0/16, fd00::/8".parse().unwrap();
        for (address, is_admitted) in [
            ("10.1.2.3", true),
            ("::ffff:10.1.2.3", true),
            ("10.2.0.1", false),
            ("fd12::1", true),
            ("fc00::1", false),
            ("127.0.0.1", false),
            ("8.8.8.8", true),
        ] {
            assert_eq!(allowed.admit(address.parse().unwrap()), is_admitted, "{address}");
        }
        assert!("10.1.0.0/8".parse::<IssuerNetworks>().is_err());
    }

    #[test]
    fn an_address_behind_nat64_is_judged_too() {
        let translating: IssuerNetworks = "64:ff9b::/96".parse().unwrap();
        assert!(translating.admit("64:ff9b::8.8.8.8".parse().unwrap()));
        assert!(!translating.admit("64:ff9b::127.0.0.1".parse().unwrap()));
        assert!(!translating.admit("64:ff9b::a9fe:a9fe".parse().unwrap()));
    }
}
