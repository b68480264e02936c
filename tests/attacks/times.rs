//! Tokens of other times.

use claviger::jose::claims::TokenFault;
use serde_json::{Value, json};

use crate::forge::{Forgery, Good, with};
use crate::support::{Backend, on_both};
use crate::token_readers::TokenReaders;

on_both!(a_token_is_accepted_for_at_most_ten_minutes, times_that_are_not_whole_seconds_are_refused);

/// The good token with these times, in seconds from now.
fn at(good: &Good, iat: i64, exp: i64) -> String {
    let now = good.now();
    let payload = with(&with(&good.payload, "iat", json!(now + iat)), "exp", json!(now + exp));
    good.sign_payload(&payload.to_string())
}

async fn a_token_is_accepted_for_at_most_ten_minutes(backend: Backend) {
    let readers = TokenReaders::new(backend).await;
    for good in readers.good().await {
        for (iat, exp) in [(0, 600), (-599, 1), (0, 1)] {
            readers.accept(&good, &at(&good, iat, exp)).await;
        }
        let now = good.with_claim("nbf", json!(good.now()));
        readers.accept(&good, &now).await;
    }
    readers
        .refuse_all(|good| {
            let now = good.now();
            let early = |seconds| good.with_claim("nbf", json!(now + seconds));
            [
                ("it ended now", at(good, -600, 0), TokenFault::Expired),
                ("it ended a second ago", at(good, -601, -1), TokenFault::Expired),
                ("it ended a minute ago", at(good, -600, -60), TokenFault::Expired),
                ("it ended in 1970", at(good, -now, -now + 600), TokenFault::Expired),
                ("it lives a second too long", at(good, 0, 601), TokenFault::Lifetime),
                ("it began long ago", at(good, -now, 600), TokenFault::Lifetime),
                ("it lives a year", at(good, 0, 31_536_000), TokenFault::Lifetime),
                ("it lives until 9999", at(good, 0, 253_402_300_799 - now), TokenFault::Lifetime),
                ("it ends as it begins", at(good, 0, 0), TokenFault::NoLifetime),
                ("it ends before it begins", at(good, 0, -1), TokenFault::NoLifetime),
                // Nodes of one deployment allow each other five seconds.
                ("it begins in six seconds", at(good, 6, 600), TokenFault::IssuedInFuture),
                ("it begins tomorrow", at(good, 86_400, 87_000), TokenFault::IssuedInFuture),
                ("it is good in six seconds", early(6), TokenFault::NotYetValid),
                ("it is good next year", early(31_536_000), TokenFault::NotYetValid),
            ]
            .map(|(name, token, fault)| Forgery::new(name, token, fault))
            .into()
        })
        .await;
}

async fn times_that_are_not_whole_seconds_are_refused(backend: Backend) {
    let readers = TokenReaders::new(backend).await;
    readers
        .refuse_all(|good| {
            let now = good.now();
            let mut forgeries = Vec::new();
            for claim in ["iat", "exp", "nbf"] {
                for odd in [
                    json!(-1),
                    json!(now.to_string()),
                    json!([now]),
                    json!({ "seconds": now }),
                    json!(true),
                    json!(253_402_300_800_i64),
                    json!(i64::MAX),
                    json!(i64::MIN),
                    json!(u64::MAX),
                    json!("tomorrow"),
                ] {
                    let token = good.with_claim(claim, odd.clone());
                    forgeries.push(Forgery::new(
                        format!("{claim} is {odd}"),
                        token,
                        TokenFault::NotTime(claim),
                    ));
                }
                for spelling in
                    ["1e9", "1767225600.0", "1767225600.5", "1e999", "-0", "18446744073709551616", "null"]
                {
                    let token = good.sign_payload(&spelled(&good.payload, claim, spelling));
                    let name = format!("{claim} is spelled {spelling}");
                    forgeries.push(Forgery::new(name, token, TokenFault::NotTime(claim)));
                }
            }
            forgeries
        })
        .await;
}

/// The claims, of which one is this text as it stands.
fn spelled(payload: &Value, claim: &str, spelling: &str) -> String {
    with(payload, claim, json!("here")).to_string().replace("\"here\"", spelling)
}
