//! Tokens that are not quite in the compact serialization, or not quite signed.

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD as BASE64URL;
use claviger::jose::claims::TokenFault;
use claviger::jose::jwk::JsonFault;
use claviger::jose::jws::{JwsFault, Part, UnverifiedJws};
use serde_json::json;

use crate::forge::{KEY, good_token, header, payload, sign, verify, verifying, with};

/// The three parts of a good token.
fn parts() -> [String; 3] {
    let parts: Vec<String> = good_token().split('.').map(str::to_owned).collect();
    parts.try_into().unwrap()
}

fn refused(token: &str) -> JwsFault {
    match verify(token) {
        Err(TokenFault::Jws(fault)) => fault,
        other => panic!("{token}: {other:?}"),
    }
}

#[test]
fn there_are_exactly_three_parts() {
    let [header, payload, signature] = parts();
    for token in [
        String::new(),
        ".".to_owned(),
        header.clone(),
        format!("{header}.{payload}"),
        format!("{header}.{payload}.{signature}."),
        format!("{header}.{payload}.{signature}.{signature}"),
        format!("{header}.{payload}.{signature}.{signature}.{signature}"),
        "....".to_owned(),
    ] {
        assert_eq!(refused(&token), JwsFault::Parts, "{token}");
    }
    assert_eq!(refused(&format!(".{header}.{payload}.{signature}")), JwsFault::Parts);
}

#[test]
fn the_json_serialization_is_refused() {
    let [protected, payload, signature] = parts();
    let flattened = json!({"protected": protected, "payload": payload, "signature": signature});
    assert_eq!(refused(&flattened.to_string()), JwsFault::Parts);
}

#[test]
fn padding_white_space_and_other_alphabets_are_refused() {
    let [header, payload, signature] = parts();
    for spoil in ["=", "==", " ", "\n", "\r\n", "\t", "\0", "+", "/", "é", "%3D", "\u{200b}"] {
        let spoilt = |part: &str| [format!("{part}{spoil}"), format!("{spoil}{part}")];
        for part in spoilt(&header) {
            assert_eq!(refused(&format!("{part}.{payload}.{signature}")), JwsFault::Base64(Part::Header));
        }
        for part in spoilt(&payload) {
            assert_eq!(refused(&format!("{header}.{part}.{signature}")), JwsFault::Base64(Part::Payload));
        }
        for part in spoilt(&signature) {
            assert_eq!(refused(&format!("{header}.{payload}.{part}")), JwsFault::Base64(Part::Signature));
        }
    }
    assert_eq!(refused(&format!("Bearer {}", good_token())), JwsFault::Base64(Part::Header));
}

/// 64 bytes are 86 characters, and the last one has four bits that belong to no byte.
#[test]
fn bits_that_belong_to_no_byte_are_refused() {
    let [header, payload, signature] = parts();
    let (start, last) = signature.split_at(85);
    let alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let value = alphabet.find(last).unwrap();
    for spelling in value + 1..value + 16 {
        let token = format!("{header}.{payload}.{start}{}", &alphabet[spelling..=spelling]);
        assert_eq!(refused(&token), JwsFault::Base64(Part::Signature), "{spelling}");
    }
}

#[test]
fn a_signature_of_zeros_is_refused() {
    let [header, payload, _] = parts();
    for signature in [vec![0; 64], [vec![0; 32], vec![1; 32]].concat(), [vec![1; 32], vec![0; 32]].concat()] {
        let token = format!("{header}.{payload}.{}", BASE64URL.encode(signature));
        assert_eq!(refused(&token), JwsFault::Signature);
    }
}

#[test]
fn a_signature_has_its_exact_length_and_form() {
    let [header, payload, signature] = parts();
    let bytes = BASE64URL.decode(signature).unwrap();
    let der = [&[0x30, 0x44, 0x02, 0x20], &bytes[..32], &[0x02, 0x20], &bytes[32..]].concat();
    let order = [&[0xff; 32][..], &bytes[32..]].concat();
    for forged in
        [&bytes[..63], &[&bytes[..], &[0]].concat(), &[&[0], &bytes[..]].concat(), &der, &order, &[]]
    {
        let token = format!("{header}.{payload}.{}", BASE64URL.encode(forged));
        assert_eq!(refused(&token), JwsFault::Signature);
    }
}

/// (r, n−s) is a signature of the same bytes: whoever wants to name a token uses its `jti`.
#[test]
fn the_mirrored_signature_verifies_and_names_the_same_token() {
    const ORDER: [u8; 32] = [
        0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xbc, 0xe6, 0xfa,
        0xad, 0xa7, 0x17, 0x9e, 0x84, 0xf3, 0xb9, 0xca, 0xc2, 0xfc, 0x63, 0x25, 0x51,
    ];
    let [header, payload, signature] = parts();
    let mut mirrored = BASE64URL.decode(&signature).unwrap();
    let mut borrow = 0;
    for (digit, order) in mirrored[32..].iter_mut().zip(ORDER).rev() {
        let difference = 256 + i32::from(order) - i32::from(*digit) - borrow;
        *digit = u8::try_from(difference % 256).unwrap();
        borrow = i32::from(difference < 256);
    }
    let mirrored = format!("{header}.{payload}.{}", BASE64URL.encode(mirrored));
    let original = format!("{header}.{payload}.{signature}");
    assert_ne!(mirrored, original);
    assert_eq!(verify(&mirrored).unwrap().token_id, verify(&original).unwrap().token_id);
}

#[test]
fn parts_of_two_tokens_make_none() {
    let [header, payload_part, _] = parts();
    let other = sign(&crate::forge::header().to_string(), &with(payload(), "gen", json!(2)).to_string());
    let (_, other_signature) = other.rsplit_once('.').unwrap();
    assert_eq!(refused(&format!("{header}.{payload_part}.{other_signature}")), JwsFault::Signature);
}

#[test]
fn no_beginning_or_end_of_a_token_is_accepted() {
    let token = good_token();
    for length in 0..token.len() {
        verify(&token[..length]).unwrap_err();
        verify(&token[length + 1..]).unwrap_err();
        verify(&format!("{}{}", &token[..length], &token[length + 1..])).unwrap_err();
    }
}

#[test]
fn giants_are_refused_by_their_length() {
    assert_eq!(refused(&"a".repeat(UnverifiedJws::MAX_LENGTH)), JwsFault::Parts);
    assert_eq!(refused(&"a".repeat(UnverifiedJws::MAX_LENGTH + 1)), JwsFault::TooLong);
    assert_eq!(refused(&".".repeat(10_000_000)), JwsFault::TooLong);
    let big = |member: usize| with(header(), "x", json!("x".repeat(member)));
    verify(&sign(&big(600).to_string(), &payload().to_string())).unwrap();
    assert_eq!(refused(&sign(&big(800).to_string(), &payload().to_string())), JwsFault::HeaderTooLong);
    let zeros = |length: usize| refused(&format!("{}.A.A", "A".repeat(length)));
    assert_eq!(zeros(UnverifiedJws::MAX_HEADER), JwsFault::Header(JsonFault::Syntax));
    assert_eq!(zeros(UnverifiedJws::MAX_HEADER + 1), JwsFault::HeaderTooLong);
}

#[test]
fn a_token_is_not_printed_by_accident() {
    let token = good_token();
    let jws = UnverifiedJws::parse(&token).unwrap();
    let verified = jws.verify(&verifying(&KEY)).unwrap();
    for printed in [format!("{jws:?}"), format!("{verified:?}")] {
        assert!(printed.contains("at+jwt") && !printed.contains(&token[..20]), "{printed}");
        assert!(printed.len() < 200, "{printed}");
    }
}
