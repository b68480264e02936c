//! Any documents of the feed, one a line, each behind the time at which it arrives and the key that signed it.

#![no_main]

use claviger::base::clock::Timestamp;
use claviger::jose::claims::Claims;
use claviger::jose::revocation_feed::{Document, FeedTracker, FeedUpdate, verify_document};
use claviger_fuzz::issuer::{ISSUER, eddsa, header, key_for, sign};
use libfuzzer_sys::fuzz_target;
use serde_json::{Value, json};

fuzz_target!(|bytes: &[u8]| {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    assert!(verify_document(text, key_for, ISSUER).is_err(), "nobody signed this");
    let mut tracker = FeedTracker::default();
    let mut past_epochs = Vec::new();
    for line in text.lines().take(8) {
        let mut parts = line.splitn(3, ' ');
        let (Some(Ok(at)), Some(kid), Some(payload)) =
            (parts.next().map(str::parse), parts.next(), parts.next())
        else {
            continue;
        };
        let Some(document) = read(payload) else { continue };
        take(&mut tracker, &mut past_epochs, document, kid, Timestamp::from_unix(at));
    }
});

/// What a follower reads of a document that the issuer signed.
fn read(payload: &str) -> Option<Document> {
    let text = sign(eddsa(), header(eddsa(), "revocations+jwt").as_bytes(), payload.as_bytes());
    let (document, kid) = verify_document(&text, key_for, ISSUER).ok()?;
    assert_eq!(kid, eddsa().kid());
    let said: Value = serde_json::from_str(payload).unwrap();
    assert_eq!((&said["iss"], &said["aud"]), (&json!(ISSUER), &json!("urn:claviger:revocations")));
    assert_eq!(said["epoch"], document.epoch);
    assert_eq!(said["seq"], document.seq);
    assert_eq!(said["as_of"], document.as_of.unix());
    assert_eq!(said["max_stale"], document.max_stale);
    assert!(!document.epoch.is_empty() && document.seq >= 0 && document.max_stale >= 0);
    check_entries(&document, &said);
    Some(document)
}

/// A key's tokens are dead below its least generation, and alive from there on; a token that is named is dead.
fn check_entries(document: &Document, said: &Value) {
    assert!(document.revokes(&claims("key_x", 0, "jti"), "k") == is_named(said, "key_x", 0, "jti", "k"));
    for (key, least) in said["keys"].as_object().unwrap().iter().filter(|(key, _)| is_text(key)) {
        let least = least.as_u64().unwrap();
        for generation in [least.saturating_sub(1), least] {
            let expected = is_named(said, key, generation, "jti", "k");
            assert_eq!(document.revokes(&claims(key, generation, "jti"), "k"), expected);
        }
    }
    let texts =
        |list: &str| said[list].as_array().unwrap().iter().map(|text| text.as_str().unwrap()).collect();
    let [jtis, kids]: [Vec<&str>; 2] = ["jtis", "kids"].map(texts);
    for jti in jtis.into_iter().filter(|jti| is_text(jti)) {
        assert!(document.revokes(&claims("key_x", 9, jti), "k"));
    }
    for kid in kids {
        assert!(document.revokes(&claims("key_x", 9, "jti"), kid) && document.withdraws_signing_key(kid));
    }
}

fn is_named(said: &Value, key: &str, generation: u64, jti: &str, kid: &str) -> bool {
    let has = |list: &str, text: &str| said[list].as_array().unwrap().contains(&json!(text));
    let least = said["keys"].get(key).map_or(0, |least| least.as_u64().unwrap());
    generation < least || has("jtis", jti) || has("kids", kid)
}

/// What a token's claims can say.
fn is_text(text: &str) -> bool {
    !text.is_empty() && !text.contains(char::is_control)
}

fn claims(subject: &str, generation: u64, token_id: &str) -> Claims {
    let claims = json!({
        "iss": "x", "sub": subject, "client_id": "x", "aud": "x", "iat": 0, "exp": 1, "jti": token_id,
        "scope": "read:*", "cidrs": ["::/0"], "org": "x", "project": "x", "env": "prd", "gen": generation,
    });
    Claims::parse(claims.to_string().as_bytes()).unwrap()
}

/// Has the follower take it, and holds what it makes of it against the rules.
fn take(
    tracker: &mut FeedTracker,
    past_epochs: &mut Vec<String>,
    document: Document,
    kid: &str,
    now: Timestamp,
) {
    let before = tracker.current().map(|current| Document::clone(current.document()));
    let taken = tracker.apply(document.clone(), kid, now);
    let after = tracker.current().map(|current| Document::clone(current.document()));
    if taken != FeedUpdate::Applied {
        assert_eq!(before, after);
    } else {
        assert_eq!(after.as_ref(), Some(&document));
        assert!(!document.withdraws_signing_key(kid));
        assert!(document.as_of.unix() <= now.unix().saturating_add(30));
        assert!(!past_epochs.contains(&document.epoch), "an epoch came back");
        if let Some(before) = before {
            assert!(!before.withdraws_signing_key(kid));
            if before.epoch == document.epoch {
                assert!((before.seq, before.as_of) < (document.seq, document.as_of));
            } else {
                assert!(before.as_of <= document.as_of);
                past_epochs.push(before.epoch);
            }
        }
    }
    let Some(current) = tracker.current() else { return };
    if let Some(age) = current.age(now).filter(|age| current.allows_age(*age)) {
        assert!(age <= 30 && age <= current.document().max_stale);
        assert!(now.unix() - current.document().as_of.unix() <= age, "older than it says");
    }
}
