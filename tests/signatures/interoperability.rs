//! The same keys and headers as another library sees them.

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD as BASE64URL;
use claviger::jose::jwk::Jwks;
use claviger::jose::jws::{CompactSigner, sign_compact};
use jsonwebtoken::jwk::{AlgorithmParameters, EllipticCurve, JwkSet, KeyAlgorithm, PublicKeyUse};

use crate::forge::{KEY, OTHER_KEY};

#[test]
fn jsonwebtoken_reads_the_key_set() {
    let set = Jwks { keys: vec![KEY.public_jwk().clone(), OTHER_KEY.public_jwk().clone()] };
    let read: JwkSet = serde_json::from_str(&serde_json::to_string(&set).unwrap()).unwrap();

    let es256 = read.find(KEY.kid()).unwrap();
    assert_eq!(es256.common.key_algorithm, Some(KeyAlgorithm::ES256));
    assert_eq!(es256.common.public_key_use, Some(PublicKeyUse::Signature));
    let AlgorithmParameters::EllipticCurve(key) = &es256.algorithm else { panic!("{es256:?}") };
    assert_eq!(key.curve, EllipticCurve::P256);

    let eddsa = read.find(OTHER_KEY.kid()).unwrap();
    assert_eq!(eddsa.common.key_algorithm, Some(KeyAlgorithm::EdDSA));
    let AlgorithmParameters::OctetKeyPair(key) = &eddsa.algorithm else { panic!("{eddsa:?}") };
    assert_eq!(key.curve, EllipticCurve::Ed25519);
}

#[test]
fn jsonwebtoken_reads_the_header() {
    for token in [
        CompactSigner::new(KEY.clone(), "at+jwt").sign(b"{}").unwrap(),
        sign_compact(&KEY, "at+jwt", b"{}").unwrap(),
    ] {
        let header = jsonwebtoken::decode_header(&token).unwrap();
        assert_eq!(header.alg, jsonwebtoken::Algorithm::ES256);
        assert_eq!(header.typ.as_deref(), Some("at+jwt"));
        assert_eq!(header.kid.as_deref(), Some(KEY.kid()));
    }
}

#[test]
fn the_header_has_three_members_in_their_order() {
    let token = sign_compact(&KEY, "a\"b", b"").unwrap();
    let header = BASE64URL.decode(token.split('.').next().unwrap()).unwrap();
    assert_eq!(
        String::from_utf8(header).unwrap(),
        format!(r#"{{"alg":"ES256","typ":"a\"b","kid":"{}"}}"#, KEY.kid())
    );
}
