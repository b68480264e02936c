//! The caller's address: the vectors, and what no header can change.

use std::net::IpAddr;

use claviger::domain::address::{AddressPolicy, CallerAddress, ForwardedHeader, TrustedProxies};
use claviger::domain::cidr::Cidr;
use proptest::prelude::*;
use serde::Deserialize;

use crate::vectors::Vectors;

fn policy(proxies: &str, header: ForwardedHeader) -> AddressPolicy {
    AddressPolicy { proxies: proxies.parse().unwrap(), header }
}

fn caller(policy: &AddressPolicy, peer: IpAddr, lines: &[impl AsRef<[u8]>]) -> CallerAddress {
    policy.caller(peer, lines.iter().map(AsRef::as_ref))
}

#[test]
fn every_vector_of_addresses_holds() {
    let mut vectors = Vectors::read(include_str!("../vectors/addresses.json"));
    vectors.take("trusted_proxies").iter().for_each(trusted_proxies);
    vectors.take("callers").iter().for_each(callers);
    vectors.end();
}

#[derive(Deserialize)]
struct Proxies {
    text: String,
    proxies: Option<Vec<Cidr>>,
}

fn trusted_proxies(row: &Proxies) {
    let expected = row.proxies.clone().map(TrustedProxies::from_iter);
    assert_eq!(row.text.parse().ok(), expected, "{:?}", row.text);
}

#[derive(Debug, Deserialize)]
struct Caller {
    header: String,
    peer: IpAddr,
    proxies: String,
    lines: Vec<String>,
    address: Option<IpAddr>,
}

fn callers(row: &Caller) {
    let policy = policy(&row.proxies, row.header.parse().unwrap());
    assert_eq!(caller(&policy, row.peer, &row.lines).known(), row.address, "{row:?}");
}

const PROXY: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(10, 0, 0, 1));

fn is_proxy(address: IpAddr) -> bool {
    matches!(address.to_canonical(), IpAddr::V4(address) if address.octets()[0] == 10)
}

fn headers() -> impl Strategy<Value = ForwardedHeader> {
    prop::sample::select(vec![ForwardedHeader::XForwardedFor, ForwardedHeader::Forwarded])
}

/// An address as an element of `header`.
fn element(header: ForwardedHeader, address: IpAddr) -> String {
    match (header, address) {
        (ForwardedHeader::XForwardedFor, _) => address.to_string(),
        (ForwardedHeader::Forwarded, IpAddr::V4(_)) => format!("for={address}"),
        (ForwardedHeader::Forwarded, IpAddr::V6(_)) => format!("for=\"[{address}]\""),
    }
}

#[test]
fn a_giant_header_is_unknown() {
    for (header, element) in
        [(ForwardedHeader::XForwardedFor, "192.0.2.1"), (ForwardedHeader::Forwarded, "for=192.0.2.1")]
    {
        let policy = policy("10.0.0.0/8", header);
        let long = |count: usize| vec![element; count].join(",");
        assert_eq!(caller(&policy, PROXY, &[long(500)]).known(), Some(IpAddr::from([192, 0, 2, 1])));
        assert_eq!(caller(&policy, PROXY, &[long(1_000_000)]), CallerAddress::Unknown);
        assert_eq!(caller(&policy, PROXY, &vec![element; 100_000]), CallerAddress::Unknown);
    }
}

#[test]
fn an_element_has_few_parameters() {
    let policy = policy("10.0.0.0/8", ForwardedHeader::Forwarded);
    let with = |count: usize| {
        let pairs: String = (1..count).map(|n| format!(";p{n}=x")).collect();
        caller(&policy, PROXY, &[format!("for=192.0.2.1{pairs}")])
    };
    assert_eq!(with(16).known(), Some(IpAddr::from([192, 0, 2, 1])));
    assert_eq!(with(17), CallerAddress::Unknown);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn nobody_but_a_trusted_proxy_is_listened_to(
        peer in any::<IpAddr>(),
        header in headers(),
        lines in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..40), 0..4),
    ) {
        let nobody = AddressPolicy { header, ..AddressPolicy::default() };
        prop_assert_eq!(caller(&nobody, peer, &lines), CallerAddress::Known(peer.to_canonical()));
    }

    #[test]
    fn a_caller_cannot_choose_its_address(
        header in headers(),
        invented in prop::collection::vec(any::<IpAddr>(), 0..4),
        real in any::<IpAddr>().prop_filter("a proxy", |real| !is_proxy(*real)),
        trusted in prop::collection::vec(any::<[u8; 3]>(), 0..3),
        one_line in any::<bool>(),
    ) {
        let policy = policy("10.0.0.0/8", header);
        let proxies = trusted.iter().map(|[a, b, c]| IpAddr::from([10, *a, *b, *c]));
        let hops = invented.into_iter().chain([real]).chain(proxies);
        let elements: Vec<String> = hops.map(|hop| element(header, hop)).collect();
        let lines = if one_line { vec![elements.join(", ")] } else { elements };
        prop_assert_eq!(caller(&policy, PROXY, &lines), CallerAddress::Known(real.to_canonical()));
    }

    #[test]
    fn whatever_a_caller_sends_it_gets_its_own_address_or_none(
        header in headers(),
        sent in prop_oneof![
            prop::collection::vec(any::<u8>(), 0..60),
            "[for=\\[\\]\",;: 0-9a._]{0,60}".prop_map(String::into_bytes),
        ],
        same_line in any::<bool>(),
    ) {
        let policy = policy("10.0.0.0/8", header);
        let real = IpAddr::from([192, 0, 2, 1]);
        let appended = element(header, real).into_bytes();
        let lines = if same_line { vec![[sent, appended].join(&b", "[..])] } else { vec![sent, appended] };
        let known = caller(&policy, PROXY, &lines).known();
        prop_assert!(known.is_none() || known == Some(real), "{:?}", known);
    }
}

#[test]
fn what_a_proxy_writes_is_what_is_read() {
    for header in [ForwardedHeader::XForwardedFor, ForwardedHeader::Forwarded] {
        let policy = AddressPolicy { proxies: "10.0.0.1".parse().unwrap(), header };
        for caller in [
            CallerAddress::Known("192.0.2.7".parse().unwrap()),
            CallerAddress::Known("2001:db8::7".parse().unwrap()),
            CallerAddress::Unknown,
        ] {
            let line = header.value_for(caller);
            assert_eq!(policy.caller("10.0.0.1".parse().unwrap(), [line.as_bytes()]), caller, "{line}");
        }
    }
}
