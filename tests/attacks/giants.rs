//! Tokens that would be too much to read.

use claviger::jose::claims::TokenFault;
use claviger::jose::jwk::JsonFault;
use claviger::jose::jws::{JwsFault, UnverifiedJws};
use claviger::verify::Refusal;
use reqwest::Method;
use serde_json::json;

use crate::forge::{For, Forgery, Good, spliced};
use crate::support::{Backend, Client, on_both};
use crate::token_readers::TokenReaders;
use crate::world::verdict;

on_both!(
    a_token_beyond_the_length_limit_is_refused,
    a_token_of_a_megabyte_is_refused_unread,
    a_header_beyond_the_length_limit_is_refused,
    too_many_or_too_deep_members_are_refused,
);

/// The good token with one claim more, long enough for the whole to have so many characters. Three bytes are four of
/// them, so not every length can be had.
fn as_long_as(good: &Good, length: usize) -> String {
    let empty = good.with_claim("x", json!("")).len();
    let mut token = good.with_claim("x", json!("x".repeat((length - empty) * 3 / 4)));
    while token.len() > length {
        token = good.with_claim("x", json!("x".repeat((length - empty) * 3 / 4 - 1)));
    }
    token
}

/// What the listener says of so long a head, before any route is found.
async fn status_in_a_header(readers: &TokenReaders, whom: For, token: &str) -> Option<u16> {
    let client = Client::new(readers.world.server.address()).bearer(token);
    Some(client.try_send(Method::GET, whom.path(), None).await.ok()?.status)
}

fn refused(fault: impl Into<TokenFault>) -> Option<Refusal> {
    Some(Refusal::Token(fault.into()))
}

async fn a_token_beyond_the_length_limit_is_refused(backend: Backend) {
    let readers = TokenReaders::new(backend).await;
    for good in readers.good().await {
        // As long as a header or a form may be with something beside it.
        let long = as_long_as(&good, 12_000);
        readers.accept(&good, &long).await;
    }
    let good = readers.good_for(For::Resources).await;
    let longest = as_long_as(&good, UnverifiedJws::MAX_LENGTH);
    assert!(longest.len() > UnverifiedJws::MAX_LENGTH - 4);
    verdict(&readers.verifier, &longest).await.unwrap();
    let longer = as_long_as(&good, UnverifiedJws::MAX_LENGTH + 4);
    assert!(longer.len() > UnverifiedJws::MAX_LENGTH);
    assert_eq!(verdict(&readers.verifier, &longer).await.err(), refused(JwsFault::TooLong));
    assert_eq!(readers.introspected(&longer).await.status, 413);
    for whom in [For::Resources, For::Management] {
        assert_eq!(status_in_a_header(&readers, whom, &longer).await, Some(431));
    }
}

async fn a_token_of_a_megabyte_is_refused_unread(backend: Backend) {
    let readers = TokenReaders::new(backend).await;
    let good = readers.good_for(For::Resources).await;
    for giant in [
        as_long_as(&good, 1 << 20),
        "a".repeat(1 << 20),
        ".".repeat(1 << 20),
        format!("{}.{}", good.token, "A".repeat(1 << 20)),
        format!("{}{}", good.token, "=".repeat(1 << 20)),
    ] {
        assert_eq!(verdict(&readers.verifier, &giant).await.err(), refused(JwsFault::TooLong));
        assert_eq!(readers.introspected(&giant).await.status, 413);
        for whom in [For::Resources, For::Management] {
            let status = status_in_a_header(&readers, whom, &giant).await;
            // Whoever is still sending may find the connection closed before they read why.
            assert!(status.is_none_or(|status| status == 431), "{status:?}");
        }
    }
    readers.accept(&good, &good.token).await;
}

async fn a_header_beyond_the_length_limit_is_refused(backend: Backend) {
    let readers = TokenReaders::new(backend).await;
    for good in readers.good().await {
        readers.accept(&good, &good.with_header("x", json!("x".repeat(600)))).await;
        for length in [800, 8_000] {
            let token = good.with_header("x", json!("x".repeat(length)));
            readers.refuse(&good, &Forgery::new("a giant", token, JwsFault::HeaderTooLong)).await;
        }
    }
}

/// In as few characters as there can be: what counts is that the time does not grow with the square of their number.
async fn too_many_or_too_deep_members_are_refused(backend: Backend) {
    let readers = TokenReaders::new(backend).await;
    for good in readers.good().await {
        let many = |count: usize| (0..count).map(|at| format!(r#""{at:x}":0"#)).collect::<Vec<_>>().join(",");
        let deep = |depth: usize| format!(r#""x":{}{}"#, "[".repeat(depth), "]".repeat(depth));
        for (members, fault) in [
            (many(700), JsonFault::TooManyMembers),
            (format!(r#""x":{{{}}}"#, many(700)), JsonFault::TooManyMembers),
            (deep(3_000), JsonFault::TooDeep),
            (r#""x":{"#.repeat(500), JsonFault::TooDeep),
        ] {
            let token = good.sign_payload(&spliced(&good.payload, &members)[0]);
            readers.refuse(&good, &Forgery::new("a giant", token, TokenFault::Payload(fault))).await;
        }
        let crowd = good.sign_payload(&spliced(&good.payload, &many(100_000))[0]);
        assert_eq!(verdict(&readers.verifier, &crowd).await.err(), refused(JwsFault::TooLong));
        let empty = readers.world.server.admin().post_form("/oauth/introspect", "token=").await;
        assert_eq!((empty.status, empty.oauth_error().as_str()), (400, "invalid_request"));
    }
}
