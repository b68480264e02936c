//! What a follower of the revocation feed makes of it: `tests/vectors/feed.json`.

use claviger::base::clock::Timestamp;
use claviger::jose::claims::Claims;
use claviger::jose::jwk::{Jwks, VerifyingKey};
use claviger::jose::revocation_feed::{Document, FeedTracker, FeedUpdate, verify_document};
use serde_json::{Value, json};

const VECTORS: &str = include_str!("../vectors/feed.json");

fn rows(vectors: &Value, list: &str) -> Vec<Value> {
    let rows = vectors[list].as_array().expect(list).clone();
    assert!(!rows.is_empty(), "{list}");
    rows
}

fn at(row: &Value) -> Timestamp {
    Timestamp::from_unix(row["at"].as_i64().expect("a time"))
}

/// The claims of a token that is good in every respect that the feed is not about.
fn claims(token: &Value) -> Claims {
    let mut claims = json!({
        "iss": "https://claviger.example", "client_id": "x", "aud": "x", "iat": 0, "exp": 1, "scope": "read:*",
        "cidrs": ["::/0"], "org": "x", "project": "x", "env": "prd",
    });
    for (name, value) in token.as_object().expect("an object") {
        claims[name] = value.clone();
    }
    Claims::parse(claims.to_string().as_bytes()).expect("claims")
}

fn verdict(tracker: &FeedTracker, token: &Value, now: Timestamp) -> &'static str {
    let Some(current) =
        tracker.current().filter(|current| current.age(now).is_some_and(|age| current.allows_age(age)))
    else {
        return "stale";
    };
    let kid = token["kid"].as_str().expect("a kid");
    if current.document().revokes(&claims(token), kid) { "revoked" } else { "good" }
}

#[test]
fn a_follower_decides_as_the_vectors_say() {
    let vectors: Value = serde_json::from_str(VECTORS).expect("JSON");
    for case in rows(&vectors, "cases") {
        let mut tracker = FeedTracker::default();
        for (index, step) in rows(&case, "steps").iter().enumerate() {
            if let Some(expected) = step["expect"].as_str() {
                let verdict = verdict(&tracker, &step["token"], at(step));
                assert_eq!(verdict, expected, "{}, step {index}", case["name"]);
                continue;
            }
            let document = step["document"].to_string();
            if let Ok(document) = Document::parse(document.as_bytes(), "https://claviger.example") {
                let kid = step["kid"].as_str().unwrap_or("a key that no document names");
                tracker.apply(document, kid, at(step));
            }
        }
    }
}

#[test]
fn a_document_is_taken_as_the_vectors_say() {
    let vectors: Value = serde_json::from_str(VECTORS).expect("JSON");
    let issuer = &rows(&vectors, "issuer")[0];
    let keys = Jwks::parse(issuer["jwks"].to_string().as_bytes()).expect("a key set").usable.keys;
    let keys: Vec<VerifyingKey> = keys.into_iter().map(VerifyingKey::from).collect();
    let key_for = |kid: &str| keys.iter().find(|key| key.kid() == kid);
    for row in [rows(&vectors, "signed"), rows(&vectors, "duplicates")].concat() {
        let text = row["document"].as_str().expect("text");
        let verified = verify_document(text, key_for, issuer["iss"].as_str().expect("an issuer"));
        let taken = verified.map(|(document, kid)| FeedTracker::default().apply(document, &kid, at(&row)));
        assert_eq!(taken == Ok(FeedUpdate::Applied), row["taken"] == true, "{}: {taken:?}", row["why"]);
    }
}

#[test]
fn a_table_is_as_wide_as_it_is_and_has_no_row_twice() {
    let document = |keys: &str| {
        let text = format!(
            r#"{{"iss":"i","aud":"urn:claviger:revocations","iat":1,"epoch":"e","seq":1,"as_of":1,"max_stale":30,
                 "jtis":[],"kids":[],"keys":{{{keys}}}}}"#
        );
        Document::parse(text.as_bytes(), "i")
    };
    let rows: Vec<String> = (0..10_000).map(|row| format!(r#""key_{row}":{row}"#)).collect();
    let wide = document(&rows.join(",")).expect("a document");
    let token = |sub: &str, generation: u64| claims(&json!({ "sub": sub, "gen": generation, "jti": "j" }));
    assert!(
        wide.revokes(&token("key_9999", 9_998), "kid") && !wide.revokes(&token("key_9999", 9_999), "kid")
    );
    for twice in [0, 63, 64, 9_999] {
        let rows = [&rows[..], &[rows[twice].clone()]].concat().join(",");
        assert!(document(&rows).is_err(), "{twice}");
    }
}
