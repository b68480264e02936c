//! Who is accepted, and what they may.

use claviger::domain::address::{AddressPolicy, CallerAddress, ForwardedHeader};
use claviger::domain::scope::Verb;
use claviger::jose::claims::{Leeway, TokenFault};
use claviger::verify::{BuildError, Refusal, Verifier};
use serde_json::json;

use crate::support::{Backend, on_both};
use crate::world::{World, from, heard_now, here, ready, verdict};

on_both!(
    access_has_the_subject_and_scopes_of_the_token,
    a_token_for_somebody_else_is_refused,
    organizations_and_environments_are_named,
    ranges_hold_wherever_the_caller_is,
    a_token_ends_when_it_says_so_remembered_or_not,
    a_repeated_token_is_not_verified_again,
);

async fn access_has_the_subject_and_scopes_of_the_token(backend: Backend) {
    let world = World::new(backend).await;
    let verifier = world.verifier().await;
    let (id, token) = world.key_and_token(&["read:orders/*", "write:orders/7"]).await;
    let access = verdict(&verifier, &token).await.unwrap();
    assert_eq!(
        (access.subject(), access.organization(), access.project(), access.environment()),
        (id.as_str(), "default", "default", "prd")
    );
    assert_eq!(access.scopes().to_string(), "read:orders/* write:orders/7");
    assert_eq!(access.expires_at(), world.server.clock.now().plus(600));
    access.require(Verb::Read, "orders/8").unwrap();
    access.require(Verb::Write, "orders/7").unwrap();
    for (action, resource, scope) in [
        (Verb::Write, "orders/8", Some("write:orders/8")),
        (Verb::Admin, "orders/7", Some("admin:orders/7")),
        (Verb::Read, "orders/8/lines", Some("read:orders/8/lines")),
        // What is no resource is matched by nothing.
        (Verb::Read, "orders/*", None),
        (Verb::Read, "orders//7", None),
        (Verb::Read, "", None),
    ] {
        let denied = access.require(action, resource).unwrap_err();
        assert_eq!(denied.scope(), scope, "{resource}");
    }
}

async fn a_token_for_somebody_else_is_refused(backend: Backend) {
    let world = World::new(backend).await;
    let verifier = world.verifier().await;
    // For the management API, which is an audience of its own.
    let own = world.server.client().access_token(&world.server.admin_key, "").await;
    assert_eq!(verdict(&verifier, &own).await.unwrap_err(), Refusal::Token(TokenFault::Audience));
    let elsewhere = World::new(backend).await;
    let (_, token) = elsewhere.key_and_token(&["read:*"]).await;
    assert_eq!(verdict(&verifier, &token).await.unwrap_err(), Refusal::Token(TokenFault::UnknownKey));
    // Nor is the feed's document a token.
    let feed = world.server.client().get("/oauth/revocations").await.text;
    assert_eq!(verdict(&verifier, &feed).await.unwrap_err(), Refusal::Token(TokenFault::Type));
}

async fn organizations_and_environments_are_named(backend: Backend) {
    let world = World::new(backend).await;
    let (_, token) = world.key_and_token(&["read:*"]).await;
    let of = || Verifier::builder(world.relay.url(), world.audience());
    let clock = || world.server.clock.clone();
    for (builder, is_accepted) in [
        (of().organizations(["acme", "default"]).environments(["prd"]), true),
        (of().organizations(["default"]).any_environment(), true),
        (of().any_organization().environments(["stg", "prd"]), true),
        (of().organizations(["acme"]).any_environment(), false),
        (of().any_organization().environments(["stg"]), false),
        (of().organizations(["Default"]).any_environment(), false),
    ] {
        let verifier = ready(builder.clock(clock())).await;
        let verdict = verdict(&verifier, &token).await.map(|_| ());
        assert_eq!(verdict, if is_accepted { Ok(()) } else { Err(Refusal::Tenant) });
    }
}

async fn ranges_hold_wherever_the_caller_is(backend: Backend) {
    let world = World::new(backend).await;
    let verifier = world.verifier().await;
    let members = json!({ "cidrs": ["127.0.0.0/8", "2001:db8::/32"], "scopes": [{ "action": "read" }] });
    let (_, key) = world.server.key_from(members).await;
    let bound = world.server.client().access_token(&key, "").await;
    let (_, free) = world.key_and_token(&["read:*"]).await;
    for (caller, is_admitted) in [
        (here(), true),
        (from("2001:db8::7"), true),
        (from("10.0.0.1"), false),
        (from("::1"), false),
        (CallerAddress::Unknown, false),
    ] {
        // Twice: what is remembered is held against it too.
        for _ in 0..2 {
            let refusal = verifier.verify(&bound, caller).await.err();
            assert_eq!(refusal, (!is_admitted).then_some(Refusal::Address(caller)), "{caller}");
            verifier.verify(&free, caller).await.unwrap();
        }
    }
    // Behind a proxy the caller is who the proxy says; anybody else speaks for themselves alone.
    let addresses =
        AddressPolicy { proxies: "10.0.0.0/8".parse().unwrap(), header: ForwardedHeader::XForwardedFor };
    let behind = ready(world.builder().addresses(addresses)).await;
    for (peer, forwarded, is_admitted) in [
        (Some("10.0.0.1"), "127.0.0.1", true),
        (Some("10.0.0.1"), "127.0.0.1, 10.0.0.9", true),
        (Some("10.0.0.1"), "127.0.0.1, 192.0.2.1", false),
        (Some("10.0.0.1"), "unknown", false),
        (Some("192.0.2.1"), "127.0.0.1", false),
        (Some("127.0.0.1"), "192.0.2.1", true),
        (None, "127.0.0.1", false),
    ] {
        let headers = [("authorization", format!("Bearer {bound}")), ("x-forwarded-for", forwarded.into())];
        let request = http::Request::get("/orders/7");
        let request = headers.into_iter().fold(request, |request, (name, value)| request.header(name, value));
        let (request, ()) = request.body(()).unwrap().into_parts();
        let verdict = behind.authenticate_request(&request, peer.map(|peer| peer.parse().unwrap())).await;
        assert_eq!(verdict.is_ok(), is_admitted, "{peer:?} {forwarded}: {verdict:?}");
    }
}

async fn a_token_ends_when_it_says_so_remembered_or_not(backend: Backend) {
    let world = World::new(backend).await;
    let strict = world.verifier().await;
    let lenient = ready(world.builder().leeway(Leeway::from_seconds(20).unwrap())).await;
    let (_, token) = world.key_and_token(&["read:*"]).await;
    for verifier in [&strict, &lenient] {
        verdict(verifier, &token).await.unwrap();
    }
    world.server.advance(599).await;
    let new = world.verifier().await;
    for verifier in [&strict, &lenient, &new] {
        heard_now(&world, verifier).await;
        verdict(verifier, &token).await.unwrap();
    }
    world.server.advance(1).await;
    for (verifier, refusal) in [
        (&strict, Some(Refusal::Token(TokenFault::Expired))),
        (&new, Some(Refusal::Token(TokenFault::Expired))),
        (&lenient, None),
    ] {
        assert_eq!(verdict(verifier, &token).await.err(), refusal);
    }
    world.server.advance(20).await;
    assert_eq!(verdict(&lenient, &token).await.err(), Some(Refusal::Token(TokenFault::Expired)));
}

async fn a_repeated_token_is_not_verified_again(backend: Backend) {
    let world = World::new(backend).await;
    let verifier = world.verifier().await;
    let (_, token) = world.key_and_token(&["read:*"]).await;
    for seen in 0..3 {
        verdict(&verifier, &token).await.unwrap();
        let metrics = verifier.metrics();
        assert_eq!((metrics.accepted, metrics.remembered, metrics.refused), (seen + 1, seen, 0));
    }
    let forgetful = ready(world.builder().remembered_tokens(0)).await;
    for _ in 0..3 {
        verdict(&forgetful, &token).await.unwrap();
    }
    assert_eq!(forgetful.metrics().remembered, 0);
    // A digest of all of it: another signature over the same claims is another token.
    let (signed, signature) = token.rsplit_once('.').unwrap();
    let swapped = if signature.starts_with('A') { "B" } else { "A" };
    let other = format!("{signed}.{swapped}{}", &signature[1..]);
    verdict(&verifier, &other).await.unwrap_err();
    assert_eq!((verifier.metrics().remembered, verifier.metrics().refused), (2, 1));
}

#[tokio::test]
async fn a_verifier_is_not_built_from_nonsense() {
    let build = |issuer: &str, audience: &str| {
        Verifier::builder(issuer, audience).any_organization().any_environment().build().map(|_| ())
    };
    assert!(matches!(build("auth.example.com", "urn:api"), Err(BuildError::Issuer(_))));
    assert!(matches!(build("http://auth.example.com", "urn:api"), Err(BuildError::Exposed(_))));
    for audience in ["", "api", "api:", ":x", "1a:b", "https://h/#f", "https://h/\"", "https://h/ x"] {
        assert!(matches!(build("https://h", audience), Err(BuildError::Audience)), "{audience}");
    }
    let of = || Verifier::builder("http://127.0.0.1:1", "urn:api");
    let none = of().organizations([] as [&str; 0]).any_environment().build();
    assert!(matches!(none, Err(BuildError::Nothing("organizations"))));
    let none = of().any_organization().environments([] as [&str; 0]).build();
    assert!(matches!(none, Err(BuildError::Nothing("environments"))));
    for seconds in [-1, 0, 31] {
        let built = of().any_organization().any_environment().max_stale(seconds).build();
        assert!(matches!(built, Err(BuildError::MaxStale)), "{seconds}");
    }
}

#[test]
fn a_verifier_needs_a_runtime() {
    let built = Verifier::builder("https://h", "urn:api").any_organization().any_environment().build();
    assert!(matches!(built, Err(BuildError::NoRuntime)));
}
