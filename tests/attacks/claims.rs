//! Tokens with a good signature that say the wrong thing.

use claviger::jose::claims::TokenFault;
use claviger::jose::jwk::JsonFault;
use serde_json::{Value, json};

use crate::forge::{Forgery, Good, spliced, with};
use crate::support::{Backend, on_both};
use crate::token_readers::TokenReaders;

on_both!(
    a_token_that_lacks_a_claim_is_refused,
    a_claim_of_another_type_is_refused,
    a_similar_issuer_is_refused,
    a_similar_audience_is_refused,
    malformed_scopes_and_ranges_are_refused,
    an_incomplete_actor_is_refused,
    a_token_that_is_bound_to_a_key_is_no_bearer,
    a_duplicate_claim_is_refused,
    a_payload_is_one_json_object,
    unknown_claims_are_ignored,
);

const TEXTS: [&str; 8] = ["iss", "sub", "client_id", "jti", "scope", "org", "project", "env"];

/// The fault of a claim that is there and of another type.
fn of_another_type(claim: &'static str) -> TokenFault {
    match claim {
        "aud" => TokenFault::NotAudience,
        "iat" | "exp" => TokenFault::NotTime(claim),
        "cidrs" => TokenFault::NotTexts(claim),
        "gen" => TokenFault::NotGeneration,
        text => TokenFault::NotText(text),
    }
}

async fn a_token_that_lacks_a_claim_is_refused(backend: Backend) {
    let readers = TokenReaders::new(backend).await;
    let claims: Vec<&'static str> = TEXTS.into_iter().chain(["aud", "iat", "exp", "cidrs", "gen"]).collect();
    readers
        .refuse_all(|good| {
            assert_eq!(good.payload.as_object().unwrap().len(), claims.len());
            let mut forgeries = Vec::new();
            for claim in claims.iter().copied() {
                let without = good.with_claim(claim, Value::Null);
                forgeries.push(Forgery::new(format!("no {claim}"), without, TokenFault::Missing(claim)));
                let null = with(&good.payload, claim, json!("here")).to_string().replace("\"here\"", "null");
                let null = good.sign_payload(&null);
                forgeries.push(Forgery::new(format!("{claim} is null"), null, of_another_type(claim)));
            }
            forgeries
        })
        .await;
}

async fn a_claim_of_another_type_is_refused(backend: Backend) {
    let readers = TokenReaders::new(backend).await;
    readers
        .refuse_all(|good| {
            let mut forgeries = Vec::new();
            let mut forge = |claim: &'static str, values: &[Value]| {
                for value in values {
                    let token = good.with_claim(claim, value.clone());
                    forgeries.push(Forgery::new(
                        format!("{claim} is {value}"),
                        token,
                        of_another_type(claim),
                    ));
                }
            };
            for claim in TEXTS {
                let texts =
                    [json!(""), json!("a\0b"), json!("a\nb"), json!("\u{7f}"), json!([good.payload[claim]])];
                forge(claim, &[&texts[..], &[json!(1), json!(true), json!({ "a": "b" })]].concat());
            }
            for claim in ["aud", "cidrs"] {
                forge(claim, &[json!([]), json!([1]), json!([""]), json!([["x"]]), json!({}), json!(1)]);
            }
            forge("aud", &[json!(""), json!([good.payload["aud"], 1]), json!([good.payload["aud"], ""])]);
            forge("cidrs", &[json!("0.0.0.0/0"), json!(["0.0.0.0/0", null])]);
            forge("gen", &[json!(-1), json!(1.0), json!(1.5), json!("1"), json!(u64::MAX), json!([1])]);
            forgeries
        })
        .await;
}

async fn a_similar_issuer_is_refused(backend: Backend) {
    let readers = TokenReaders::new(backend).await;
    let issuer = readers.world.relay.url();
    let others = [
        format!("{issuer}/"),
        format!("{issuer}/api"),
        format!("{issuer}?"),
        format!("{issuer}#"),
        format!(" {issuer}"),
        issuer.replace("http:", "HTTP:"),
        issuer.replace("http:", "https:"),
        issuer.replace("127.0.0.1", "localhost"),
        issuer.replace("127.0.0.1", "127.1"),
        issuer.replace("http://", "http://x@"),
        issuer[..issuer.len() - 1].to_owned(),
        "https://evil.example".to_owned(),
    ];
    readers
        .refuse_all(|good| {
            let forged = |issuer: &String| {
                let token = good.with_claim("iss", json!(issuer));
                Forgery::new(format!("iss {issuer:?}"), token, TokenFault::Issuer)
            };
            others.iter().map(forged).collect()
        })
        .await;
}

async fn a_similar_audience_is_refused(backend: Backend) {
    let readers = TokenReaders::new(backend).await;
    for good in readers.good().await {
        let own = &good.payload["aud"];
        for audience in [json!([own]), json!(["https://other.example", own])] {
            readers.accept(&good, &good.with_claim("aud", audience)).await;
        }
    }
    readers
        .refuse_all(|good| {
            let own = good.payload["aud"].as_str().unwrap();
            let others = [
                json!("https://evil.example"),
                json!(["https://evil.example"]),
                json!(["https://evil.example", format!("{own}x")]),
                json!(format!("{own}/")),
                json!(own[..own.len() - 1]),
                json!(own.to_uppercase()),
                json!(format!("{own} https://evil.example")),
                json!(format!("{own},https://evil.example")),
                json!("*"),
            ];
            others
                .map(|aud| Forgery::for_others(format!("aud {aud}"), good.with_claim("aud", aud.clone())))
                .into()
        })
        .await;
}

async fn malformed_scopes_and_ranges_are_refused(backend: Backend) {
    let readers = TokenReaders::new(backend).await;
    readers
        .refuse_all(|good| {
            let scopes =
                ["nonsense", "read:", ":orders", "read:orders//7", "read:**/7", "read:a read:..", "READ:*"];
            let scopes = scopes.map(|scope| {
                let token = good.with_claim("scope", json!(scope));
                Forgery::new(format!("scope {scope:?}"), token, TokenFault::NotText("scope"))
            });
            let ranges = [
                json!(["nonsense"]),
                json!(["10.0.0.1/8"]),
                json!(["010.0.0.1"]),
                json!(["0.0.0.0/33"]),
                json!(["0.0.0.0/0", "::/0", "fe80::1%eth0"]),
                json!(vec!["192.0.2.1"; 33]),
            ];
            let ranges = ranges.map(|cidrs| {
                let token = good.with_claim("cidrs", cidrs.clone());
                Forgery::new(format!("cidrs {cidrs}"), token, TokenFault::NotTexts("cidrs"))
            });
            scopes.into_iter().chain(ranges).collect()
        })
        .await;
}

async fn an_incomplete_actor_is_refused(backend: Backend) {
    let readers = TokenReaders::new(backend).await;
    readers
        .refuse_all(|good| {
            let actor = json!({ "sub": good.payload["sub"], "gen": 1 });
            let five = (0..4).fold(actor.clone(), |act, _| with(&actor, "act", act));
            let mut forgeries: Vec<Forgery> = [
                ("act", json!("key_x"), TokenFault::NotActor),
                ("act", json!([actor]), TokenFault::NotActor),
                ("act", five, TokenFault::NotActor),
                ("act", json!({}), TokenFault::Missing("sub")),
                ("act", json!({ "sub": "key_x" }), TokenFault::Missing("gen")),
                ("act", with(&actor, "gen", json!("1")), TokenFault::NotGeneration),
                ("act", with(&actor, "act", json!("key_x")), TokenFault::NotActor),
                ("origin", json!([]), TokenFault::NotTexts("origin")),
                ("origin", json!("one"), TokenFault::NotTexts("origin")),
                ("origin", json!([1]), TokenFault::NotTexts("origin")),
            ]
            .map(|(claim, value, fault)| {
                Forgery::new(format!("{claim} is {value}"), good.with_claim(claim, value.clone()), fault)
            })
            .into();
            for (claim, fault) in [("act", TokenFault::NotActor), ("origin", TokenFault::NotTexts("origin"))]
            {
                let payload = spliced(&good.payload, &format!("{claim:?}:null"))[1].clone();
                forgeries.push(Forgery::new(format!("{claim} is null"), good.sign_payload(&payload), fault));
            }
            forgeries
        })
        .await;
}

/// RFC 7800 §3.1: without a proof of the key that `cnf` names, such a token is worth nothing (RFC 8705, RFC 9449).
async fn a_token_that_is_bound_to_a_key_is_no_bearer(backend: Backend) {
    let readers = TokenReaders::new(backend).await;
    readers
        .refuse_all(|good| {
            let bound = |cnf: Value| {
                Forgery::new(format!("cnf {cnf}"), good.with_claim("cnf", cnf), TokenFault::Confirmation)
            };
            let [null, _] = spliced(&good.payload, r#""cnf":null"#);
            let null = Forgery::new("cnf is null", good.sign_payload(&null), TokenFault::Confirmation);
            let jkt = "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I";
            // Introspection describes it, because it is good for whoever proves that key.
            let to_key = Forgery {
                fault: TokenFault::Bound,
                ..Forgery::for_others("bound to a key", good.with_claim("cnf", json!({ "jkt": jkt })))
            };
            let methods = [
                json!({ "jkt": jkt, "x5t#S256": "bwcK0esc3ACC3DB2Y5_lESsXE8o9ltc05O89jdN-dg2" }),
                json!({ "jkt": jkt[1..] }),
                json!({ "jkt": format!("{jkt}=") }),
                json!({ "jkt": [jkt] }),
                json!({ "x5t#S256": "bwcK0esc3ACC3DB2Y5_lESsXE8o9ltc05O89jdN-dg2" }),
                json!({ "jwk": { "kty": "EC" } }),
                json!({}),
                json!(""),
            ];
            methods.into_iter().map(bound).chain([null, to_key]).collect()
        })
        .await;
}

async fn a_duplicate_claim_is_refused(backend: Backend) {
    let readers = TokenReaders::new(backend).await;
    readers
        .refuse_all(|good| {
            let duplicate = TokenFault::Payload(JsonFault::DuplicateMember);
            let mut forgeries = Vec::new();
            for members in [
                r#""sub":"key_0000000000000000""#,
                r#""\u0073ub":"key_0000000000000000""#,
                r#""s\u0075b":"key_0000000000000000""#,
                r#""exp":9999999999"#,
                r#""\u0065\u0078\u0070":9999999999"#,
                r#""scope":"*:*""#,
                r#""sc\u006fpe":"*:*""#,
                r#""cidrs":["0.0.0.0/0","::/0"]"#,
                r#""aud":"*""#,
                r#""jti":"other""#,
                r#""x":1,"x":1"#,
                r#""x":{"y":{"z":1,"\u007A":2}}"#,
                r#""act":{"sub":"a","sub":"b","gen":1}"#,
            ] {
                for payload in spliced(&good.payload, members) {
                    forgeries.push(Forgery::new(members, good.sign_payload(&payload), duplicate));
                }
            }
            forgeries
        })
        .await;
}

async fn a_payload_is_one_json_object(backend: Backend) {
    let readers = TokenReaders::new(backend).await;
    readers.refuse_all(no_json_objects).await;
}

fn no_json_objects(good: &Good) -> Vec<Forgery> {
    let payload = good.payload.to_string();
    let unclosed = payload.trim_end_matches('}');
    let deep = |depth| spliced(&good.payload, &format!(r#""x":{}{}"#, "[".repeat(depth), "]".repeat(depth)));
    let many = (0..100).map(|number| format!(r#""{number}":0"#)).collect::<Vec<_>>().join(",");
    let mut forgeries: Vec<Forgery> = [
        ("empty", String::new(), JsonFault::Syntax),
        ("null", "null".into(), JsonFault::NotAnObject),
        ("a number", "1".into(), JsonFault::NotAnObject),
        ("a string of JSON", serde_json::to_string(&payload).unwrap(), JsonFault::NotAnObject),
        ("an array", format!("[{payload}]"), JsonFault::NotAnObject),
        ("a BOM in front", format!("\u{feff}{payload}"), JsonFault::Syntax),
        ("two objects", format!("{payload}{payload}"), JsonFault::Syntax),
        ("a NUL behind", format!("{payload}\0"), JsonFault::Syntax),
        ("not closed", unclosed.into(), JsonFault::Syntax),
        ("closed twice", format!("{payload}}}"), JsonFault::Syntax),
        ("a comma too many", format!("{unclosed},}}"), JsonFault::Syntax),
        ("a comment", format!("{unclosed}//\n}}"), JsonFault::Syntax),
        ("single quotes", payload.replace('"', "'"), JsonFault::Syntax),
        ("NaN", spliced(&good.payload, r#""x":NaN"#)[0].clone(), JsonFault::Syntax),
        ("a number with a zero in front", spliced(&good.payload, r#""x":01"#)[0].clone(), JsonFault::Syntax),
        ("half a surrogate", spliced(&good.payload, r#""x":"\udfff""#)[1].clone(), JsonFault::Syntax),
        ("a control character", spliced(&good.payload, "\"x\":\"\t\"")[1].clone(), JsonFault::Syntax),
        ("a form feed between members", spliced(&good.payload, "\u{c}\"x\":1")[0].clone(), JsonFault::Syntax),
        ("nested nine deep", deep(8)[1].clone(), JsonFault::TooDeep),
        ("nested a thousand deep", deep(1_000)[0].clone(), JsonFault::TooDeep),
        ("a hundred members", spliced(&good.payload, &many)[0].clone(), JsonFault::TooManyMembers),
    ]
    .map(|(name, payload, fault)| {
        Forgery::new(format!("payload: {name}"), good.sign_payload(&payload), TokenFault::Payload(fault))
    })
    .into();
    forgeries.push(not_utf8(good));
    forgeries
}

fn not_utf8(good: &Good) -> Forgery {
    use base64::Engine as _;
    use base64::prelude::BASE64_URL_SAFE_NO_PAD as BASE64URL;
    let payload = spliced(&good.payload, r#""x":"?""#)[1].clone().into_bytes();
    let payload: Vec<u8> = payload.into_iter().map(|byte| if byte == b'?' { 0xff } else { byte }).collect();
    let input = format!("{}.{}", good.parts()[0], BASE64URL.encode(payload));
    let signature = good.key().sign(input.as_bytes()).unwrap();
    let token = format!("{input}.{}", BASE64URL.encode(signature));
    Forgery::new("payload: not UTF-8", token, TokenFault::Payload(JsonFault::Syntax))
}

/// RFC 7519 §4: claims that are not understood are ignored.
async fn unknown_claims_are_ignored(backend: Backend) {
    let readers = TokenReaders::new(backend).await;
    for good in readers.good().await {
        for (claim, value) in [("nonce", json!("n")), ("admin", json!(true)), ("Sub", json!("key_x"))] {
            readers.accept(&good, &good.with_claim(claim, value)).await;
        }
        let spaced = format!("\n{:#}\r\n\t", good.payload);
        readers.accept(&good, &good.sign_payload(&spaced)).await;
    }
}
