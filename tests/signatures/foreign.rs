//! Keys and signatures of other parties.

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD as BASE64URL;
use claviger::jose::foreign::{
    Algorithm, ForeignJwkFault, ForeignJwsFault, Jwk, Jws, PublicPemFault, import_public,
};
use claviger::jose::jwk::JwkFault;
use claviger::jose::jws::JwsFault;
use ring::rand::SystemRandom;
use ring::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair,
    KeyPair as _, RSA_PKCS1_SHA256, RSA_PKCS1_SHA384, RSA_PKCS1_SHA512, RSA_PSS_SHA256, RsaEncoding,
    RsaKeyPair, RsaPublicKeyComponents,
};
use rustls_pki_types::PrivatePkcs8KeyDer;
use rustls_pki_types::pem::PemObject as _;
use serde_json::{Value, json};

const RSA: &str = include_str!("../vectors/pem/rsa-2048.pem");

type Sign = Box<dyn Fn(&[u8]) -> Vec<u8>>;

/// A public key as JSON, and what signs for it.
struct Signer {
    jwk: Value,
    sign: Sign,
}

fn b64(bytes: impl AsRef<[u8]>) -> String {
    BASE64URL.encode(bytes)
}

fn elliptic(algorithm: Algorithm) -> Signer {
    let (signing, curve) = match algorithm {
        Algorithm::Es256 => (&ECDSA_P256_SHA256_FIXED_SIGNING, "P-256"),
        _ => (&ECDSA_P384_SHA384_FIXED_SIGNING, "P-384"),
    };
    let random = SystemRandom::new();
    let pkcs8 = EcdsaKeyPair::generate_pkcs8(signing, &random).unwrap();
    let pair = EcdsaKeyPair::from_pkcs8(signing, pkcs8.as_ref(), &random).unwrap();
    let (x, y) = pair.public_key().as_ref()[1..].split_at(pair.public_key().as_ref().len() / 2);
    let jwk = json!({ "kty": "EC", "crv": curve, "x": b64(x), "y": b64(y) });
    Signer { jwk, sign: Box::new(move |message| pair.sign(&random, message).unwrap().as_ref().to_vec()) }
}

fn ed25519() -> Signer {
    let pkcs8 = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).unwrap();
    let pair = Ed25519KeyPair::from_pkcs8(pkcs8.as_ref()).unwrap();
    let jwk = json!({ "kty": "OKP", "crv": "Ed25519", "x": b64(pair.public_key()) });
    Signer { jwk, sign: Box::new(move |message| pair.sign(message).as_ref().to_vec()) }
}

fn rsa(algorithm: Algorithm) -> Signer {
    let encoding: &'static dyn RsaEncoding = match algorithm {
        Algorithm::Ps256 => &RSA_PSS_SHA256,
        Algorithm::Rs256 => &RSA_PKCS1_SHA256,
        Algorithm::Rs384 => &RSA_PKCS1_SHA384,
        _ => &RSA_PKCS1_SHA512,
    };
    let der = PrivatePkcs8KeyDer::from_pem_slice(RSA.as_bytes()).unwrap();
    let pair = RsaKeyPair::from_pkcs8(der.secret_pkcs8_der()).unwrap();
    let RsaPublicKeyComponents { n, e } = RsaPublicKeyComponents::<Vec<u8>>::from(pair.public());
    let jwk = json!({ "kty": "RSA", "alg": algorithm.as_str(), "n": b64(n), "e": b64(e) });
    let sign = move |message: &[u8]| {
        let mut signature = vec![0; pair.public().modulus_len()];
        pair.sign(encoding, &SystemRandom::new(), message, &mut signature).unwrap();
        signature
    };
    Signer { jwk, sign: Box::new(sign) }
}

fn signer(algorithm: Algorithm) -> Signer {
    match algorithm {
        Algorithm::Es256 | Algorithm::Es384 => elliptic(algorithm),
        Algorithm::EdDsa => ed25519(),
        _ => rsa(algorithm),
    }
}

fn parse(jwk: &Value) -> Result<Jwk, ForeignJwkFault> {
    Jwk::parse(jwk.to_string().as_bytes())
}

fn token(header: &Value, signer: &Signer) -> String {
    let input = format!("{}.{}", b64(header.to_string()), b64("{}"));
    let signature = (signer.sign)(input.as_bytes());
    format!("{input}.{}", b64(signature))
}

fn with(mut object: Value, member: &str, value: impl Into<Value>) -> Value {
    object[member] = value.into();
    object
}

#[test]
fn every_algorithm_verifies_its_signatures_and_none_of_another() {
    for algorithm in Algorithm::ALL {
        let signer = signer(algorithm);
        let key = parse(&signer.jwk).unwrap();
        assert_eq!(key.algorithm(), algorithm);
        let signed = token(&json!({ "alg": algorithm.as_str(), "kid": key.kid() }), &signer);
        assert_eq!(Jws::parse(&signed).unwrap().verify(&key), Ok(&b"{}"[..]), "{algorithm}");
        let unnamed = token(&json!({ "alg": algorithm.as_str() }), &signer);
        assert_eq!(Jws::parse(&unnamed).unwrap().verify(&key), Ok(&b"{}"[..]), "{algorithm} without kid");
        for other in Algorithm::ALL.into_iter().filter(|other| *other != algorithm) {
            let claimed = token(&json!({ "alg": other.as_str() }), &signer);
            assert_eq!(Jws::parse(&claimed).unwrap().verify(&key), Err(JwsFault::OtherAlgorithm), "{other}");
        }
    }
}

#[test]
fn an_rsa_signature_of_another_padding_or_hash_is_wrong() {
    let rsa = [Algorithm::Ps256, Algorithm::Rs256, Algorithm::Rs384, Algorithm::Rs512];
    for (made, claimed) in rsa.iter().flat_map(|made| rsa.map(|claimed| (*made, claimed))) {
        let key = parse(&with(signer(made).jwk, "alg", claimed.as_str())).unwrap();
        let signed = token(&json!({ "alg": claimed.as_str() }), &signer(made));
        let verdict = Jws::parse(&signed).unwrap().verify(&key).map(drop);
        let expected = if made == claimed { Ok(()) } else { Err(JwsFault::Signature) };
        assert_eq!(verdict, expected, "{made} as {claimed}");
    }
}

#[test]
fn another_kid_and_another_key_are_refused() {
    let (one, two) = (ed25519(), ed25519());
    let key = parse(&with(one.jwk.clone(), "kid", "mine")).unwrap();
    assert_eq!(key.kid(), "mine");
    let other = token(&json!({ "alg": "EdDSA", "kid": "other" }), &one);
    assert_eq!(Jws::parse(&other).unwrap().verify(&key), Err(JwsFault::OtherKey));
    let forged = token(&json!({ "alg": "Ed25519", "kid": "mine" }), &two);
    assert_eq!(Jws::parse(&forged).unwrap().verify(&key), Err(JwsFault::Signature));
}

#[test]
fn headers_that_would_widen_the_choice_are_refused() {
    let signer = ed25519();
    let header = json!({ "alg": "EdDSA" });
    for (header, fault) in [
        (with(header.clone(), "alg", "none"), ForeignJwsFault::Algorithm),
        (with(header.clone(), "alg", "HS256"), ForeignJwsFault::Algorithm),
        (with(header.clone(), "alg", 7), ForeignJwsFault::Algorithm),
        (json!({}), ForeignJwsFault::Algorithm),
        (with(header.clone(), "crit", json!([])), JwsFault::Critical.into()),
        (with(header.clone(), "jwk", signer.jwk.clone()), JwsFault::Parameter("jwk").into()),
        (with(header.clone(), "jku", "https://x.example"), JwsFault::Parameter("jku").into()),
        (with(header.clone(), "kid", ""), JwsFault::Kid.into()),
        (with(header.clone(), "kid", 1), JwsFault::Kid.into()),
        (with(header.clone(), "typ", 1), JwsFault::Typ.into()),
    ] {
        assert_eq!(Jws::parse(&token(&header, &signer)).map(drop), Err(fault), "{header}");
    }
}

#[test]
fn a_proof_brings_its_public_key_and_no_private_one() {
    let signer = elliptic(Algorithm::Es256);
    let header = json!({ "typ": "dpop+jwt", "alg": "ES256", "jwk": signer.jwk.clone() });
    let proof = token(&header, &signer);
    let (proof, key) = Jws::parse_with_jwk(&proof).unwrap();
    assert!(proof.header().is_one_of(&["dpop+jwt"]));
    assert_eq!(proof.verify(&key), Ok(&b"{}"[..]));
    let secret = with(header.clone(), "jwk", with(signer.jwk.clone(), "d", "AA"));
    for (header, fault) in [
        (secret, ForeignJwkFault::Jwk(JwkFault::Secret("d"))),
        (json!({ "alg": "ES256" }), ForeignJwkFault::Jwk(JwkFault::Missing("jwk"))),
        (with(header, "alg", "EdDSA"), ForeignJwkFault::OtherAlgorithm(Algorithm::EdDsa)),
    ] {
        let refused = Jws::parse_with_jwk(&token(&header, &signer)).map(drop);
        assert_eq!(refused, Err(ForeignJwsFault::Jwk(fault)), "{header}");
    }
}

#[test]
fn a_key_that_is_not_public_or_not_clear_is_refused_by_name() {
    let (p256, rsa) = (elliptic(Algorithm::Es256).jwk, rsa(Algorithm::Ps256).jwk);
    let mut no_algorithm = rsa.clone();
    no_algorithm.as_object_mut().unwrap().remove("alg");
    let symmetric = json!({ "kty": "oct", "k": "c2VjcmV0" });
    for (jwk, fault) in [
        (with(p256.clone(), "d", "AA"), JwkFault::Secret("d").into()),
        (with(rsa.clone(), "qi", "AA"), JwkFault::Secret("qi").into()),
        (symmetric, JwkFault::Secret("k").into()),
        (with(p256.clone(), "crv", "secp256k1"), ForeignJwkFault::Curve),
        (with(p256.clone(), "crv", "P-384"), JwkFault::Coordinate("x", 48).into()),
        (with(p256.clone(), "alg", "RS256"), ForeignJwkFault::OtherAlgorithm(Algorithm::Rs256)),
        (with(p256.clone(), "kid", ""), ForeignJwkFault::Kid),
        (with(p256.clone(), "kid", "a\nb"), ForeignJwkFault::Kid),
        (with(p256.clone(), "kid", "k".repeat(129)), ForeignJwkFault::Kid),
        (with(p256.clone(), "use", "enc"), JwkFault::Use.into()),
        (with(rsa.clone(), "n", b64([0xff; 128])), JwkFault::Modulus.into()),
        (no_algorithm, ForeignJwkFault::NoAlgorithm),
    ] {
        assert_eq!(parse(&jwk), Err(fault), "{jwk}");
    }
}

#[test]
fn a_key_reads_back_from_its_own_json() {
    for algorithm in Algorithm::ALL {
        let key = parse(&with(signer(algorithm).jwk, "kid", "a kid/with:signs")).unwrap();
        let json = serde_json::to_vec(&key).unwrap();
        assert_eq!(Jwk::parse(&json), Ok(key), "{algorithm}");
    }
}

#[test]
fn public_keys_in_pem_are_read_and_everything_else_is_named() {
    let public =
        |name: &str| std::fs::read_to_string(format!("tests/vectors/pem/public/{name}.pem")).unwrap();
    for (name, algorithm) in
        [("p256", Algorithm::Es256), ("p384", Algorithm::Es384), ("ed25519", Algorithm::EdDsa)]
    {
        let key = import_public(&public(name), None, Some("k".into())).unwrap();
        assert_eq!((key.algorithm(), key.kid()), (algorithm, "k"), "{name}");
    }
    let rsa = import_public(&public("rsa-2048"), Some(Algorithm::Ps256), None).unwrap();
    assert_eq!((rsa.algorithm(), rsa.kid().len()), (Algorithm::Ps256, 43));
    for (pem, fault) in [
        (public("rsa-2048"), PublicPemFault::Jwk(ForeignJwkFault::NoAlgorithm)),
        (public("rsa-1024"), PublicPemFault::Jwk(ForeignJwkFault::Jwk(JwkFault::Modulus))),
        (public("rsa-2048-pkcs1"), PublicPemFault::Pkcs1),
        (public("rsa-pss"), PublicPemFault::Unsupported),
        (public("p521"), PublicPemFault::Unsupported),
        (public("x25519"), PublicPemFault::Unsupported),
        (public("p256").repeat(2), PublicPemFault::SeveralKeys),
        (public("p256").replace('M', "!"), PublicPemFault::Malformed),
        (public("../p256-certificate"), PublicPemFault::Certificate),
        (RSA.to_owned(), PublicPemFault::PrivateKey),
        ("hello".to_owned(), PublicPemFault::NoKey),
    ] {
        assert_eq!(import_public(&pem, None, None), Err(fault), "{pem}");
    }
}
