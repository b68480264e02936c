//! Ranges of addresses: the vectors, and what holds for every list.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use claviger::domain::cidr::{Cidr, Cidrs};
use proptest::prelude::*;
use serde::Deserialize;

use crate::vectors::Vectors;

fn cidrs(entries: &[String]) -> Cidrs {
    read(entries).unwrap_or_else(|| panic!("{entries:?}"))
}

fn read(entries: &[String]) -> Option<Cidrs> {
    Cidrs::parse(entries.iter().map(String::as_str)).ok()
}

fn texts(cidrs: &Cidrs) -> Vec<String> {
    cidrs.iter().map(Cidr::to_string).collect()
}

#[test]
fn every_vector_of_ranges_holds() {
    let mut vectors = Vectors::read(include_str!("../vectors/cidrs.json"));
    vectors.take("accepted").iter().for_each(accepted);
    vectors.take("refused").iter().for_each(refused);
    vectors.take("lists").iter().for_each(list);
    vectors.take("admits").iter().for_each(admits);
    vectors.take("covers").iter().for_each(covers);
    vectors.end();
}

#[derive(Deserialize)]
struct Accepted {
    entry: String,
    canonical: String,
}

fn accepted(row: &Accepted) {
    let range = row.entry.parse::<Cidr>();
    assert_eq!(range.as_ref().map(Cidr::to_string), Ok(row.canonical.clone()), "{}", row.entry);
    assert_eq!(row.canonical.parse(), range);
}

#[derive(Deserialize)]
struct Refused {
    entry: String,
    why: String,
}

fn refused(row: &Refused) {
    assert!(row.entry.parse::<Cidr>().is_err(), "{:?}: {}", row.entry, row.why);
    assert_eq!(read(std::slice::from_ref(&row.entry)), None, "{:?}: {}", row.entry, row.why);
}

#[derive(Deserialize)]
struct List {
    entries: Vec<String>,
    canonical: Option<Vec<String>>,
}

fn list(row: &List) {
    let read = read(&row.entries);
    assert_eq!(read.as_ref().map(texts), row.canonical, "{:?}", row.entries);
    let json = serde_json::to_string(&row.entries).unwrap();
    assert_eq!(serde_json::from_str(&json).ok(), read, "{json}");
}

#[derive(Deserialize)]
struct Admits {
    cidrs: Vec<String>,
    address: Option<IpAddr>,
    admits: bool,
}

fn admits(row: &Admits) {
    assert_eq!(cidrs(&row.cidrs).admits(row.address), row.admits, "{:?} {:?}", row.cidrs, row.address);
}

#[derive(Deserialize)]
struct Covers {
    a: Vec<String>,
    b: Vec<String>,
    covers: bool,
}

fn covers(row: &Covers) {
    assert_eq!(cidrs(&row.a).covers(&cidrs(&row.b)), row.covers, "{:?} covers {:?}", row.a, row.b);
}

#[test]
fn a_missing_list_is_everyone_and_nothing_else_passes_for_one() {
    assert_eq!(Cidrs::default(), Cidrs::everyone());
    assert_eq!(serde_json::from_str::<Cidrs>("[]").unwrap(), Cidrs::everyone());
    for refused in ["null", "{}", r#""10.0.0.0/8""#, "[null]", "[10]", r#"[["10.0.0.0/8"]]"#] {
        assert!(serde_json::from_str::<Cidrs>(refused).is_err(), "{refused}");
    }
    for refused in ["", " ", "10.0.0.0/8 ", " 10.0.0.0/8", "10.0.0.0/8  ::/0", "10.0.0.0/8,::/0"] {
        assert!(Cidrs::from_text(refused).is_err(), "{refused:?}");
    }
}

#[test]
fn errors_name_the_entry_and_the_rule() {
    let message = |entry: &str| entry.parse::<Cidr>().unwrap_err().to_string();
    for (entry, rule) in [
        ("10.1", "its address is neither IPv4 in dotted decimal form nor IPv6"),
        ("fe80::1%eth0", "an address with a zone is not allowed"),
        ("10.0.0.0/+8", "its prefix length is not a plain number from 0 to 32"),
        ("::/129", "its prefix length is not a plain number from 0 to 128"),
        ("10.0.0.1/8", "it has bits set beyond its prefix; the range itself is `10.0.0.0/8`"),
        ("::ffff:10.0.0.1/104", "it has bits set beyond its prefix; the range itself is `10.0.0.0/8`"),
    ] {
        assert_eq!(message(entry), format!("`{entry}` is not a network range: {rule}"));
    }
    let many = Cidrs::parse(["::1"; 33]).unwrap_err();
    assert_eq!(many.to_string(), "at most 32 ranges are allowed, and `*` counts for two");
}

#[test]
fn wildcards_are_seen_one_by_one() {
    let seen = |entries: &[&str]| {
        let cidrs = Cidrs::parse(entries.iter().copied()).unwrap();
        (cidrs.has_wildcard(), cidrs.is_everyone())
    };
    assert_eq!(seen(&[]), (true, true));
    assert_eq!(seen(&["10.0.0.0/8", "*"]), (true, true));
    assert_eq!(seen(&["0.0.0.0/0"]), (true, false));
    assert_eq!(seen(&["::/0", "10.0.0.0/8"]), (true, false));
    assert_eq!(seen(&["::ffff:0:0/96"]), (true, false));
    assert_eq!(seen(&["0.0.0.0/1", "128.0.0.0/1"]), (false, false));
}

/// Sixteen neighbouring blocks of addresses. Ranges made of whole blocks are compared block by block.
struct Window {
    base: u128,
    /// A block has 2 to this many addresses.
    block_bits: u8,
    family_bits: u8,
}

/// Single addresses of either family, and the blocks of 2³² that end with the mapped one.
const WINDOWS: [Window; 3] = [
    Window { base: 0x0a00_0000, block_bits: 0, family_bits: 32 },
    Window { base: 0x2001_0db8 << 96, block_bits: 0, family_bits: 128 },
    Window { base: 0xfff0_0000_0000, block_bits: 32, family_bits: 128 },
];

impl Window {
    fn address(&self, block: u128) -> IpAddr {
        let address = self.base + (block << self.block_bits);
        match self.family_bits {
            32 => Ipv4Addr::from(address as u32).into(),
            _ => Ipv6Addr::from(address).into(),
        }
    }
}

/// 1, 2, 4, 8 or all 16 blocks of a window.
fn range() -> impl Strategy<Value = String> {
    (0..WINDOWS.len(), 0_u128..16, 0_u8..=4).prop_map(|(window, block, free_bits)| {
        let window = &WINDOWS[window];
        let prefix = window.family_bits - window.block_bits - free_bits;
        format!("{}/{prefix}", window.address(block >> free_bits << free_bits))
    })
}

fn ranges() -> impl Strategy<Value = Cidrs> {
    prop::collection::vec(range(), 1..10).prop_map(|ranges| Cidrs::from_text(&ranges.join(" ")).unwrap())
}

/// The first address of each block, and one outside of the IPv4 window, where only `0.0.0.0/0` reaches.
fn probes() -> impl Iterator<Item = IpAddr> {
    let blocks = WINDOWS.iter().flat_map(|window| (0..16).map(|block| window.address(block)));
    blocks.chain([IpAddr::from([11, 0, 0, 0])])
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn covers_says_exactly_what_the_admitted_addresses_say(a in ranges(), b in ranges()) {
        let subset = probes().all(|address| a.admits(Some(address)) || !b.admits(Some(address)));
        prop_assert_eq!(a.covers(&b), subset, "{} covers {}", a, b);
        prop_assert!(a.covers(&a) && Cidrs::everyone().covers(&a) && !a.covers(&Cidrs::everyone()));
    }

    #[test]
    fn lists_are_sorted_without_duplicates_and_come_back_from_text_and_json(list in ranges()) {
        let ranges: Vec<&Cidr> = list.iter().collect();
        prop_assert!(ranges.is_sorted_by(|a, b| a < b));
        prop_assert_eq!(&Cidrs::from_text(&list.to_string()).unwrap(), &list);
        let json = serde_json::to_string(&list).unwrap();
        prop_assert_eq!(&serde_json::from_str::<Cidrs>(&json).unwrap(), &list);
    }

    #[test]
    fn a_mapped_address_is_its_ipv4_self(list in ranges(), address in any::<u32>()) {
        let address = Ipv4Addr::from(address);
        let mapped = IpAddr::V6(address.to_ipv6_mapped());
        prop_assert_eq!(list.admits(Some(address.into())), list.admits(Some(mapped)));
        prop_assert!(!list.admits(None));
    }

    #[test]
    fn no_text_at_all_makes_the_parser_panic(text in any::<String>(), near in "[0-9a-f.:/%*]{0,24}") {
        for text in [&text, &near] {
            if let Ok(range) = text.parse::<Cidr>() {
                prop_assert_eq!(range.to_string().parse::<Cidr>().unwrap(), range);
            }
        }
    }
}
