//! Headers that would have the verifier choose another algorithm, another key, or another reading.

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD as BASE64URL;
use claviger::jose::claims::TokenFault;
use claviger::jose::jwk::JsonFault;
use claviger::jose::jws::JwsFault;
use ring::hmac;
use serde_json::{Value, json};

use crate::forge::{self, KEY, OTHER_KEY, header, payload, sign, sign_with, verify, verify_header, with};

#[test]
fn a_good_token_is_good() {
    let claims = verify(&forge::good_token()).unwrap();
    assert_eq!(claims.subject, "key_0123456789abcdef");
    let header = with(header(), "kid", json!(OTHER_KEY.kid()));
    let header = with(header, "alg", json!("EdDSA"));
    verify(&sign_with(&OTHER_KEY, &header.to_string(), &payload().to_string())).unwrap();
}

#[test]
fn alg_none_is_refused_in_every_spelling_signed_or_not() {
    for name in ["none", "None", "NONE", "nOnE", "", " none", "none\0"] {
        let header = with(header(), "alg", json!(name)).to_string();
        let signed = sign(&header, &payload().to_string());
        let unsigned = format!("{}.", signed.rsplit_once('.').unwrap().0);
        for token in [signed, unsigned] {
            assert_eq!(verify(&token), Err(TokenFault::Jws(JwsFault::Algorithm)), "{name:?}");
        }
    }
}

#[test]
fn an_unsigned_token_is_refused_though_it_names_a_good_algorithm() {
    let token = forge::good_token();
    let unsigned = format!("{}.", token.rsplit_once('.').unwrap().0);
    assert_eq!(verify(&unsigned), Err(TokenFault::Jws(JwsFault::Signature)));
}

#[test]
fn hs256_keyed_with_the_public_key_is_refused() {
    let jwk = serde_json::to_string(KEY.public_jwk()).unwrap();
    let header = with(header(), "alg", json!("HS256")).to_string();
    let input = format!("{}.{}", BASE64URL.encode(header), BASE64URL.encode(payload().to_string()));
    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, jwk.as_bytes()), input.as_bytes());
    let token = format!("{input}.{}", BASE64URL.encode(tag));
    assert_eq!(verify(&token), Err(TokenFault::Jws(JwsFault::Algorithm)));
}

#[test]
fn other_algorithms_are_refused() {
    for name in ["HS384", "ES384", "ES512", "ES256K", "RS384", "PS256", "Ed25519", "es256", "Es256", "ES256 "]
    {
        assert_eq!(verify_header("alg", json!(name)), Err(TokenFault::Jws(JwsFault::Algorithm)), "{name}");
    }
    for value in [Value::Null, json!(["ES256"]), json!({"ES256": 1}), json!(7), json!(true)] {
        assert_eq!(verify_header("alg", value.clone()), Err(TokenFault::Jws(JwsFault::Algorithm)), "{value}");
    }
}

#[test]
fn the_algorithm_of_another_key_is_refused() {
    for name in ["EdDSA", "RS256"] {
        assert_eq!(
            verify_header("alg", json!(name)),
            Err(TokenFault::Jws(JwsFault::OtherAlgorithm)),
            "{name}"
        );
    }
}

#[test]
fn a_key_is_found_by_its_id_alone() {
    let other = with(header(), "kid", json!(OTHER_KEY.kid())).to_string();
    assert_eq!(verify(&sign(&other, &payload().to_string())), Err(TokenFault::Jws(JwsFault::OtherAlgorithm)));
    assert_eq!(verify_header("kid", json!("unknown")), Err(TokenFault::UnknownKey));
    assert_eq!(verify_header("kid", json!(format!("{} ", KEY.kid()))), Err(TokenFault::UnknownKey));
    assert_eq!(verify_header("kid", json!("../../etc/passwd")), Err(TokenFault::UnknownKey));
    assert_eq!(verify_header("kid", json!("' OR 1=1 --")), Err(TokenFault::UnknownKey));
}

#[test]
fn a_missing_or_odd_kid_is_refused() {
    for value in [
        Value::Null,
        json!([KEY.kid()]),
        json!({"kid": KEY.kid()}),
        json!(1),
        json!(""),
        json!("k".repeat(129)),
    ] {
        assert_eq!(verify_header("kid", value.clone()), Err(TokenFault::Jws(JwsFault::Kid)), "{value}");
    }
}

#[test]
fn a_key_lookup_that_gives_the_wrong_key_is_caught() {
    let token = forge::good_token();
    let jws = claviger::jose::jws::UnverifiedJws::parse(&token).unwrap();
    assert_eq!(jws.verify(&forge::verifying(&OTHER_KEY)).unwrap_err(), JwsFault::OtherKey);
}

/// Refused before any key is looked up; nothing here could open a connection, and nothing is asked to.
#[test]
fn keys_and_addresses_in_the_header_are_refused() {
    let jwk = serde_json::to_value(OTHER_KEY.public_jwk()).unwrap();
    for (name, value) in [
        ("jwk", jwk),
        ("jku", json!("https://evil.example/jwks.json")),
        ("x5u", json!("https://evil.example/cert.pem")),
        ("x5c", json!(["MIIB"])),
    ] {
        assert_eq!(verify_header(name, value), Err(TokenFault::Jws(JwsFault::Parameter(name))));
    }
}

#[test]
fn parameters_that_change_the_reading_are_refused() {
    for (name, value) in
        [("b64", json!(false)), ("b64", json!(true)), ("zip", json!("DEF")), ("enc", json!("A128GCM"))]
    {
        assert_eq!(verify_header(name, value), Err(TokenFault::Jws(JwsFault::Parameter(name))));
    }
}

#[test]
fn crit_is_refused_whatever_it_lists() {
    for value in
        [json!(["exp"]), json!(["b64"]), json!(["urn:example:x"]), json!(["alg"]), json!([]), json!("exp")]
    {
        assert_eq!(verify_header("crit", value.clone()), Err(TokenFault::Jws(JwsFault::Critical)), "{value}");
    }
    let null = header().to_string().replace('{', r#"{"crit":null,"#);
    assert_eq!(verify(&sign(&null, &payload().to_string())), Err(TokenFault::Jws(JwsFault::Critical)));
}

#[test]
fn unknown_parameters_are_ignored() {
    verify_header("cty", json!("x")).unwrap();
    verify_header("urn:example:note", json!({"deep": [1]})).unwrap();
}

#[test]
fn only_access_tokens_are_access_tokens() {
    for name in ["at+jwt", "AT+JWT", "application/at+jwt", "Application/At+Jwt"] {
        verify_header("typ", json!(name)).unwrap();
    }
    for name in
        ["JWT", "jwt", "", "revocations+jwt", "at+jwt ", " at+jwt", "text/at+jwt", "application/", "at+jwt+x"]
    {
        assert_eq!(verify_header("typ", json!(name)), Err(TokenFault::Type), "{name:?}");
    }
    assert_eq!(verify_header("typ", json!("application/application/at+jwt")), Err(TokenFault::Type));
    assert_eq!(verify_header("typ", Value::Null), Err(TokenFault::Type));
    assert_eq!(verify_header("typ", json!(["at+jwt"])), Err(TokenFault::Jws(JwsFault::Typ)));
}

#[test]
fn a_member_twice_is_refused() {
    let duplicate = Err(TokenFault::Jws(JwsFault::Header(JsonFault::DuplicateMember)));
    for member in [r#""alg":"none""#, r#""alg":"ES256""#, r#""\u0061lg":"none""#, r#""typ":"JWT""#] {
        let first = header().to_string().replace('{', &format!("{{{member},"));
        let last = header().to_string().replace('}', &format!(",{member}}}"));
        for header in [first, last] {
            assert_eq!(verify(&sign(&header, &payload().to_string())), duplicate, "{header}");
        }
    }
    let nested = header().to_string().replace('}', r#","x":{"y":[{"z":1,"z":2}]}}"#);
    assert_eq!(verify(&sign(&nested, &payload().to_string())), duplicate);
}

#[test]
fn a_header_is_one_json_object() {
    for (header, fault) in [
        ("", JsonFault::Syntax),
        ("ES256", JsonFault::Syntax),
        ("[]", JsonFault::NotAnObject),
        ("null", JsonFault::NotAnObject),
        (r#""{\"alg\":\"ES256\"}""#, JsonFault::NotAnObject),
        ("\u{feff}{}", JsonFault::Syntax),
        ("{}{}", JsonFault::Syntax),
        ("{\"alg\":\"ES256\"}\0", JsonFault::Syntax),
    ] {
        let refused = Err(TokenFault::Jws(JwsFault::Header(fault)));
        assert_eq!(verify(&sign(header, &payload().to_string())), refused, "{header}");
    }
    let deep = format!(r#"{{"alg":"ES256","x":{}{}}}"#, "[".repeat(100), "]".repeat(100));
    assert_eq!(
        verify(&sign(&deep, &payload().to_string())),
        Err(TokenFault::Jws(JwsFault::Header(JsonFault::TooDeep)))
    );
}
