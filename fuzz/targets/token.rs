//! Any text as a token; and any header with any payload, signed.

#![no_main]

use std::collections::HashSet;
use std::sync::LazyLock;

use claviger::jose::claims::TokenFault;
use claviger::jose::jws::UnverifiedJws;
use claviger_fuzz::issuer::{KEYS, header, key_for, payload, sign, verify};
use claviger_fuzz::oracle;
use libfuzzer_sys::fuzz_target;

/// What was ever signed of what is not signed here: the seeds. A signature can be written in another way, what it
/// signs can not.
static SIGNED: LazyLock<HashSet<String>> = LazyLock::new(|| {
    let good = |key| sign(key, header(key, "at+jwt").as_bytes(), payload().to_string().as_bytes());
    KEYS.iter().map(|key| signing_input(&good(key)).to_owned()).collect()
});

fuzz_target!(|bytes: &[u8]| {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    if verify(text).is_ok() {
        assert!(SIGNED.contains(signing_input(text)), "nobody signed this");
    }
    if let Some((header, payload)) = text.split_once('\n') {
        signed(header.as_bytes(), payload.as_bytes());
    }
});

fn signing_input(token: &str) -> &str {
    token.rsplit_once('.').map_or("", |(signed, _)| signed)
}

/// A token of these two, with the signature of each key: good at most under one.
fn signed(header: &[u8], payload: &[u8]) {
    let unsigned = sign(&KEYS[1], header, payload);
    let named = UnverifiedJws::parse(&unsigned).ok().and_then(|jws| key_for(jws.header().kid()));
    for key in KEYS.iter().filter(|key| named.is_some_and(|named| named.kid() == key.kid())) {
        let token = sign(key, header, payload);
        match verify(&token) {
            Ok(claims) => {
                oracle::check_header(header);
                oracle::check_claims(payload, &claims);
                oracle::check_rights(&claims);
                oracle::check_revocation(payload, &claims);
                let unsigned = format!("{}.", signing_input(&token));
                assert!(verify(&unsigned).is_err(), "it was never about the signature");
            }
            Err(fault) => assert_ne!(fault, TokenFault::UnknownKey),
        }
    }
}
