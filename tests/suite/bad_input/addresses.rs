//! Forwarding headers: believed of trusted proxies alone, and never when they are malformed.

use claviger::domain::address::{AddressPolicy, ForwardedHeader};
use serde_json::{Value, json};

use super::{NO_CLIENT, Verdict, assert_api, assert_oauth, exchange, request};
use crate::support::{Backend, Options, Server, on_both};

on_both!(
    nobody_is_believed_by_default,
    a_trusted_proxy_says_who_calls,
    a_trusted_proxy_may_say_it_in_forwarded,
    an_unknown_address_passes_only_where_all_do,
);

const NOT_FROM_HERE: Verdict = (403, "address_not_allowed");

async fn behind_proxies(backend: Backend, header: ForwardedHeader) -> Server {
    let proxies = "127.0.0.1, 10.0.0.0/8, 2001:db8:ffff::/48".parse().expect("ranges");
    let addresses = AddressPolicy { proxies, header };
    Server::start_with(backend, Options { addresses, ..Options::default() }).await
}

/// The caller's address, as the server sees it on a request with these header fields.
async fn seen(server: &Server, fields: &str) -> Value {
    let fields = format!("X-Api-Key: {}\r\n{fields}", server.admin_key);
    let answer = exchange(server, request("GET", "/v1/self", &fields, "")).await;
    assert_eq!(answer.status, 200, "{fields:?}: {}", answer.text);
    answer.json()["address"].clone()
}

async fn nobody_is_believed_by_default(backend: Backend) {
    let server = Server::start(backend).await;
    let (_, bound) = server.key_from(json!({ "preset": "query_only", "cidrs": ["192.0.2.1"] })).await;
    for name in [
        "X-Forwarded-For",
        "X-Real-IP",
        "X-Client-IP",
        "Client-IP",
        "True-Client-IP",
        "CF-Connecting-IP",
        "X-Cluster-Client-IP",
        "X-Original-Forwarded-For",
        "Via",
    ] {
        assert_eq!(seen(&server, &format!("{name}: 192.0.2.1\r\n")).await, "127.0.0.1", "{name}");
    }
    assert_eq!(seen(&server, "Forwarded: for=192.0.2.1\r\n").await, "127.0.0.1");
    assert_eq!(seen(&server, "X-Forwarded-For: garbage\r\n").await, "127.0.0.1");
    let spoofed = server.client().with("x-forwarded-for", "192.0.2.1").with("forwarded", "for=192.0.2.1");
    assert_oauth("a spoofed address", &spoofed.token(&bound, "").await, NO_CLIENT);
    assert_api("a spoofed address", &spoofed.bearer(&bound).get("/v1/self").await, NOT_FROM_HERE);
}

async fn a_trusted_proxy_says_who_calls(backend: Backend) {
    let server = behind_proxies(backend, ForwardedHeader::XForwardedFor).await;
    for (lines, address) in [
        (&[][..], Some("127.0.0.1")),
        (&["192.0.2.1"][..], Some("192.0.2.1")),
        (&["192.0.2.1:4711"][..], Some("192.0.2.1")),
        (&["2001:db8::1"][..], Some("2001:db8::1")),
        (&["[2001:db8::1]:4711"][..], Some("2001:db8::1")),
        (&["::ffff:192.0.2.1"][..], Some("192.0.2.1")),
        (&["198.51.100.9, 192.0.2.1"][..], Some("192.0.2.1")),
        (&["198.51.100.9", "192.0.2.1"][..], Some("192.0.2.1")),
        (&["198.51.100.9", "192.0.2.1, 10.9.9.9", "2001:db8:ffff::1"][..], Some("192.0.2.1")),
        (&["10.1.1.1, 10.2.2.2"][..], Some("10.1.1.1")),
        (&["192.0.2.1", "garbage"], None),
        (&["garbage, 192.0.2.1"], None),
        (&["unknown"], None),
        (&["_hidden"], None),
        (&[""], None),
        (&["192.0.2.1,"], None),
        (&["192.0.2.1", ""], None),
        (&["192.0.2.1 192.0.2.2"], None),
        (&["192.0.2.01"], None),
        (&["192.0.2.1:port"], None),
        (&["fe80::1%eth0"], None),
        (&["for=192.0.2.1"], None),
        (&["192.0.2.1é"], None),
    ] {
        let fields: String = lines.iter().map(|line| format!("X-Forwarded-For: {line}\r\n")).collect();
        assert_eq!(seen(&server, &fields).await.as_str(), address, "{lines:?}");
    }
    let other = "Forwarded: for=192.0.2.9\r\nX-Real-IP: 192.0.2.9\r\n";
    assert_eq!(seen(&server, other).await, "127.0.0.1", "only the one header is read");
}

async fn a_trusted_proxy_may_say_it_in_forwarded(backend: Backend) {
    let server = behind_proxies(backend, ForwardedHeader::Forwarded).await;
    for (lines, address) in [
        (&["for=192.0.2.1"][..], Some("192.0.2.1")),
        (&["For=\"[2001:db8::1]:4711\";proto=https;by=10.0.0.1"][..], Some("2001:db8::1")),
        (&["for=198.51.100.9", "for=192.0.2.1, for=10.9.9.9"][..], Some("192.0.2.1")),
        (&["for=unknown"], None),
        (&["for=_hidden"], None),
        (&["by=10.0.0.1"], None),
        (&["for=192.0.2.1;for=192.0.2.2"], None),
        (&["for=2001:db8::1"], None),
        (&["for=\"198.51.100.9", "for=192.0.2.1\""], None),
        (&["192.0.2.1"], None),
    ] {
        let fields: String = lines.iter().map(|line| format!("Forwarded: {line}\r\n")).collect();
        assert_eq!(seen(&server, &fields).await.as_str(), address, "{lines:?}");
    }
    let other = "X-Forwarded-For: 192.0.2.9\r\n";
    assert_eq!(seen(&server, other).await, "127.0.0.1", "only the one header is read");
}

async fn an_unknown_address_passes_only_where_all_do(backend: Backend) {
    let server = behind_proxies(backend, ForwardedHeader::XForwardedFor).await;
    let garbled = server.client().with("x-forwarded-for", "unknown");
    for (cidrs, passes) in [
        (json!([]), true),
        (json!(["*"]), true),
        (json!(["0.0.0.0/0", "::/0"]), true),
        (json!(["0.0.0.0/0"]), false),
        (json!(["::/0"]), false),
        (json!(["127.0.0.1", "192.0.2.0/24"]), false),
    ] {
        let what = cidrs.to_string();
        let (_, key) = server.key_from(json!({ "preset": "query_only", "cidrs": cidrs })).await;
        let (token, direct) = (garbled.token(&key, "").await, garbled.bearer(&key).get("/v1/self").await);
        match passes {
            true => assert_eq!((token.status, direct.status), (200, 200), "{what}"),
            false => {
                assert_oauth(&what, &token, NO_CLIENT);
                let why = "the key is not allowed from address unknown";
                assert_eq!(token.json()["error_description"], why, "{what}");
                assert_api(&what, &direct, NOT_FROM_HERE);
            }
        }
    }
}
