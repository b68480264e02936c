//! Public keys from somebody else's key set.

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD as BASE64URL;
use claviger::jose::jwk::{Algorithm, JsonFault, JwkFault, Jwks, JwksFault, PublicJwk, VerifyingKey};
use serde_json::{Value, json};

use crate::forge::{KEY, OTHER_KEY, with};

fn parse(jwk: &Value) -> Result<PublicJwk, JwkFault> {
    PublicJwk::parse(jwk.to_string().as_bytes())
}

/// The issuer's keys, P-256 and Ed25519, as published.
fn published() -> [Value; 2] {
    [&*KEY, &*OTHER_KEY].map(|key| serde_json::to_value(key.public_jwk()).unwrap())
}

fn rsa() -> Value {
    let vector: Value = serde_json::from_str(include_str!("../vectors/jws/rfc7515-a2.json")).unwrap();
    vector["jwk"].clone()
}

#[test]
fn a_published_key_has_all_its_members_and_is_read_back() {
    let [p256, ed25519] = published();
    assert_eq!(p256["kty"], "EC");
    assert_eq!(p256["crv"], "P-256");
    assert_eq!(p256["use"], "sig");
    assert_eq!(p256["alg"], "ES256");
    assert_eq!(p256["kid"], KEY.kid());
    assert_eq!(p256.as_object().unwrap().len(), 7);
    assert_eq!(ed25519["alg"], "EdDSA");
    assert_eq!(ed25519.as_object().unwrap().len(), 6);
    assert_eq!(parse(&p256).as_ref(), Ok(KEY.public_jwk()));
    assert_eq!(parse(&ed25519).as_ref(), Ok(OTHER_KEY.public_jwk()));
    let rsa = parse(&rsa()).unwrap();
    assert_eq!(rsa.algorithm(), Algorithm::Rs256);
    assert_eq!(parse(&serde_json::to_value(&rsa).unwrap()), Ok(rsa));
}

#[test]
fn what_is_optional_may_be_left_out() {
    for key in published() {
        for member in ["use", "alg", "kid"] {
            parse(&with(key.clone(), member, Value::Null)).unwrap();
        }
        parse(&with(key.clone(), "key_ops", json!(["verify", "sign"]))).unwrap();
        parse(&with(key, "x5u", json!("https://evil.example/cert.pem"))).unwrap();
    }
}

#[test]
fn keys_for_other_ends_are_refused() {
    for key in published() {
        for (member, value, fault) in [
            ("use", json!("enc"), JwkFault::Use),
            ("use", json!(["sig"]), JwkFault::NotAString("use")),
            ("key_ops", json!(["sign"]), JwkFault::KeyOps),
            ("key_ops", json!([]), JwkFault::KeyOps),
            ("key_ops", json!("verify"), JwkFault::KeyOps),
            ("kid", json!("2026-11"), JwkFault::Kid),
            ("kid", json!(1), JwkFault::NotAString("kid")),
            ("kty", json!("oct"), JwkFault::KeyType),
            ("kty", Value::Null, JwkFault::Missing("kty")),
            ("crv", json!("P-521"), JwkFault::Curve),
            ("crv", json!("secp256k1"), JwkFault::Curve),
            ("crv", json!("X25519"), JwkFault::Curve),
            ("crv", Value::Null, JwkFault::Missing("crv")),
        ] {
            assert_eq!(parse(&with(key.clone(), member, value.clone())), Err(fault), "{member} {value}");
        }
        for alg in ["RS256", "ES384", "HS256", "none", "Ed25519"] {
            assert!(
                matches!(parse(&with(key.clone(), "alg", json!(alg))), Err(JwkFault::Algorithm(_))),
                "{alg}"
            );
        }
    }
    assert_eq!(parse(&with(rsa(), "alg", json!("PS256"))), Err(JwkFault::Algorithm(Algorithm::Rs256)));
}

#[test]
fn secrets_are_refused_wherever_they_stand() {
    for member in ["d", "p", "q", "dp", "dq", "qi", "oth", "k"] {
        for key in published().into_iter().chain([rsa()]) {
            assert_eq!(parse(&with(key, member, json!("AA"))), Err(JwkFault::Secret(member)));
        }
    }
    assert_eq!(parse(&json!({"kty": "oct", "k": "c2VjcmV0", "alg": "HS256"})), Err(JwkFault::Secret("k")));
}

#[test]
fn coordinates_have_their_size() {
    let [p256, ed25519] = published();
    for (key, member) in [(&p256, "x"), (&p256, "y"), (&ed25519, "x")] {
        let right = key[member].as_str().unwrap();
        for wrong in ["", "AA", &right[4..], &format!("AAAA{right}")] {
            assert_eq!(
                parse(&with(key.clone(), member, json!(wrong))),
                Err(JwkFault::Coordinate(member, 32))
            );
        }
        for odd in [format!("{right}="), right.replacen(|_| true, "+", 1), format!("{}B", &right[..42])] {
            assert_eq!(parse(&with(key.clone(), member, json!(odd))), Err(JwkFault::Base64(member)));
        }
        assert_eq!(parse(&with(key.clone(), member, Value::Null)), Err(JwkFault::Missing(member)));
        assert_eq!(parse(&with(key.clone(), member, json!(7))), Err(JwkFault::NotAString(member)));
    }
}

#[test]
fn rsa_keys_have_their_size() {
    let encode = |bytes: &[u8]| json!(BASE64URL.encode(bytes));
    let modulus = |length: usize| [vec![0x80], vec![0xff; length - 1]].concat();
    for length in [256, 384, 512, 1024] {
        parse(&with(rsa(), "n", encode(&modulus(length)))).unwrap();
    }
    let bits_2047 = [vec![0x7f], vec![0xff; 255]].concat();
    let even = [vec![0xff; 255], vec![0xfe]].concat();
    let padded = [vec![0], modulus(256)].concat();
    for n in [modulus(128), modulus(255), modulus(1025), bits_2047, even, padded, vec![], vec![0; 256]] {
        assert_eq!(parse(&with(rsa(), "n", encode(&n))), Err(JwkFault::Modulus));
    }
    parse(&with(rsa(), "e", encode(&[1, 0, 0, 0, 1]))).unwrap();
    for e in
        [&[3][..], &[1], &[0], &[], &[0xff, 0xff], &[1, 0, 0], &[0, 1, 0, 1], &[2, 0, 0, 0, 1], &[0xff; 8]]
    {
        assert_eq!(parse(&with(rsa(), "e", encode(e))), Err(JwkFault::Exponent), "{e:?}");
    }
}

#[test]
fn a_point_off_the_curve_verifies_nothing() {
    let [p256, _] = published();
    let off_curve = with(with(p256.clone(), "y", p256["x"].clone()), "kid", Value::Null);
    let key = VerifyingKey::from(parse(&off_curve).unwrap());
    assert!(!key.verify(b"message", KEY.sign(b"message").unwrap().as_ref()));
}

#[test]
fn one_odd_key_does_not_void_the_others() {
    let [p256, ed25519] = published();
    let set = json!({"keys": [
        {"kty": "EC", "crv": "P-521", "x": "AA", "y": "AA"}, p256, "key",
        with(rsa(), "use", json!("enc")), ed25519, {"kty": "AKP"},
    ], "more": 1});
    let parsed = Jwks::parse(set.to_string().as_bytes()).unwrap();
    assert_eq!(parsed.usable.keys, [KEY.public_jwk().clone(), OTHER_KEY.public_jwk().clone()]);
    let refused: Vec<_> = parsed.refused.iter().map(|key| (key.index, key.fault)).collect();
    assert_eq!(
        refused,
        [
            (0, JwkFault::Curve),
            (2, JwkFault::Json(JsonFault::NotAnObject)),
            (3, JwkFault::Use),
            (5, JwkFault::KeyType),
        ]
    );
    let written = serde_json::to_string(&parsed.usable).unwrap();
    assert_eq!(Jwks::parse(written.as_bytes()).unwrap().usable, parsed.usable);
}

/// Readers differ in whether the first or the last of two keys with one `kid` counts; here neither does.
#[test]
fn two_keys_with_one_kid_are_refused() {
    let [p256, ed25519] = published();
    let nameless = with(p256.clone(), "kid", Value::Null);
    let borrowed = with(ed25519.clone(), "kid", p256["kid"].clone());
    let encrypting = with(p256.clone(), "use", json!("enc"));
    for twin in [p256.clone(), nameless, borrowed, encrypting] {
        for keys in [[&p256, &ed25519, &twin], [&twin, &ed25519, &p256]] {
            let parsed = Jwks::parse(json!({ "keys": keys }).to_string().as_bytes()).unwrap();
            assert_eq!(parsed.usable.keys, [OTHER_KEY.public_jwk().clone()], "{keys:?}");
            let refused: Vec<_> = parsed.refused.iter().map(|key| (key.index, key.fault)).collect();
            assert_eq!(refused, [(0, JwkFault::SameKid), (2, JwkFault::SameKid)], "{keys:?}");
        }
    }
}

#[test]
fn what_is_no_set_is_refused() {
    for (text, fault) in [
        ("", JwksFault::Json(JsonFault::Syntax)),
        ("[]", JwksFault::Json(JsonFault::NotAnObject)),
        ("<html>", JwksFault::Json(JsonFault::Syntax)),
        ("{}", JwksFault::NoKeys),
        (r#"{"keys":{}}"#, JwksFault::NoKeys),
        (r#"{"keys":[],"keys":[]}"#, JwksFault::Json(JsonFault::DuplicateMember)),
        (r#"{"keys":[{"kty":"EC","kty":"RSA"}]}"#, JwksFault::Json(JsonFault::DuplicateMember)),
    ] {
        assert_eq!(Jwks::parse(text.as_bytes()), Err(fault), "{text}");
    }
    assert_eq!(Jwks::parse(&vec![b' '; Jwks::MAX_LENGTH + 1]), Err(JwksFault::TooLong));
    assert_eq!(Jwks::parse(br#"{"keys":[]}"#).unwrap().usable, Jwks::default());
}
