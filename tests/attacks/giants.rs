//! Tokens that would be too much to read.

use claviger::jose::claims::TokenFault;
use claviger::jose::jwk::JsonFault;
use claviger::jose::jws::{JwsFault, UnverifiedJws};
use claviger::verify::Refusal;
use reqwest::Method;
use serde_json::json;

use crate::doors::Doors;
use crate::forge::{For, Forgery, Good, spliced};
use crate::support::{Backend, Client, on_both};
use crate::world::verdict;

on_both!(
    a_token_has_its_length,
    a_megabyte_is_not_read,
    a_header_has_its_length,
    a_crowd_of_members_is_not_searched,
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
async fn status_in_a_header(doors: &Doors, whom: For, token: &str) -> Option<u16> {
    let client = Client::new(doors.world.server.address()).bearer(token);
    Some(client.try_send(Method::GET, whom.path(), None).await.ok()?.status)
}

fn refused(fault: impl Into<TokenFault>) -> Option<Refusal> {
    Some(Refusal::Token(fault.into()))
}

async fn a_token_has_its_length(backend: Backend) {
    let doors = Doors::new(backend).await;
    for good in doors.good().await {
        // As long as a header or a form may be with something beside it.
        let long = as_long_as(&good, 12_000);
        doors.open_for(&good, &long).await;
    }
    let good = doors.good_for(For::Resources).await;
    let longest = as_long_as(&good, UnverifiedJws::MAX_LENGTH);
    assert!(longest.len() > UnverifiedJws::MAX_LENGTH - 4);
    verdict(&doors.verifier, &longest).await.unwrap();
    let longer = as_long_as(&good, UnverifiedJws::MAX_LENGTH + 4);
    assert!(longer.len() > UnverifiedJws::MAX_LENGTH);
    assert_eq!(verdict(&doors.verifier, &longer).await.err(), refused(JwsFault::TooLong));
    assert_eq!(doors.introspected(&longer).await.status, 413);
    for whom in [For::Resources, For::Management] {
        assert_eq!(status_in_a_header(&doors, whom, &longer).await, Some(431));
    }
}

async fn a_megabyte_is_not_read(backend: Backend) {
    let doors = Doors::new(backend).await;
    let good = doors.good_for(For::Resources).await;
    for giant in [
        as_long_as(&good, 1 << 20),
        "a".repeat(1 << 20),
        ".".repeat(1 << 20),
        format!("{}.{}", good.token, "A".repeat(1 << 20)),
        format!("{}{}", good.token, "=".repeat(1 << 20)),
    ] {
        assert_eq!(verdict(&doors.verifier, &giant).await.err(), refused(JwsFault::TooLong));
        assert_eq!(doors.introspected(&giant).await.status, 413);
        for whom in [For::Resources, For::Management] {
            let status = status_in_a_header(&doors, whom, &giant).await;
            // Whoever is still sending may find the connection closed before they read why.
            assert!(status.is_none_or(|status| status == 431), "{status:?}");
        }
    }
    doors.open_for(&good, &good.token).await;
}

async fn a_header_has_its_length(backend: Backend) {
    let doors = Doors::new(backend).await;
    for good in doors.good().await {
        doors.open_for(&good, &good.with_header("x", json!("x".repeat(600)))).await;
        for length in [800, 8_000] {
            let token = good.with_header("x", json!("x".repeat(length)));
            doors.refuse(&good, &Forgery::new("a giant", token, JwsFault::HeaderTooLong)).await;
        }
    }
}

/// In as few characters as there can be: what counts is that the time does not grow with the square of their number.
async fn a_crowd_of_members_is_not_searched(backend: Backend) {
    let doors = Doors::new(backend).await;
    for good in doors.good().await {
        let many = |count: usize| (0..count).map(|at| format!(r#""{at:x}":0"#)).collect::<Vec<_>>().join(",");
        let deep = |depth: usize| format!(r#""x":{}{}"#, "[".repeat(depth), "]".repeat(depth));
        for (members, fault) in [
            (many(700), JsonFault::TooManyMembers),
            (format!(r#""x":{{{}}}"#, many(700)), JsonFault::TooManyMembers),
            (deep(3_000), JsonFault::TooDeep),
            (r#""x":{"#.repeat(500), JsonFault::TooDeep),
        ] {
            let token = good.sign_payload(&spliced(&good.payload, &members)[0]);
            doors.refuse(&good, &Forgery::new("a giant", token, TokenFault::Payload(fault))).await;
        }
        let crowd = good.sign_payload(&spliced(&good.payload, &many(100_000))[0]);
        assert_eq!(verdict(&doors.verifier, &crowd).await.err(), refused(JwsFault::TooLong));
        let empty = doors.world.server.admin().post_form("/oauth/introspect", "token=").await;
        assert_eq!((empty.status, empty.oauth_error().as_str()), (400, "invalid_request"));
    }
}
