//! API keys that are sent to a resource server directly.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::time::Duration;

use claviger::domain::address::{AddressPolicy, CallerAddress, ForwardedHeader};
use claviger::domain::scope::Verb;
use claviger::domain::trace_context::TRACEPARENT;
use claviger::verify::{ApiKeys, Credential, KeyFault, Refusal, RequestLine, Unavailable, Verifier};
use http::{HeaderMap, HeaderValue};
use serde_json::json;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpListener;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use crate::support::{Backend, Options, forged, in_time, on_both, until};
use crate::world::{World, from, here, ready};

on_both!(
    a_key_has_the_access_of_its_token_and_the_gate_is_asked_once,
    a_refused_key_is_reported_with_its_state,
    a_remembered_key_dies_by_the_feed,
    an_answer_is_relied_on_for_its_time,
    a_key_that_is_bound_passes_from_its_ranges_alone,
    guessing_is_slowed_down_for_whoever_guesses,
    without_the_issuer_only_remembered_keys_pass,
    a_question_to_the_gate_belongs_to_the_callers_trace,
);

const REQUEST: RequestLine<'_> = RequestLine { method: "GET", target: "/orders/7" };

async fn verdict(verifier: &Verifier, key: &str, caller: CallerAddress) -> Result<String, Refusal> {
    let access = verifier.authenticate(Credential::ApiKey(key), REQUEST, caller).await?;
    Ok(access.subject().to_owned())
}

async fn accepting_keys(world: &World) -> Verifier {
    ready(world.builder().api_keys(ApiKeys::default())).await
}

async fn a_key_has_the_access_of_its_token_and_the_gate_is_asked_once(backend: Backend) {
    let world = World::new(backend).await;
    let verifier = accepting_keys(&world).await;
    let (id, key) = world.server.key(&["read:orders/*", "read:claviger/**"]).await;
    let access = verifier.authenticate(Credential::ApiKey(&key), REQUEST, here()).await.unwrap();
    assert_eq!((access.subject(), access.organization(), access.environment()), (&*id, "default", "prd"));
    assert_eq!(access.scopes().to_string(), "read:orders/*");
    access.require(Verb::Read, "orders/7").unwrap();
    let before = world.relay.connections();
    for _ in 0..50 {
        assert_eq!(verdict(&verifier, &key, here()).await, Ok(id.clone()));
    }
    assert_eq!(world.relay.connections(), before);
    // Where nobody said that keys are accepted, none is.
    let tokens_only = world.verifier().await;
    assert_eq!(verdict(&tokens_only, &key, here()).await, Err(Refusal::NoApiKeys));
}

async fn a_refused_key_is_reported_with_its_state(backend: Backend) {
    let world = World::new(backend).await;
    let verifier = accepting_keys(&world).await;
    let (id, revoked) = world.server.key(&["read:*"]).await;
    world.revoke(&id).await;
    let (id, disabled) = world.server.key(&["read:*"]).await;
    let disable = json!({ "disabled": true });
    world.server.admin().patch(&format!("/v1/orgs/default/keys/{id}"), &disable).await.done(200);
    let (_, bound) = world.server.key_from(json!({ "preset": "query_only", "dpop": "required" })).await;
    let members = json!({ "expires_in": 100, "scopes": [{ "action": "read" }] });
    let (_, expired) = world.server.key_from(members).await;
    world.server.advance(100).await;
    let (_, good) = world.server.key(&["read:*"]).await;
    let wrong = forged(&good);
    for (key, refusal) in [
        (&*revoked, Refusal::Key(KeyFault::Revoked)),
        (&*expired, Refusal::Key(KeyFault::Expired)),
        (&*disabled, Refusal::Key(KeyFault::Disabled)),
        (&*bound, Refusal::Key(KeyFault::ProofRequired)),
        (&*wrong, Refusal::Key(KeyFault::Unknown)),
        ("nonsense", Refusal::Key(KeyFault::Unknown)),
        ("a\nb", Refusal::Key(KeyFault::Unknown)),
        // It is for the management API, and for nothing else.
        (&*world.server.admin_key, Refusal::NothingHere),
    ] {
        assert_eq!(verdict(&verifier, key, here()).await, Err(refusal));
    }
}

async fn a_remembered_key_dies_by_the_feed(backend: Backend) {
    let world = World::new(backend).await;
    let verifier = accepting_keys(&world).await;
    let (id, key) = world.server.key(&["read:*"]).await;
    assert_eq!(verdict(&verifier, &key, here()).await, Ok(id.clone()));
    world.revoke(&id).await;
    until("the key is refused", async || {
        verdict(&verifier, &key, here()).await == Err(Refusal::Key(KeyFault::Revoked))
    })
    .await;
    let (id, key) = world.server.key(&["read:*"]).await;
    assert_eq!(verdict(&verifier, &key, here()).await, Ok(id.clone()));
    let set_disabled = async |disabled: bool| {
        let path = format!("/v1/orgs/default/keys/{id}");
        world.server.admin().patch(&path, &json!({ "disabled": disabled })).await.done(200);
        world.tell().await;
    };
    set_disabled(true).await;
    until("the key is refused", async || {
        verdict(&verifier, &key, here()).await == Err(Refusal::Key(KeyFault::Disabled))
    })
    .await;
    set_disabled(false).await;
    until("the key works again", async || verdict(&verifier, &key, here()).await == Ok(id.clone())).await;
    let required = json!({ "dpop": "required" });
    world.server.admin().patch(&format!("/v1/orgs/default/keys/{id}"), &required).await.done(200);
    world.tell().await;
    until("the key is refused", async || {
        verdict(&verifier, &key, here()).await == Err(Refusal::Key(KeyFault::ProofRequired))
    })
    .await;
    // A key that only lost something goes on with what it has left.
    let (id, key) = world.server.key(&["read:*", "write:*"]).await;
    assert_eq!(verdict(&verifier, &key, here()).await, Ok(id.clone()));
    let narrower = json!({ "scopes": [{ "action": "read" }] });
    let patched = world.server.admin().patch(&format!("/v1/orgs/default/keys/{id}"), &narrower).await;
    assert_eq!(patched.status, 200, "{}", patched.text);
    world.tell().await;
    until("the key has lost a scope", async || {
        let access = verifier.authenticate(Credential::ApiKey(&key), REQUEST, here()).await.unwrap();
        access.require(Verb::Write, "orders").is_err()
    })
    .await;
}

async fn an_answer_is_relied_on_for_its_time(backend: Backend) {
    let world = World::new(backend).await;
    let api_keys = ApiKeys { remembered_for: Duration::from_secs(20), ..ApiKeys::default() };
    let verifier = ready(world.builder().api_keys(api_keys)).await;
    let (id, key) = world.server.key(&["read:*"]).await;
    let (mut asked, mut before) = (Vec::new(), world.relay.connections());
    for seconds in [0, 19, 1, 19] {
        world.server.advance(seconds).await;
        crate::world::heard_now(&world, &verifier).await;
        assert_eq!(verdict(&verifier, &key, here()).await, Ok(id.clone()));
        asked.push(world.relay.connections() - before);
        before = world.relay.connections();
    }
    assert_eq!(asked, [1, 0, 1, 0]);
}

async fn a_key_that_is_bound_passes_from_its_ranges_alone(backend: Backend) {
    for header in [ForwardedHeader::XForwardedFor, ForwardedHeader::Forwarded] {
        let addresses = AddressPolicy { proxies: "127.0.0.0/8".parse().unwrap(), header };
        let world = World::with(backend, Options { addresses, ..Options::default() }).await;
        let api_keys = ApiKeys { header, ..ApiKeys::default() };
        let verifier = ready(world.builder().api_keys(api_keys)).await;
        let cidrs = ["192.0.2.0/24", "2001:db8::/32"];
        let (id, key) =
            world.server.key_from(json!({ "cidrs": cidrs, "scopes": [{ "action": "read" }] })).await;
        // The issuer is told where the caller is, and the answer holds for that caller alone.
        for _ in 0..2 {
            for caller in [from("203.0.113.7"), from("::1"), CallerAddress::Unknown] {
                assert_eq!(verdict(&verifier, &key, caller).await, Err(Refusal::Address(caller)));
            }
            for caller in [from("192.0.2.7"), from("2001:db8::7")] {
                assert_eq!(verdict(&verifier, &key, caller).await, Ok(id.clone()), "{caller}");
            }
        }
        let (id, free) = world.server.key(&["read:*"]).await;
        assert_eq!(verdict(&verifier, &free, CallerAddress::Unknown).await, Ok(id));
    }
}

async fn guessing_is_slowed_down_for_whoever_guesses(backend: Backend) {
    let addresses =
        AddressPolicy { proxies: "127.0.0.0/8".parse().unwrap(), header: ForwardedHeader::XForwardedFor };
    let world = World::with(backend, Options { addresses, ..Options::default() }).await;
    let verifier = accepting_keys(&world).await;
    let (id, key) = world.server.key(&["read:*"]).await;
    let guess = forged(&key);
    for _ in 0..10 {
        let refusal = verdict(&verifier, &guess, from("203.0.113.7")).await;
        assert_eq!(refusal, Err(Refusal::Key(KeyFault::Unknown)));
    }
    let slowed = verdict(&verifier, &guess, from("203.0.113.7")).await.unwrap_err();
    assert!(matches!(slowed, Refusal::RateLimited(1..=60)), "{slowed:?}");
    assert_eq!(verdict(&verifier, &key, from("192.0.2.1")).await, Ok(id));
}

async fn without_the_issuer_only_remembered_keys_pass(backend: Backend) {
    let world = World::new(backend).await;
    let verifier = accepting_keys(&world).await;
    let (id, seen) = world.server.key(&["read:*"]).await;
    let (_, unseen) = world.server.key(&["read:*"]).await;
    assert_eq!(verdict(&verifier, &seen, here()).await, Ok(id.clone()));
    world.relay.cut();
    assert_eq!(verdict(&verifier, &seen, here()).await, Ok(id));
    assert_eq!(verdict(&verifier, &unseen, here()).await, Err(Refusal::Unavailable(Unavailable::Gate)));
    world.server.clock.advance(31);
    assert_eq!(verdict(&verifier, &seen, here()).await, Err(Refusal::Unavailable(Unavailable::Stale)));
}

async fn a_question_to_the_gate_belongs_to_the_callers_trace(backend: Backend) {
    const TRACE_ID: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
    let world = World::new(backend).await;
    let verifier = accepting_keys(&world).await;
    let (_, key) = world.server.key(&["read:*"]).await;
    let (gate, mut heads) = listening().await;
    world.relay.lead_newcomers_to(gate);
    let mut asked = async |lines: &[&str]| {
        let lines = lines.iter().map(|line| (TRACEPARENT, HeaderValue::from_str(line).unwrap()));
        let mut headers: HeaderMap = lines.collect();
        headers.insert("x-api-key", key.parse().unwrap());
        let (mut request, ()) = http::Request::get("/orders/7").body(()).unwrap().into_parts();
        request.headers = headers;
        let verdict = verifier.authenticate_request(&request, Some("127.0.0.1".parse().unwrap())).await;
        assert_eq!(verdict.err(), Some(Refusal::Unavailable(Unavailable::Gate)));
        traceparent_of_a_question(&mut heads).await
    };
    let mut parents = BTreeSet::from(["00f067aa0ba902b7".to_owned()]);
    for (version, flags, handed_on) in [("00", "01", "01"), ("00", "00", "00"), ("01", "ff", "01")] {
        let sent = format!("{version}-{TRACE_ID}-00f067aa0ba902b7-{flags}");
        let line = asked(&[&sent]).await.unwrap();
        let rest = line.strip_prefix(&format!("00-{TRACE_ID}-")).unwrap_or_else(|| panic!("{line}"));
        let parent = rest.strip_suffix(&format!("-{handed_on}")).unwrap_or_else(|| panic!("{line}"));
        assert!(parent.len() == 16 && parents.insert(parent.to_owned()), "{line}");
    }
    let good = format!("00-{TRACE_ID}-00f067aa0ba902b7-01");
    for none in [&[][..], &["nonsense"], &[good.to_uppercase().as_str()], &[good.as_str(), good.as_str()]] {
        assert_eq!(asked(none).await, None, "{none:?}");
    }
    // Without the request's headers there is no trace.
    assert!(verdict(&verifier, &key, here()).await.is_err());
    assert_eq!(traceparent_of_a_question(&mut heads).await, None);
}

/// Whoever connects is refused with 503. Returns the heads of their requests.
async fn listening() -> (SocketAddr, UnboundedReceiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (sender, heads) = unbounded_channel();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let mut stream = BufReader::new(stream);
            let mut head = String::new();
            while !head.ends_with("\r\n\r\n") {
                if !matches!(stream.read_line(&mut head).await, Ok(1..)) {
                    break;
                }
            }
            let _ = sender.send(head);
            let refused =
                b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
            let _ = stream.write_all(refused).await;
        }
    });
    (address, heads)
}

/// The `traceparent` of the next question to the gate. What the verifier asks for itself has none.
async fn traceparent_of_a_question(heads: &mut UnboundedReceiver<String>) -> Option<String> {
    loop {
        let head = in_time("a question", heads.recv()).await.expect("a listener");
        let line = head.lines().find_map(|line| line.strip_prefix("traceparent: ")).map(str::to_owned);
        if head.starts_with("GET /v1/gate?") {
            return line;
        }
        assert_eq!(line, None, "{head}");
    }
}
