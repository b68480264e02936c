//! Well-signed tokens that say the wrong thing, and what is written when a token is made.

use claviger::base::clock::Timestamp;
use claviger::jose::claims::{
    AccessTokenClaims, ActorClaim, Audience, Claims, Leeway, Presentation, Rules, TokenFault,
    verify_access_token,
};
use claviger::jose::jwk::{JsonFault, Thumbprint};
use claviger::jose::jws::CompactSigner;
use serde_json::{Value, json};

use crate::forge::{
    AUDIENCE, ISSUER, KEY, NOW, good_token, header, payload, sign, verify, verify_claim, verifying,
};

fn verify_payload(payload: &str) -> Result<Claims, TokenFault> {
    verify(&sign(&header().to_string(), payload))
}

#[test]
fn every_claim_is_required() {
    let claims = [
        "iss",
        "sub",
        "client_id",
        "aud",
        "iat",
        "exp",
        "jti",
        "scope",
        "cidrs",
        "org",
        "project",
        "env",
        "gen",
    ];
    assert_eq!(claims.len(), payload().as_object().unwrap().len());
    for claim in claims {
        assert_eq!(verify_claim(claim, Value::Null), Err(TokenFault::Missing(claim)));
        let null =
            payload().to_string().replacen(&format!(r#""{claim}":"#), &format!(r#""{claim}":null,"x":"#), 1);
        assert!(verify_payload(&null).is_err(), "{claim}");
    }
}

#[test]
fn text_is_text() {
    for claim in ["iss", "sub", "client_id", "jti", "scope", "org", "project", "env"] {
        for value in
            [json!(""), json!("a\0b"), json!("a\nb"), json!(1), json!(true), json!(["x"]), json!({"x": "y"})]
        {
            assert_eq!(
                verify_claim(claim, value.clone()),
                Err(TokenFault::NotText(claim)),
                "{claim} {value}"
            );
        }
    }
}

#[test]
fn the_issuer_is_exact() {
    for issuer in
        ["https://id.example.com/", "https://ID.example.com", "http://id.example.com", "https://evil.example"]
    {
        assert_eq!(verify_claim("iss", json!(issuer)), Err(TokenFault::Issuer), "{issuer}");
    }
    assert_eq!(verify_claim("iss", json!([ISSUER])), Err(TokenFault::NotText("iss")));
}

#[test]
fn the_audience_contains_the_resource_server() {
    verify_claim("aud", json!([AUDIENCE])).unwrap();
    assert_eq!(verify_claim("aud", json!(["https://other.example", AUDIENCE])).unwrap().audience.len(), 2);
    for other in
        [json!("https://other.example"), json!(["https://other.example"]), json!(format!("{AUDIENCE}/"))]
    {
        assert_eq!(verify_claim("aud", other), Err(TokenFault::Audience));
    }
    for odd in
        [json!([]), json!(""), json!([AUDIENCE, 1]), json!([AUDIENCE, ""]), json!([[AUDIENCE]]), json!(1)]
    {
        assert_eq!(verify_claim("aud", odd.clone()), Err(TokenFault::NotAudience), "{odd}");
    }
    assert_eq!(verify_claim("aud", json!({ AUDIENCE: 1 })), Err(TokenFault::NotAudience));
}

#[test]
fn only_the_issuer_takes_tokens_for_anybody() {
    let check = |audience| {
        let rules = Rules {
            issuer: ISSUER,
            audience,
            presentation: Presentation::Bearer,
            now: Timestamp::from_unix(NOW),
            leeway: Leeway::NONE,
        };
        verify_access_token(&good_token(), |_| Some(verifying(&KEY)), &rules).map(drop)
    };
    assert_eq!(check(Audience::Any), Ok(()));
    assert_eq!(check(Audience::OneOf(&["https://other.example", AUDIENCE])), Ok(()));
    assert_eq!(check(Audience::OneOf(&[])), Err(TokenFault::Audience));
}

#[test]
fn ranges_are_a_list_that_says_something() {
    for odd in [json!([]), json!("0.0.0.0/0"), json!([1]), json!([""]), json!([null]), json!({})] {
        assert_eq!(verify_claim("cidrs", odd.clone()), Err(TokenFault::NotTexts("cidrs")), "{odd}");
    }
}

#[test]
fn generations_are_whole_numbers_from_0() {
    assert_eq!(verify_claim("gen", json!(0)).unwrap().generation, 0);
    for odd in [json!(-1), json!(1.0), json!("1"), json!(u64::MAX), json!([1])] {
        assert_eq!(verify_claim("gen", odd.clone()), Err(TokenFault::NotGeneration), "{odd}");
    }
}

#[test]
fn a_member_twice_is_refused_at_any_depth() {
    let duplicate = Err(TokenFault::Payload(JsonFault::DuplicateMember));
    for member in
        [r#""exp":9999999999"#, r#""\u0065xp":9999999999"#, r#""x":{"y":[{"z":1,"z":1}]}"#, r#""x":1,"x":1"#]
    {
        let first = payload().to_string().replacen('{', &format!("{{{member},"), 1);
        let last = payload().to_string().replacen('}', &format!(",{member}}}"), 1);
        for payload in [first, last] {
            assert_eq!(verify_payload(&payload), duplicate, "{payload}");
        }
    }
}

#[test]
fn a_payload_is_one_json_object() {
    for (payload, fault) in [
        ("", JsonFault::Syntax),
        ("[]", JsonFault::NotAnObject),
        ("null", JsonFault::NotAnObject),
        ("{} {}", JsonFault::Syntax),
        ("\u{feff}{}", JsonFault::Syntax),
    ] {
        assert_eq!(verify_payload(payload), Err(TokenFault::Payload(fault)), "{payload}");
    }
    let deep = payload().to_string().replacen(
        '{',
        &format!(r#"{{"x":{}{},"#, "[".repeat(5000), "]".repeat(5000)),
        1,
    );
    assert_eq!(verify_payload(&deep), Err(TokenFault::Payload(JsonFault::TooDeep)));
}

#[test]
fn unknown_claims_are_left_unread() {
    verify_claim("urn:example:later", json!({"anything": [1, 2.5, null]})).unwrap();
    verify_claim("nonce", json!(1)).unwrap();
}

#[test]
fn exchanged_tokens_name_their_actors_and_origins() {
    let act = json!({"sub": "key_b", "gen": 2, "act": {"sub": "key_c", "gen": 3, "more": true}});
    let claims = verify_claim("act", act).unwrap();
    let actors: Vec<_> =
        claims.actor.iter().flat_map(ActorClaim::chain).map(|actor| actor.subject.as_str()).collect();
    assert_eq!(actors, ["key_b", "key_c"]);
    assert_eq!(verify_claim("origin", json!(["one", "two"])).unwrap().origin, ["one", "two"]);
    assert!(verify(&good_token()).unwrap().origin.is_empty());
}

#[test]
fn actors_are_whole_and_at_most_four_deep() {
    let chain = |depth: usize| {
        (1..depth)
            .fold(json!({"sub": "key_a", "gen": 1}), |act, _| json!({"sub": "key_a", "gen": 1, "act": act}))
    };
    assert_eq!(verify_claim("act", chain(4)).unwrap().actor.unwrap().chain().count(), 4);
    assert_eq!(verify_claim("act", chain(5)), Err(TokenFault::NotActor));
    assert_eq!(verify_claim("act", json!("key_a")), Err(TokenFault::NotActor));
    assert_eq!(verify_claim("act", json!({"gen": 1})), Err(TokenFault::Missing("sub")));
    assert_eq!(verify_claim("act", json!({"sub": "key_a"})), Err(TokenFault::Missing("gen")));
    assert_eq!(verify_claim("act", json!({"sub": "key_a", "gen": -1})), Err(TokenFault::NotGeneration));
    for odd in [json!([]), json!("one"), json!([1])] {
        assert_eq!(verify_claim("origin", odd), Err(TokenFault::NotTexts("origin")));
    }
}

#[test]
fn a_bound_token_is_for_whoever_proves_its_key() {
    let key: Thumbprint = "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I".parse().unwrap();
    let other: Thumbprint = "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k".parse().unwrap();
    let cidrs = ["10.0.0.0/8".to_owned()];
    let signer = CompactSigner::new(KEY.clone(), "at+jwt");
    let token = |confirmation| {
        let claims = AccessTokenClaims { confirmation, ..written(&[AUDIENCE], &cidrs) };
        signer.sign(text(&claims).as_bytes()).unwrap()
    };
    let (bound, unbound) = (token(Some(key)), token(None));
    let verdict = |token: &str, presentation| {
        let rules = Rules {
            issuer: ISSUER,
            audience: Audience::Any,
            presentation,
            now: Timestamp::from_unix(NOW),
            leeway: Leeway::NONE,
        };
        verify_access_token(token, |_| Some(verifying(&KEY)), &rules).map(|claims| claims.confirmation)
    };
    for (token, presentation, expected) in [
        (&bound, Presentation::Bearer, Err(TokenFault::Bound)),
        (&bound, Presentation::Proven(key), Ok(Some(key))),
        (&bound, Presentation::Proven(other), Err(TokenFault::BoundToOther)),
        (&bound, Presentation::Shown, Ok(Some(key))),
        (&unbound, Presentation::Bearer, Ok(None)),
        (&unbound, Presentation::Proven(key), Err(TokenFault::NotBound)),
        (&unbound, Presentation::Shown, Ok(None)),
    ] {
        assert_eq!(verdict(token, presentation), expected, "{presentation:?}");
    }
}

fn written<'a>(audience: &'a [&'a str], cidrs: &'a [String]) -> AccessTokenClaims<'a> {
    AccessTokenClaims {
        issuer: ISSUER,
        subject: "key_a",
        client_id: "key_a",
        audience,
        issued_at: Timestamp::from_unix(NOW),
        expires_at: Timestamp::from_unix(NOW + 600),
        token_id: "AAECAwQFBgcICQoLDA0ODw",
        scope: "read:*",
        cidrs,
        organization: "acme",
        project: "web",
        environment: "prd",
        generation: 7,
        confirmation: None,
        actor: None,
        origin: &[],
    }
}

fn text(claims: &AccessTokenClaims<'_>) -> String {
    let mut payload = Vec::new();
    claims.write(&mut payload).unwrap();
    String::from_utf8(payload).unwrap()
}

#[test]
fn claims_are_written_in_their_order() {
    let cidrs = ["10.0.0.0/8".to_owned()];
    assert_eq!(
        text(&written(&[AUDIENCE], &cidrs)),
        [
            r#"{"iss":"https://id.example.com","sub":"key_a","client_id":"key_a","#,
            r#""aud":"https://api.example.com","iat":1800000000,"exp":1800000600,"#,
            r#""jti":"AAECAwQFBgcICQoLDA0ODw","scope":"read:*","cidrs":["10.0.0.0/8"],"#,
            r#""org":"acme","project":"web","env":"prd","gen":7}"#,
        ]
        .concat()
    );
    assert!(text(&written(&["urn:a", "urn:b"], &cidrs)).contains(r#""aud":["urn:a","urn:b"],"#));
    assert!(written(&[], &cidrs).write(&mut Vec::new()).is_err());
}

#[test]
fn what_is_written_is_read_back() {
    let cidrs = ["10.0.0.0/8".to_owned(), "::/0".to_owned()];
    let earlier = ActorClaim { subject: "key_c".into(), generation: 3, earlier: None };
    let actor = ActorClaim { subject: "key_b".into(), generation: 2, earlier: Some(Box::new(earlier)) };
    let origin = ["one".to_owned()];
    let claims =
        AccessTokenClaims { actor: Some(&actor), origin: &origin, ..written(&["urn:a", AUDIENCE], &cidrs) };
    let token = CompactSigner::new(KEY.clone(), "at+jwt").sign(text(&claims).as_bytes()).unwrap();

    let read = verify(&token).unwrap();
    assert_eq!(
        (read.issuer.as_str(), read.subject.as_str(), read.client_id.as_str()),
        (ISSUER, "key_a", "key_a")
    );
    assert_eq!(read.audience, ["urn:a", AUDIENCE]);
    assert_eq!((read.issued_at, read.expires_at), (claims.issued_at, claims.expires_at));
    assert_eq!((read.token_id.as_str(), read.scope.as_str()), (claims.token_id, claims.scope));
    assert_eq!((read.cidrs.as_slice(), read.origin.as_slice()), (&cidrs[..], &origin[..]));
    assert_eq!(read.organization, "acme");
    assert_eq!((read.project.as_str(), read.environment.as_str()), ("web", "prd"));
    assert_eq!((read.generation, read.actor), (7, Some(actor)));
    assert_eq!(read.not_before, None);
}
