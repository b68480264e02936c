//! Signatures that some verifier, somewhere, has taken for good.

use claviger::jose::jwk::Algorithm;
use claviger::node::keyring::SigningKeySource;

use crate::forge::{Forgery, Good};
use crate::key_info::der;
use crate::support::{Backend, on_both};
use crate::token_readers::TokenReaders;

on_both!(
    psychic_signatures_are_refused,
    a_signature_in_der_or_of_another_length_is_refused,
    a_signature_of_another_token_is_refused,
    malleable_ed25519_signatures_are_refused,
    broken_rsa_signatures_are_refused,
);

/// The order of the curve P-256, big-endian (SEC 2 §2.4.2).
pub(crate) const P256_ORDER: [u8; 32] = [
    0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xbc, 0xe6, 0xfa,
    0xad, 0xa7, 0x17, 0x9e, 0x84, 0xf3, 0xb9, 0xca, 0xc2, 0xfc, 0x63, 0x25, 0x51,
];

/// The order of Ed25519's base point, little-endian (RFC 8032 §5.1).
const ED25519_ORDER: [u8; 32] = [
    0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14, 0, 0, 0,
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10,
];

const ZERO: [u8; 32] = [0; 32];

fn one() -> [u8; 32] {
    let mut one = ZERO;
    one[31] = 1;
    one
}

async fn psychic_signatures_are_refused(backend: Backend) {
    let readers = TokenReaders::new(backend).await;
    readers
        .refuse_all(|good| {
            let signature = good.signature();
            let (r, s): ([u8; 32], [u8; 32]) =
                (signature[..32].try_into().unwrap(), signature[32..].try_into().unwrap());
            let mut above = P256_ORDER;
            above[31] += 1;
            let numbers = [
                ("0", ZERO),
                ("1", one()),
                ("n", P256_ORDER),
                ("n+1", above),
                ("2^256-1", [0xff; 32]),
                ("the good r", r),
                ("the good s", s),
            ];
            let mut forgeries = Vec::new();
            for (r_name, as_r) in numbers {
                for (s_name, as_s) in numbers {
                    if (as_r, as_s) != (r, s) {
                        let token = good.signed_by(&[as_r, as_s].concat());
                        forgeries.push(Forgery::unsigned(format!("r = {r_name}, s = {s_name}"), token));
                    }
                }
            }
            forgeries
        })
        .await;
}

async fn a_signature_in_der_or_of_another_length_is_refused(backend: Backend) {
    let readers = TokenReaders::new(backend).await;
    readers
        .refuse_all(|good| {
            let signature = good.signature();
            let (r, s) = signature.split_at(32);
            let in_der = der(0x30, &[integer(r), integer(s)].concat());
            [
                ("in DER", in_der),
                ("a zero byte in front", [&[0], &signature[..]].concat()),
                ("a zero byte behind", [&signature[..], &[0]].concat()),
                ("a zero byte in front of r and s", [&[0], r, &[0], s].concat()),
                ("without its last byte", signature[..63].to_vec()),
                ("without its first byte", signature[1..].to_vec()),
                ("r alone", r.to_vec()),
                ("twice", signature.repeat(2)),
                ("s before r", [s, r].concat()),
                (
                    "in hexadecimal",
                    signature.iter().flat_map(|byte| format!("{byte:02x}").into_bytes()).collect(),
                ),
                ("backwards", signature.iter().rev().copied().collect()),
            ]
            .map(|(name, signature)| Forgery::unsigned(name, good.signed_by(&signature)))
            .into()
        })
        .await;
}

/// A number in DER.
fn integer(number: &[u8]) -> Vec<u8> {
    let zeros = number.iter().take_while(|byte| **byte == 0).count();
    let sign = if number[zeros] < 128 { &[][..] } else { &[0] };
    der(0x02, &[sign, &number[zeros..]].concat())
}

async fn a_signature_of_another_token_is_refused(backend: Backend) {
    let readers = TokenReaders::new(backend).await;
    readers
        .refuse_all(|good| {
            let [header, payload, signature] = good.parts();
            let other = good.with_claim("scope", serde_json::json!("*:*"));
            let [_, other_payload, other_signature] =
                <[&str; 3]>::try_from(other.split('.').collect::<Vec<_>>()).unwrap();
            let of_payload = good.key().sign(payload.as_bytes()).unwrap();
            let of_bytes = good.key().sign(good.payload.to_string().as_bytes()).unwrap();
            let mut forgeries = vec![
                Forgery::unsigned("another payload", format!("{header}.{other_payload}.{signature}")),
                Forgery::unsigned("another signature", format!("{header}.{payload}.{other_signature}")),
                Forgery::unsigned("a signature of the payload alone", good.signed_by(of_payload.as_ref())),
                Forgery::unsigned("a signature of what is not encoded", good.signed_by(of_bytes.as_ref())),
            ];
            for bit in (0..good.signature().len() * 8).step_by(7) {
                let mut turned = good.signature();
                turned[bit / 8] ^= 1 << (bit % 8);
                forgeries.push(Forgery::unsigned(format!("bit {bit} turned over"), good.signed_by(&turned)));
            }
            forgeries
        })
        .await;
}

async fn malleable_ed25519_signatures_are_refused(backend: Backend) {
    let readers = TokenReaders::signing_with(backend, SigningKeySource::Generate(Algorithm::EdDsa)).await;
    readers
        .refuse_all(|good| {
            let signature = good.signature();
            let (r, s) = signature.split_at(32);
            let mut identity = ZERO;
            identity[0] = 1;
            [
                ("S + L", [r, &plus_order(s)].concat()),
                ("S = L", [r, &ED25519_ORDER].concat()),
                ("S = 0", [r, &ZERO].concat()),
                ("R = 0, S = 0", vec![0; 64]),
                ("R is the identity, S = 0", [identity, ZERO].concat()),
                ("R is the identity, S = L", [identity, ED25519_ORDER].concat()),
                ("S with its highest bit", [r, &s[..31], &[s[31] | 0x80]].concat()),
                ("nothing but ones", vec![0xff; 64]),
                ("a byte short", signature[..63].to_vec()),
                ("a byte too long", [&signature[..], &[0]].concat()),
            ]
            .map(|(name, signature)| Forgery::unsigned(name, good.signed_by(&signature)))
            .into()
        })
        .await;
}

fn plus_order(s: &[u8]) -> Vec<u8> {
    let mut carry = 0;
    let add = |(digit, order): (&u8, u8)| {
        let sum = u16::from(*digit) + u16::from(order) + carry;
        carry = sum >> 8;
        sum as u8
    };
    s.iter().zip(ED25519_ORDER).map(add).collect()
}

async fn broken_rsa_signatures_are_refused(backend: Backend) {
    let pem = include_str!("../vectors/pem/rsa-2048.pem").to_owned();
    let readers = TokenReaders::signing_with(backend, SigningKeySource::Pem(pem.into())).await;
    readers.refuse_all(broken_rsa).await;
}

fn broken_rsa(good: &Good) -> Vec<Forgery> {
    let signature = good.signature();
    let mut one = vec![0; 256];
    one[255] = 1;
    let n = good.modulus();
    let mut below = n.clone();
    below[255] -= 1;
    [
        ("0", vec![0; 256]),
        ("1", one),
        ("n", n),
        ("n - 1", below),
        ("nothing but ones", vec![0xff; 256]),
        ("empty", Vec::new()),
        ("a zero byte in front", [&[0], &signature[..]].concat()),
        ("a zero byte behind", [&signature[..], &[0]].concat()),
        ("a byte short", signature[..255].to_vec()),
        ("without its first byte", signature[1..].to_vec()),
    ]
    .map(|(name, signature)| Forgery::unsigned(name, good.signed_by(&signature)))
    .into()
}

impl Good {
    /// Of an RSA key.
    fn modulus(&self) -> Vec<u8> {
        use base64::Engine as _;
        let jwk = serde_json::to_value(self.key().public_jwk()).unwrap();
        base64::prelude::BASE64_URL_SAFE_NO_PAD.decode(jwk["n"].as_str().unwrap()).unwrap()
    }
}
