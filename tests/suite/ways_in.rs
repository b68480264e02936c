//! Whichever way somebody comes in, they get what the key has, and nothing more.

use claviger::domain::scope::Scopes;
use claviger::jose::jwk::Algorithm;
use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::TestRunner;
use serde_json::{Value, json};

use crate::exchange::any_scope;
use crate::support::assertion::{Holder, form};
use crate::support::foreign_issuer::ForeignIssuer;
use crate::support::{self, Backend, Server, on_both};
use crate::token::claims;

on_both!(no_way_in_gives_what_the_key_does_not_have);

/// How a client comes in.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Way {
    Secret,
    Assertion,
    ForeignAssertion,
    ForeignGrant,
}

/// A request for a token.
#[derive(Clone, Debug)]
struct Wish {
    way: Way,
    scopes: Option<Vec<String>>,
    is_bound: bool,
    /// For how long the assertion or the foreign token is valid, in seconds.
    lifetime: i64,
    /// The time that passes before.
    later: i64,
}

fn any_wish() -> impl Strategy<Value = Wish> {
    let way =
        prop::sample::select(vec![Way::Secret, Way::Assertion, Way::ForeignAssertion, Way::ForeignGrant]);
    let scopes = prop::option::weighted(0.6, prop::collection::vec(any_scope(), 1..3));
    (way, scopes, any::<bool>(), 1..300_i64, 0..60_i64)
        .prop_map(|(way, scopes, is_bound, lifetime, later)| Wish { way, scopes, is_bound, lifetime, later })
}

/// The members of a key.
fn any_key() -> impl Strategy<Value = Value> {
    let ranges = prop::sample::select(vec![
        json!(null),
        json!(["127.0.0.0/8"]),
        json!(["127.0.0.1/32", "2001:db8::/32"]),
    ]);
    let end = prop::option::of(60..900_i64);
    (prop::collection::vec(any_scope(), 1..4), ranges, end).prop_map(|(scopes, cidrs, expires_in)| {
        let scopes: Vec<Value> = scopes
            .iter()
            .map(|scope| scope.split_once(':').expect("a scope"))
            .map(|(action, resource)| json!({ "action": action, "resource": resource }))
            .collect();
        json!({ "scopes": scopes, "cidrs": cidrs, "expires_in": expires_in })
    })
}

async fn no_way_in_gives_what_the_key_does_not_have(backend: Backend) {
    let server = Server::start(backend).await;
    let foreign = ForeignIssuer::start().await;
    let record = json!({ "id": "idp", "issuer": foreign.url,
        "keys": { "jwks_uri": format!("{}/keys", foreign.url) } });
    server.admin().post_json("/v1/orgs/default/issuers", &record).await.done(201);
    let (signer, prover) = (Holder::new(Algorithm::Es256), support::Holder::new());
    let mut random = TestRunner::deterministic();
    let mut issued = [0; 4];
    for _ in 0..25 {
        let mut new = any_key().new_tree(&mut random).unwrap().current();
        new["name"] = json!("ways in");
        new["project"] = json!("default");
        new["environment"] = json!("prd");
        new["public_keys"] = json!([{ "jwk": signer.jwk }]);
        new["trust_rules"] = json!([{ "issuer": "idp", "subject": "workload" }]);
        let made = server.admin().post_json("/v1/orgs/default/keys", &new).await.done(201);
        let (id, key) = (made["id"].as_str().unwrap(), made["key"].as_str().unwrap());
        let had: Vec<String> = made["scopes"]
            .as_array()
            .unwrap()
            .iter()
            .map(|scope| {
                format!("{}:{}", scope["action"].as_str().unwrap(), scope["resource"].as_str().unwrap())
            })
            .collect();
        let had = Scopes::parse_list(&had.join(" ")).unwrap();
        let end = new["expires_in"].as_i64().map(|seconds| server.clock.now().unix() + seconds);
        for wish in prop::collection::vec(any_wish(), 6).new_tree(&mut random).unwrap().current() {
            server.advance(wish.later).await;
            let now = server.clock.now().unix();
            let foreign_token = foreign.token(&server.issuer(), now, &json!({ "exp": now + wish.lifetime }));
            let mut claims_of_client = support::assertion::claims(id, &server.issuer(), now);
            claims_of_client["exp"] = json!(now + wish.lifetime);
            let credentials = match wish.way {
                Way::Secret => format!("grant_type=client_credentials&client_secret={key}"),
                Way::Assertion => format!(
                    "grant_type=client_credentials&{}",
                    form(&signer.sign(&signer.header(), &claims_of_client))
                ),
                Way::ForeignAssertion => {
                    format!("grant_type=client_credentials&client_id={id}&{}", form(&foreign_token))
                }
                Way::ForeignGrant => format!(
                    "grant_type=urn:ietf:params:oauth:grant-type:jwt-bearer&client_id={id}&assertion={foreign_token}"
                ),
            };
            let scope = wish.scopes.as_ref().map(|scopes| format!("&scope={}", scopes.join(" ")));
            let url = format!("{}/oauth/token", server.issuer());
            let client = match wish.is_bound {
                true => {
                    let proof = prover.proof("POST", &url, server.clock.now());
                    server.client().proving(&proof.signed())
                }
                false => server.client(),
            };
            let answer = client.post_form("/oauth/token", &(credentials + &scope.unwrap_or_default())).await;
            if answer.status != 200 {
                let is_over = end.is_some_and(|end| now >= end);
                assert!(is_over || answer.oauth_error() == "invalid_scope", "{wish:?}: {}", answer.text);
                continue;
            }
            let token = claims(answer.json()["access_token"].as_str().unwrap());
            let scopes = Scopes::parse_list(token["scope"].as_str().unwrap()).unwrap();
            assert!(had.covers_all(&scopes), "{wish:?}: {token} out of {made}");
            assert_eq!(token["cidrs"], made["cidrs"], "{wish:?}");
            assert_eq!(token["cnf"].is_object(), wish.is_bound, "{wish:?}");
            let exp = token["exp"].as_i64().unwrap();
            assert!(exp <= now + 600 && end.is_none_or(|end| exp <= end), "{wish:?}: {token} out of {made}");
            let is_foreign = matches!(wish.way, Way::ForeignAssertion | Way::ForeignGrant);
            assert!(!is_foreign || exp <= now + wish.lifetime, "{wish:?}: {token}");
            issued[wish.way as usize] += 1;
        }
    }
    assert!(issued.iter().all(|count| *count > 5), "hardly anything was issued: {issued:?}");
}
