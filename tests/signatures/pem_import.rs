//! Keys as the `openssl` command line writes them, in `tests/vectors/pem`.

use claviger::jose::jwk::{Algorithm, KeyFault, SigningKey, VerifyingKey};
use claviger::jose::pem::{PemFault, import};

macro_rules! pem {
    ($name:literal) => {
        include_str!(concat!("../vectors/pem/", $name, ".pem"))
    };
}

#[test]
fn good_keys_sign_and_are_read_again_from_their_document() {
    for (pem, algorithm) in [
        (pem!("p256"), Algorithm::Es256),
        (pem!("p256-with-certificate"), Algorithm::Es256),
        (pem!("ed25519"), Algorithm::EdDsa),
        (pem!("rsa-2048"), Algorithm::Rs256),
        (pem!("rsa-2048-pkcs1"), Algorithm::Rs256),
        (pem!("rsa-3072"), Algorithm::Rs256),
        (pem!("rsa-4096"), Algorithm::Rs256),
    ] {
        let (key, document) = import(pem).unwrap();
        assert_eq!(key.algorithm(), algorithm);
        let again = SigningKey::from_pkcs8(algorithm, document.as_bytes()).unwrap();
        assert_eq!(again.public_jwk(), key.public_jwk());
        let verifying = VerifyingKey::from(again.public_jwk().clone());
        assert!(verifying.verify(b"message", key.sign(b"message").unwrap().as_ref()));
    }
}

/// Some editors put a byte order mark in front of what they save.
#[test]
fn a_byte_order_mark_in_front_is_ignored() {
    let marked = format!("\u{feff}{}", pem!("p256"));
    assert_eq!(import(&marked).unwrap().0.kid(), import(pem!("p256")).unwrap().0.kid());
    assert_eq!(import(&format!("\u{feff}{marked}")).unwrap_err(), PemFault::NoKey);
}

#[test]
fn pkcs1_and_pkcs8_are_the_same_key_and_document() {
    let (pkcs8, wrapped) = (import(pem!("rsa-2048")).unwrap(), import(pem!("rsa-2048-pkcs1")).unwrap());
    assert_eq!(pkcs8.0.kid(), wrapped.0.kid());
    assert_eq!(pkcs8.1.as_bytes(), wrapped.1.as_bytes());
}

#[test]
fn bad_keys_are_refused_for_what_they_are() {
    for (pem, fault) in [
        ("", PemFault::NoKey),
        ("not a key", PemFault::NoKey),
        (pem!("p256-certificate"), PemFault::Certificate),
        (pem!("p256-public"), PemFault::PublicKey),
        (pem!("two-keys"), PemFault::SeveralKeys),
        (pem!("p256-encrypted"), PemFault::Encrypted),
        (pem!("rsa-2048-pkcs1-encrypted"), PemFault::Encrypted),
        (pem!("p256-sec1"), PemFault::Sec1),
        (pem!("openssh-ed25519"), PemFault::OpenSsh),
        (pem!("p384"), PemFault::Curve),
        (pem!("p256-without-public"), PemFault::NoPublicHalf),
        (pem!("x25519"), PemFault::Unsupported),
        (pem!("rsa-1024"), PemFault::RsaSize(1024)),
        (pem!("rsa-2560"), PemFault::RsaSize(2560)),
        (pem!("rsa-8192"), PemFault::RsaSize(8192)),
        (pem!("rsa-pss-2048"), PemFault::RsaPss),
        (pem!("rsa-2048-inconsistent"), PemFault::Inconsistent),
    ] {
        assert_eq!(import(pem).unwrap_err(), fault);
    }
}

#[test]
fn what_can_be_converted_is_refused_with_the_command_that_does_it() {
    for pem in [pem!("p256-sec1"), pem!("p256-encrypted")] {
        assert!(import(pem).unwrap_err().to_string().contains("openssl pkcs8 -topk8 -nocrypt"));
    }
}

#[test]
fn damage_is_noticed() {
    let good = pem!("p256");
    for damaged in [
        good.replace("-----END PRIVATE KEY-----", ""),
        good.replace("-----END PRIVATE KEY-----", "-----END RSA PRIVATE KEY-----"),
        good.replacen("MI", "*I", 1),
        "-----BEGIN PRIVATE KEY-----\n-----END PRIVATE KEY-----\n".to_owned(),
        "-----BEGIN PRIVATE KEY-----\nMIGH\n-----END PRIVATE KEY-----\n".to_owned(),
    ] {
        assert_eq!(import(&damaged).unwrap_err(), PemFault::Malformed, "{damaged}");
    }
}

#[test]
fn line_ends_and_surroundings_do_not_matter() {
    let kid = import(pem!("ed25519")).unwrap().0.kid().to_owned();
    for pem in [
        pem!("ed25519").replace('\n', "\r\n"),
        pem!("ed25519").replace('\n', "\r"),
        format!("Subject: a comment\n{}", pem!("ed25519")),
        pem!("ed25519").trim_end().to_owned(),
    ] {
        assert_eq!(import(&pem).unwrap().0.kid(), kid);
    }
}

#[test]
fn a_key_is_for_its_own_algorithm_only() {
    let (_, document) = import(pem!("p256")).unwrap();
    for algorithm in [Algorithm::EdDsa, Algorithm::Rs256] {
        let refused = SigningKey::from_pkcs8(algorithm, document.as_bytes()).unwrap_err();
        assert!(matches!(refused, KeyFault::Rejected { .. }));
    }
}

#[test]
fn rsa_keys_are_not_generated() {
    assert_eq!(SigningKey::generate(Algorithm::Rs256).unwrap_err(), KeyFault::CannotGenerateRsa);
}

#[test]
fn nothing_secret_is_printed() {
    let (key, document) = import(pem!("p256")).unwrap();
    assert_eq!(format!("{document:?}"), "Pkcs8([redacted])");
    assert_eq!(format!("{key:?}"), format!("SigningKey(ES256 {}, [redacted])", key.kid()));
}
