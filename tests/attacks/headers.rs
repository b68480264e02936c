//! Headers that would have the rest be read in another way, or as something else.

use claviger::jose::claims::TokenFault;
use claviger::jose::jwk::JsonFault;
use claviger::jose::jws::JwsFault;
use serde_json::{Value, json};

use crate::forge::{Forgery, Good, spliced};
use crate::support::{Backend, on_both};
use crate::token_readers::TokenReaders;

on_both!(
    crit_is_refused_whatever_it_lists,
    parameters_that_change_the_payload_are_refused,
    another_typ_is_refused,
    id_tokens_and_feed_documents_are_refused,
    a_duplicate_header_parameter_is_refused,
    a_header_is_one_json_object,
    unknown_header_parameters_are_ignored,
);

async fn crit_is_refused_whatever_it_lists(backend: Backend) {
    let readers = TokenReaders::new(backend).await;
    let lists = [
        json!(["exp"]),
        json!(["b64"]),
        json!(["alg"]),
        json!(["kid", "typ"]),
        json!(["urn:example:x"]),
        json!(["crit"]),
        json!([""]),
        json!([1]),
        json!([]),
        json!("exp"),
        json!({}),
        json!(false),
        json!(0),
    ];
    readers
        .refuse_all(|good| {
            let forged = |name: String, token| Forgery::new(name, token, JwsFault::Critical);
            let mut forgeries: Vec<Forgery> = lists
                .iter()
                .map(|list| forged(format!("crit {list}"), good.with_header("crit", list.clone())))
                .collect();
            for members in [
                r#""crit":null"#,
                r#""\u0063rit":["exp"]"#,
                r#""crit":["urn:example:x"],"urn:example:x":true"#,
                r#""crit":["b64"],"b64":false"#,
            ] {
                for header in spliced(&good.header, members) {
                    forgeries.push(forged(members.into(), good.sign_header(&header)));
                }
            }
            forgeries
        })
        .await;
}

async fn parameters_that_change_the_payload_are_refused(backend: Backend) {
    let readers = TokenReaders::new(backend).await;
    readers
        .refuse_all(|good| {
            let mut forgeries = Vec::new();
            for (name, value) in [
                ("b64", json!(false)),
                ("b64", json!(true)),
                ("zip", json!("DEF")),
                ("zip", json!("")),
                ("enc", json!("A256GCM")),
            ] {
                let token = good.with_header(name, value.clone());
                forgeries.push(Forgery::new(format!("{name} {value}"), token, JwsFault::Parameter(name)));
            }
            forgeries.push(unencoded(good));
            forgeries
        })
        .await;
}

/// RFC 7797 §3: the payload stands there as it is, and is signed so.
fn unencoded(good: &Good) -> Forgery {
    use base64::Engine as _;
    use base64::prelude::BASE64_URL_SAFE_NO_PAD as BASE64URL;
    let header = BASE64URL.encode(&spliced(&good.header, r#""b64":false"#)[1]);
    let payload = good.payload.to_string().replace('.', "\\u002e");
    let input = format!("{header}.{payload}");
    let signature = good.key().sign(input.as_bytes()).unwrap();
    let token = format!("{input}.{}", BASE64URL.encode(signature));
    Forgery::new("a payload that is not encoded", token, JwsFault::Parameter("b64"))
}

async fn another_typ_is_refused(backend: Backend) {
    let readers = TokenReaders::new(backend).await;
    let others = [
        "JWT",
        "jwt",
        "",
        "application/jwt",
        "revocations+jwt",
        "application/revocations+jwt",
        "id_token",
        "logout+jwt",
        "dpop+jwt",
        "secevent+jwt",
        "JOSE",
        "at+jwt ",
        " at+jwt",
        "at+jwt\0",
        "at jwt",
        "at",
        "text/at+jwt",
        "application/",
        "application/application/at+jwt",
        "at+jwt;x=1",
        "xat+jwt",
        "at+jwtx",
        "a\u{1d5a3}+jwt",
    ];
    for good in readers.good().await {
        for typ in ["at+jwt", "AT+JWT", "application/at+jwt", "Application/AT+jwt"] {
            readers.accept(&good, &good.with_header("typ", json!(typ))).await;
        }
    }
    readers
        .refuse_all(|good| {
            let forged = |typ: &str| {
                Forgery::new(format!("typ {typ:?}"), good.with_header("typ", json!(typ)), TokenFault::Type)
            };
            let mut forgeries: Vec<Forgery> = others.into_iter().map(forged).collect();
            forgeries.push(Forgery::new("no typ", good.with_header("typ", Value::Null), TokenFault::Type));
            for typ in [json!(["at+jwt"]), json!({ "typ": "at+jwt" }), json!(1), json!(true)] {
                let token = good.with_header("typ", typ.clone());
                forgeries.push(Forgery::new(format!("typ is {typ}"), token, JwsFault::Typ));
            }
            forgeries
        })
        .await;
}

async fn id_tokens_and_feed_documents_are_refused(backend: Backend) {
    let readers = TokenReaders::new(backend).await;
    let feed = readers.world.server.client().get("/oauth/revocations").await.text;
    readers
        .refuse_all(|good| {
            let mut id_token = good.payload.clone();
            for claim in ["scope", "cidrs", "gen", "org", "project", "env", "client_id", "jti"] {
                id_token.as_object_mut().unwrap().remove(claim);
            }
            id_token["nonce"] = json!("n");
            let header = json!({ "alg": good.header["alg"], "kid": good.header["kid"], "typ": "JWT" });
            let typed = |typ: Value| crate::forge::with(&good.header, "typ", typ).to_string();
            vec![
                Forgery::new("the feed's own document", feed.clone(), TokenFault::Type),
                Forgery::new(
                    "a document of the feed that is a token too",
                    good.sign_header(&typed(json!("revocations+jwt"))),
                    TokenFault::Type,
                ),
                Forgery::new(
                    "an id token",
                    good.sign(&header.to_string(), &id_token.to_string()),
                    TokenFault::Type,
                ),
                Forgery::new(
                    "an id token under an access token's header",
                    good.sign_payload(&id_token.to_string()),
                    TokenFault::Missing("client_id"),
                ),
            ]
        })
        .await;
}

async fn a_duplicate_header_parameter_is_refused(backend: Backend) {
    let readers = TokenReaders::new(backend).await;
    readers
        .refuse_all(|good| {
            let mut forgeries = Vec::new();
            for members in [
                r#""alg":"none""#,
                r#""alg":"ES256""#,
                r#""\u0061lg":"none""#,
                r#""a\u006Cg":"HS256""#,
                r#""kid":"other""#,
                r#""typ":"JWT""#,
                r#""typ":"at+jwt""#,
                r#""x":1,"x":2"#,
                r#""x":{"y":[{"z":1,"\u007a":1}]}"#,
            ] {
                for header in spliced(&good.header, members) {
                    let fault = JwsFault::Header(JsonFault::DuplicateMember);
                    forgeries.push(Forgery::new(members, good.sign_header(&header), fault));
                }
            }
            forgeries
        })
        .await;
}

async fn a_header_is_one_json_object(backend: Backend) {
    let readers = TokenReaders::new(backend).await;
    readers
        .refuse_all(|good| {
            let header = good.header.to_string();
            let unclosed = header.trim_end_matches('}');
            let quoted = serde_json::to_string(&header).unwrap();
            [
                ("empty", String::new(), JsonFault::Syntax),
                ("null", "null".into(), JsonFault::NotAnObject),
                ("a string", quoted, JsonFault::NotAnObject),
                ("an array", format!("[{header}]"), JsonFault::NotAnObject),
                ("a BOM in front", format!("\u{feff}{header}"), JsonFault::Syntax),
                ("two objects", format!("{header}{header}"), JsonFault::Syntax),
                ("something behind", format!("{header}x"), JsonFault::Syntax),
                ("a NUL behind", format!("{header}\0"), JsonFault::Syntax),
                ("not closed", unclosed.into(), JsonFault::Syntax),
                ("a comma too many", format!("{unclosed},}}"), JsonFault::Syntax),
                ("single quotes", header.replace('"', "'"), JsonFault::Syntax),
                ("a comment", format!("{unclosed}/**/}}"), JsonFault::Syntax),
                ("names without quotes", header.replace("\"alg\"", "alg"), JsonFault::Syntax),
                ("half a surrogate", spliced(&good.header, r#""x":"\ud800""#)[0].clone(), JsonFault::Syntax),
                (
                    "nested deep",
                    spliced(&good.header, &format!(r#""x":{}{}"#, "[".repeat(50), "]".repeat(50)))[0].clone(),
                    JsonFault::TooDeep,
                ),
                ("many members", spliced(&good.header, &many(65))[0].clone(), JsonFault::TooManyMembers),
            ]
            .map(|(name, header, fault)| {
                Forgery::new(format!("header: {name}"), good.sign_header(&header), JwsFault::Header(fault))
            })
            .into()
        })
        .await;
}

fn many(count: usize) -> String {
    (0..count).map(|number| format!(r#""{number}":0"#)).collect::<Vec<_>>().join(",")
}

/// RFC 7515 §4.2: a header may have more than is known.
async fn unknown_header_parameters_are_ignored(backend: Backend) {
    let readers = TokenReaders::new(backend).await;
    for good in readers.good().await {
        for (name, value) in [("cty", json!("json")), ("x5t", json!("AA")), ("urn:example:x", json!([1.5]))] {
            readers.accept(&good, &good.with_header(name, value)).await;
        }
        let spaced = good.header.to_string().replace(':', " :\r\n\t");
        readers.accept(&good, &good.sign_header(&spaced)).await;
        let escaped = good.header.to_string().replacen("alg", "\\u0061lg", 1);
        readers.accept(&good, &good.sign_header(&escaped)).await;
    }
}
