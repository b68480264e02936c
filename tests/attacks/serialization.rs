//! Tokens that are not quite in the compact serialization.

use claviger::jose::claims::TokenFault;
use claviger::jose::jwk::JsonFault;
use claviger::jose::jws::{JwsFault, Part};
use serde_json::json;

use crate::forge::{Forgery, Good, with};
use crate::support::{Backend, on_both};
use crate::token_readers::TokenReaders;

on_both!(
    a_token_without_exactly_three_parts_is_refused,
    the_json_serialization_is_refused,
    a_nested_token_is_refused,
    base64url_with_anything_else_in_it_is_refused,
    a_token_with_anything_after_it_is_refused,
    a_truncated_token_is_refused,
);

const ALPHABET: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
const PARTS: [Part; 3] = [Part::Header, Part::Payload, Part::Signature];

async fn a_token_without_exactly_three_parts_is_refused(backend: Backend) {
    let readers = TokenReaders::new(backend).await;
    readers
        .refuse_all(|good| {
            let [header, payload, signature] = good.parts();
            let token = &good.token;
            let mut forgeries: Vec<Forgery> = [
                ("one part", header.to_owned()),
                ("a full stop", ".".to_owned()),
                ("two parts", format!("{header}.{payload}")),
                ("four parts", format!("{token}.{signature}")),
                ("five parts, as of an encrypted token", format!("{token}.{signature}.{signature}")),
                ("six parts, as of two tokens", format!("{token}.{token}")),
                ("a full stop in front", format!(".{token}")),
                ("a full stop behind", format!("{token}.")),
                ("two full stops in a row", format!("{header}..{payload}.{signature}")),
                ("four full stops", "....".to_owned()),
                ("commas", token.replace('.', ",")),
                ("full stops of a wide script", token.replace('.', "\u{ff0e}")),
                ("ideographic full stops", token.replace('.', "\u{3002}")),
                ("leaders of one dot", token.replace('.', "\u{2024}")),
                ("escaped full stops", token.replace('.', "%2E")),
            ]
            .map(|(name, token)| Forgery::new(name, token, JwsFault::Parts))
            .into();
            forgeries.push(Forgery::new("nothing but full stops", "..", JwsFault::Header(JsonFault::Syntax)));
            let detached = format!("{header}..{signature}");
            forgeries.push(Forgery::unsigned("a detached payload (RFC 7515, appendix F)", detached));
            forgeries
        })
        .await;
}

async fn the_json_serialization_is_refused(backend: Backend) {
    let readers = TokenReaders::new(backend).await;
    readers
        .refuse_all(|good| {
            let [protected, payload, signature] = good.parts();
            let flattened = json!({ "protected": protected, "payload": payload, "signature": signature });
            let one = json!({ "protected": protected, "signature": signature });
            let general = json!({ "payload": payload, "signatures": [one] });
            [("flattened", flattened), ("general", general), ("in an array", json!([good.token]))]
                .map(|(name, json)| {
                    let token = json.to_string();
                    let fault =
                        if token.contains('.') { JwsFault::Base64(Part::Header) } else { JwsFault::Parts };
                    Forgery::new(name, token, fault)
                })
                .into()
        })
        .await;
}

async fn a_nested_token_is_refused(backend: Backend) {
    let readers = TokenReaders::new(backend).await;
    readers
        .refuse_all(|good| {
            let syntax = TokenFault::Payload(JsonFault::Syntax);
            let nested = with(&good.header, "cty", json!("at+jwt")).to_string();
            let string = serde_json::to_string(&good.token).unwrap();
            vec![
                Forgery::new("a token as payload", good.sign(&nested, &good.token), syntax),
                Forgery::new(
                    "a token as a string",
                    good.sign(&nested, &string),
                    TokenFault::Payload(JsonFault::NotAnObject),
                ),
            ]
        })
        .await;
}

async fn base64url_with_anything_else_in_it_is_refused(backend: Backend) {
    let readers = TokenReaders::new(backend).await;
    let spoils = [
        "=", "==", " ", "\n", "\r\n", "\t", "\0", "+", "/", "~", "%", "%3D", "\u{e9}", "\u{200b}", "\u{feff}",
    ];
    readers
        .refuse_all(|good| {
            let mut forgeries = Vec::new();
            for (at, part) in PARTS.into_iter().enumerate() {
                let fault = JwsFault::Base64(part);
                for spoil in spoils {
                    for (place, spoilt) in spoilt(good.parts()[at], spoil) {
                        let name = format!("{spoil:?} {place} the {part}");
                        forgeries.push(Forgery::new(name, joined(good, at, &spoilt), fault));
                    }
                }
                for spelling in other_spellings(good.parts()[at]) {
                    let name = format!("bits behind the last byte of the {part}");
                    forgeries.push(Forgery::new(name, joined(good, at, &spelling), fault));
                }
            }
            forgeries.push(in_the_other_alphabet(good));
            let bearer = format!("Bearer {}", good.token);
            forgeries.push(Forgery::new("the scheme in front", bearer, JwsFault::Base64(Part::Header)));
            forgeries
        })
        .await;
}

fn spoilt(part: &str, spoil: &str) -> [(&'static str, String); 3] {
    let (start, end) = part.split_at(part.len() / 2);
    [
        ("in front of", format!("{spoil}{part}")),
        ("in the midst of", format!("{start}{spoil}{end}")),
        ("behind", format!("{part}{spoil}")),
    ]
}

/// The good token with another text in the place of one part.
fn joined(good: &Good, at: usize, part: &str) -> String {
    let mut parts = good.parts();
    parts[at] = part;
    parts.join(".")
}

/// The same bytes, for a reader that takes no notice of bits that belong to none.
fn other_spellings(part: &str) -> Vec<String> {
    let (start, last) = part.split_at(part.len() - 1);
    let value = ALPHABET.find(last).unwrap();
    (value + 1..value + 1 + stray_bits(part.len()))
        .map(|at| format!("{start}{}", &ALPHABET[at..=at]))
        .collect()
}

/// The largest number that fits into the bits behind the last byte of so many characters.
fn stray_bits(length: usize) -> usize {
    match length % 4 {
        2 => 0b1111,
        3 => 0b11,
        _ => 0,
    }
}

fn in_the_other_alphabet(good: &Good) -> Forgery {
    // Signatures are random: sooner or later there is one with such a character.
    let mut signatures =
        std::iter::repeat_with(|| good.sign(&good.header.to_string(), &good.payload.to_string()));
    let token = signatures.find(|token| token.rsplit('.').next().unwrap().contains(['-', '_'])).unwrap();
    let (signed, signature) = token.rsplit_once('.').unwrap();
    let other = format!("{signed}.{}", signature.replace('-', "+").replace('_', "/"));
    Forgery::new("the alphabet of plain base64", other, JwsFault::Base64(Part::Signature))
}

async fn a_token_with_anything_after_it_is_refused(backend: Backend) {
    let readers = TokenReaders::new(backend).await;
    readers
        .refuse_all(|good| {
            let base64 = JwsFault::Base64(Part::Signature);
            let mut forgeries = Vec::new();
            for (more, fault) in [
                // 86 characters are 64 bytes; these are 65, 66 and 67.
                ("A", JwsFault::Signature),
                ("AA", JwsFault::Signature),
                ("AAA", base64),
                ("AAAA", JwsFault::Signature),
                (",", base64),
                (";", base64),
                ("&scope=*", base64),
                ("#", base64),
                ("\u{0}", base64),
                (" x", base64),
            ] {
                let token = format!("{}{more}", good.token);
                forgeries.push(Forgery::new(format!("{more:?} behind a token"), token, fault));
            }
            forgeries
        })
        .await;
}

async fn a_truncated_token_is_refused(backend: Backend) {
    let readers = TokenReaders::new(backend).await;
    readers
        .refuse_all(|good| {
            let signature_at = good.token.rfind('.').unwrap() + 1;
            let cut = |length: usize| {
                let token = &good.token[..length];
                let fault = match length.checked_sub(signature_at) {
                    None => JwsFault::Parts,
                    Some(_) if is_canonical(&token[signature_at..]) => JwsFault::Signature,
                    Some(_) => JwsFault::Base64(Part::Signature),
                };
                Forgery::new(format!("the first {length} characters"), token, fault)
            };
            (1..good.token.len()).map(cut).collect()
        })
        .await;
}

/// Whether this is all of some bytes' spelling.
fn is_canonical(part: &str) -> bool {
    let last = part.chars().last().and_then(|last| ALPHABET.find(last)).unwrap_or_default();
    part.len() % 4 != 1 && last & stray_bits(part.len()) == 0
}
