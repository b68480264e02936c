//! What holds for any bytes.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use claviger::jose::claims::Claims;
use claviger::jose::jwk::{Jwks, PublicJwk, SigningKey};
use claviger::jose::pem::import;
use proptest::prelude::*;

use crate::forge::{OTHER_KEY, good_token, header, payload, sign, sign_with, verify, with};

fn bytes() -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(any::<u8>(), 0..300)
}

fn place() -> impl Strategy<Value = prop::sample::Index> {
    any::<prop::sample::Index>()
}

proptest! {
    #[test]
    fn nothing_panics_and_nothing_is_accepted(text in any::<String>(), bytes in bytes()) {
        prop_assert!(verify(&text).is_err());
        prop_assert!(Claims::parse(&bytes).is_err());
        prop_assert!(PublicJwk::parse(&bytes).is_err());
        prop_assert!(Jwks::parse(&bytes).is_err());
        prop_assert!(import(&text).is_err());
        for algorithm in ["ES256", "EdDSA", "RS256"] {
            prop_assert!(SigningKey::from_pkcs8(algorithm.parse().unwrap(), &bytes).is_err());
        }
    }

    #[test]
    fn a_private_key_of_any_bytes_never_panics(bytes in bytes(), label in "|RSA |EC ") {
        let body = BASE64_STANDARD.encode([&[0x30, 0x81][..], &bytes].concat());
        let pem = format!("-----BEGIN {label}PRIVATE KEY-----\n{body}\n-----END {label}PRIVATE KEY-----\n");
        prop_assert!(import(&pem).is_err());
    }

    #[test]
    fn a_token_like_text_never_panics(text in r"[\w-]{0,40}\.[\w-]{0,40}\.[\w-]{0,90}") {
        prop_assert!(verify(&text).is_err());
    }

    #[test]
    fn any_signed_header_and_payload_never_panic(header in "\\PC{0,80}", payload in "\\PC{0,80}") {
        prop_assert!(verify(&sign(&header, &payload)).is_err());
    }

    #[test]
    fn any_changed_character_is_refused(place in place(), character in "[A-Za-z0-9_.=-]") {
        let token = good_token();
        let place = place.index(token.len());
        let changed = format!("{}{character}{}", &token[..place], &token[place + 1..]);
        prop_assume!(changed != token);
        prop_assert!(verify(&changed).is_err());
    }

    #[test]
    fn any_changed_bit_of_a_signed_part_is_refused(place in place(), bit in 0..8) {
        let mut bytes = good_token().into_bytes();
        let place = place.index(bytes.len());
        bytes[place] ^= 1_u8 << bit;
        if let Ok(changed) = String::from_utf8(bytes) {
            prop_assert!(verify(&changed).is_err());
        }
    }
}

/// Every place, not a sample of them; both signature algorithms that leave no bit unchecked.
#[test]
fn every_changed_byte_is_refused() {
    let eddsa = with(with(header(), "kid", OTHER_KEY.kid().into()), "alg", "EdDSA".into());
    for token in [good_token(), sign_with(&OTHER_KEY, &eddsa.to_string(), &payload().to_string())] {
        verify(&token).unwrap();
        for place in 0..token.len() {
            let other = if &token[place..=place] == "A" { "B" } else { "A" };
            let changed = format!("{}{other}{}", &token[..place], &token[place + 1..]);
            assert!(verify(&changed).is_err(), "{place}");
        }
    }
}
