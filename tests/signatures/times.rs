//! Tokens from the past, the future, and no time at all.

use claviger::jose::claims::{Leeway, TokenFault};
use serde_json::json;

use crate::forge::{NOW, header, payload, sign, verify_at, verify_claim, with};

/// A token with these times, at [`NOW`].
fn verify_times(iat: i64, exp: i64, leeway: Leeway) -> Result<(), TokenFault> {
    let payload = with(with(payload(), "iat", json!(iat)), "exp", json!(exp));
    verify_at(&sign(&header().to_string(), &payload.to_string()), NOW, leeway).map(drop)
}

#[test]
fn a_token_ends_at_its_exp() {
    assert_eq!(verify_times(NOW - 300, NOW + 1, Leeway::NONE), Ok(()));
    assert_eq!(verify_times(NOW - 300, NOW, Leeway::NONE), Err(TokenFault::Expired));
    assert_eq!(verify_times(NOW - 900, NOW - 300, Leeway::NONE), Err(TokenFault::Expired));
    assert_eq!(verify_times(0, 600, Leeway::NONE), Err(TokenFault::Expired));
}

#[test]
fn a_token_starts_at_its_iat_and_nbf() {
    assert_eq!(verify_times(NOW, NOW + 600, Leeway::NONE), Ok(()));
    assert_eq!(verify_times(NOW + 1, NOW + 600, Leeway::NONE), Err(TokenFault::IssuedInFuture));
    assert_eq!(verify_claim("nbf", json!(NOW)).unwrap().not_before.unwrap().unix(), NOW);
    assert_eq!(verify_claim("nbf", json!(NOW + 1)), Err(TokenFault::NotYetValid));
}

#[test]
fn leeway_counts_on_both_sides_and_ends_at_30_seconds() {
    assert_eq!(Leeway::from_seconds(30), Some(Leeway::MAX));
    assert_eq!(Leeway::from_seconds(31), None);
    assert_eq!(Leeway::from_seconds(0), Some(Leeway::default()));
    assert_eq!(Leeway::from_seconds(20).map(Leeway::seconds), Some(20));
    assert_eq!(verify_times(NOW - 300, NOW - 29, Leeway::MAX), Ok(()));
    assert_eq!(verify_times(NOW - 300, NOW - 30, Leeway::MAX), Err(TokenFault::Expired));
    assert_eq!(verify_times(NOW + 30, NOW + 600, Leeway::MAX), Ok(()));
    assert_eq!(verify_times(NOW + 31, NOW + 600, Leeway::MAX), Err(TokenFault::IssuedInFuture));
    let early = |nbf: i64| sign(&header().to_string(), &with(payload(), "nbf", json!(nbf)).to_string());
    assert!(verify_at(&early(NOW + 30), NOW, Leeway::MAX).is_ok());
    assert_eq!(verify_at(&early(NOW + 31), NOW, Leeway::MAX), Err(TokenFault::NotYetValid));
}

#[test]
fn a_token_lives_at_most_ten_minutes() {
    assert_eq!(verify_times(NOW, NOW + 601, Leeway::MAX), Err(TokenFault::Lifetime));
    assert_eq!(verify_times(0, NOW + 600, Leeway::NONE), Err(TokenFault::Lifetime));
    assert_eq!(verify_times(NOW, 253_402_300_799, Leeway::NONE), Err(TokenFault::Lifetime));
    for exp in [NOW, NOW - 1, 0] {
        assert_eq!(verify_times(NOW, exp, Leeway::MAX), Err(TokenFault::NoLifetime));
    }
}

#[test]
fn times_are_whole_seconds_in_this_age() {
    for claim in ["iat", "exp", "nbf"] {
        for odd in [
            json!(1e10),
            json!(1_800_000_000.5),
            json!(1_800_000_000.0),
            json!(-1),
            json!("1800000000"),
            json!([NOW]),
            json!(253_402_300_800_i64),
            json!(i64::MAX),
            json!(u64::MAX),
            json!(true),
        ] {
            assert_eq!(verify_claim(claim, odd.clone()), Err(TokenFault::NotTime(claim)), "{claim} {odd}");
        }
    }
    for spelling in ["18e8", "1800000600E0", "1e999", "1800000600.0", "-0"] {
        let payload = payload().to_string().replace("1800000600", spelling);
        let token = sign(&header().to_string(), &payload);
        assert_eq!(verify_at(&token, NOW, Leeway::NONE), Err(TokenFault::NotTime("exp")), "{spelling}");
    }
}
