//! Lists of ranges: the networks from which a key is accepted.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr};

use ipnet::IpNet;
use serde::de::{Error, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{Cidr, CidrError};

/// A sorted list of ranges without duplicates. It is never empty: an empty input means everyone. A list with
/// ranges of one family only refuses the other family.
///
/// The text form joins the ranges by single spaces. The JSON form is an array of strings.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Cidrs(Box<[Cidr]>);

impl Cidrs {
    /// The most ranges in a list.
    pub const MAX_COUNT: usize = 32;

    /// `0.0.0.0/0` and `::/0`: every address, and callers whose address is unknown.
    pub fn everyone() -> Self {
        Self(Box::new([Cidr::EVERY_IPV4, Cidr::EVERY_IPV6]))
    }

    /// Reads ranges, single addresses and `*`, which stands for both wildcards. Without any entry, the result is
    /// [`Cidrs::everyone`].
    ///
    /// # Errors
    /// [`CidrError`], which names the first invalid entry.
    pub fn parse<'a>(entries: impl IntoIterator<Item = &'a str>) -> Result<Self, CidrError> {
        let mut collector = Collector::default();
        for entry in entries {
            collector.push(entry)?;
        }
        Ok(collector.finish())
    }

    /// Reads the output of `Display`.
    ///
    /// # Errors
    /// [`CidrError`]. An empty text is an error too; `Display` never writes one.
    pub fn from_text(text: &str) -> Result<Self, CidrError> {
        Self::parse(text.split(' '))
    }

    /// The ranges in order.
    pub fn iter(&self) -> std::slice::Iter<'_, Cidr> {
        self.0.iter()
    }

    /// Whether a caller at `address` may pass. An unknown address (`None`) passes only if both wildcards are in
    /// the list.
    pub fn admits(&self, address: Option<IpAddr>) -> bool {
        match address {
            Some(address) => self.iter().any(|range| range.contains(address)),
            None => self.is_everyone(),
        }
    }

    /// Whether both wildcards are in the list.
    pub fn is_everyone(&self) -> bool {
        [Cidr::EVERY_IPV4, Cidr::EVERY_IPV6].iter().all(|wildcard| self.0.contains(wildcard))
    }

    /// Whether at least one wildcard is in the list.
    pub fn has_wildcard(&self) -> bool {
        self.iter().any(Cidr::is_wildcard)
    }

    /// Whether this list admits every caller that `other` admits. Several ranges of this list may together cover
    /// one of `other`. Callers without a known address count too.
    pub fn covers(&self, other: &Self) -> bool {
        let unknown = self.is_everyone() || !other.is_everyone();
        let own = self.aggregated();
        unknown && other.iter().all(|range| own.iter().any(|net| net.contains(&range.0)))
    }

    /// The same addresses in the fewest ranges. IPv6 ranges never admit mapped addresses, so none of those can be
    /// missing, and they count as admitted.
    fn aggregated(&self) -> Vec<IpNet> {
        IpNet::aggregate(&self.iter().map(|range| range.0).chain([MAPPED]).collect())
    }
}

impl Default for Cidrs {
    /// A missing list means everyone.
    fn default() -> Self {
        Self::everyone()
    }
}

impl fmt::Display for Cidrs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, range) in self.iter().enumerate() {
            if index > 0 {
                f.write_str(" ")?;
            }
            range.fmt(f)?;
        }
        Ok(())
    }
}

impl<'a> IntoIterator for &'a Cidrs {
    type Item = &'a Cidr;
    type IntoIter = std::slice::Iter<'a, Cidr>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl Serialize for Cidrs {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self)
    }
}

impl<'de> Deserialize<'de> for Cidrs {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_seq(CidrsVisitor)
    }
}

struct CidrsVisitor;

impl<'de> Visitor<'de> for CidrsVisitor {
    type Value = Cidrs;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array of address ranges")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut array: A) -> Result<Cidrs, A::Error> {
        let mut collector = Collector::default();
        while let Some(entry) = array.next_element::<String>()? {
            collector.push(&entry).map_err(A::Error::custom)?;
        }
        Ok(collector.finish())
    }
}

/// Collects entries, and stops when there are too many.
#[derive(Default)]
struct Collector(Vec<Cidr>);

impl Collector {
    fn push(&mut self, entry: &str) -> Result<(), CidrError> {
        match entry {
            "*" => self.0.extend([Cidr::EVERY_IPV4, Cidr::EVERY_IPV6]),
            _ => self.0.push(entry.parse()?),
        }
        if self.0.len() > Cidrs::MAX_COUNT { Err(CidrError::TooMany) } else { Ok(()) }
    }

    fn finish(mut self) -> Cidrs {
        if self.0.is_empty() {
            return Cidrs::everyone();
        }
        self.0.sort_unstable();
        self.0.dedup();
        Cidrs(self.0.into())
    }
}

/// IPv4-mapped addresses (RFC 4291 §2.5.5.2).
const MAPPED: IpNet = IpNet::new_assert(IpAddr::V6(Ipv4Addr::UNSPECIFIED.to_ipv6_mapped()), 96);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mapped_range_is_where_rfc_4291_puts_it() {
        assert_eq!(MAPPED, "::ffff:0:0/96".parse().unwrap());
    }
}
