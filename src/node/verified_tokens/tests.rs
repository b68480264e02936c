use std::sync::OnceLock;

use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::base::clock::Timestamp;
use crate::jose::claims::{Audience, Leeway, Presentation, verify_access_token};
use crate::jose::jwk::{Algorithm, SigningKey};
use crate::jose::jws::sign_compact;

const ISSUER: &str = "https://issuer.example";
const START: i64 = 1_767_225_600;

/// Signing keys, and tokens of all kinds with their valid or invalid signatures.
struct Fixture {
    keys: Vec<VerifyingKey>,
    tokens: Vec<String>,
}

fn fixture() -> &'static Fixture {
    static FIXTURE: OnceLock<Fixture> = OnceLock::new();
    FIXTURE.get_or_init(|| {
        let algorithms = [Algorithm::Es256, Algorithm::Es256, Algorithm::EdDsa];
        let signing: Vec<_> = algorithms.map(|algorithm| SigningKey::generate(algorithm).unwrap().0).into();
        let keys = signing.iter().map(|key| VerifyingKey::from(key.public_jwk().clone())).collect();
        let mut tokens = Vec::new();
        for key in &signing {
            for (jti, iat, audience, typ) in [
                ("a", START, "https://api.example", "at+jwt"),
                ("b", START + 300, "https://api.example", "at+jwt"),
                ("c", START, "https://other.example", "at+jwt"),
                ("d", START, "https://api.example", "JWT"),
            ] {
                let payload = json!({
                    "iss": ISSUER, "sub": "key_0123456789abcdef", "client_id": "key_0123456789abcdef",
                    "aud": audience, "iat": iat, "exp": iat + 600, "jti": jti, "scope": "read:*",
                    "cidrs": ["0.0.0.0/0", "::/0"], "org": "default", "project": "default", "env": "prd", "gen": 1,
                });
                let token = sign_compact(key, typ, payload.to_string().as_bytes()).unwrap();
                tokens.extend(altered(&token));
                tokens.push(token);
            }
        }
        let unknown = SigningKey::generate(Algorithm::Es256).unwrap().0;
        tokens.push(sign_compact(&unknown, "at+jwt", b"{}").unwrap());
        tokens.push(sign_compact(&signing[0], "at+jwt", b"{}").unwrap());
        Fixture { keys, tokens }
    })
}

/// The same token with one character changed in each of its parts, and with text before and after it.
fn altered(token: &str) -> Vec<String> {
    let parts: Vec<&str> = token.split('.').collect();
    let changed = parts.iter().enumerate().map(|(at, part)| {
        let other = if part.as_bytes()[20] == b'A' { "B" } else { "A" };
        let part = format!("{}{other}{}", &part[..20], &part[21..]);
        let parts: Vec<&str> =
            parts.iter().enumerate().map(|(index, same)| if index == at { &part } else { *same }).collect();
        parts.join(".")
    });
    changed.chain([format!("{token}.x"), format!(" {token}"), format!("{token}A"), "..".to_owned()]).collect()
}

#[derive(Clone, Debug)]
enum Step {
    /// Somebody presents this token to a verifier that expects this audience.
    Present(prop::sample::Index, Option<&'static str>),
    /// A signing key starts or stops verifying.
    Turn(usize, bool),
    /// The clock moves forward or back.
    Wait(i64),
}

fn step() -> impl Strategy<Value = Step> {
    let audience =
        prop_oneof![Just(None), Just(Some("https://api.example")), Just(Some("https://other.example"))];
    prop_oneof![
        8 => (any::<prop::sample::Index>(), audience).prop_map(|(token, audience)| Step::Present(token, audience)),
        1 => (0..3_usize, any::<bool>()).prop_map(|(key, is_good)| Step::Turn(key, is_good)),
        1 => (-400..700_i64).prop_map(Step::Wait),
    ]
}

proptest! {
    /// The capacities leave room for all tokens, for a few, and for none.
    #[test]
    fn the_verdict_with_memory_is_the_verdict_without(
        capacity in prop_oneof![Just(0_u64), Just(3), Just(1_000)],
        steps in proptest::collection::vec(step(), 1..120),
    ) {
        let Fixture { keys, tokens } = fixture();
        let memory = VerifiedTokens::new(capacity);
        let (mut is_good, mut now) = ([true; 3], Timestamp::from_unix(START));
        for step in steps {
            match step {
                Step::Turn(key, becomes_good) => is_good[key] = becomes_good,
                Step::Wait(seconds) => now = now.plus(seconds),
                Step::Present(token, audience) => {
                    let token = token.get(tokens);
                    let key_for = |kid: &str| {
                        let found = keys.iter().zip(is_good).find(|(key, _)| key.kid() == kid);
                        found.filter(|(_, is_good)| *is_good).map(|(key, _)| key)
                    };
                    let expected: Vec<&str> = audience.into_iter().collect();
                    let audience = if expected.is_empty() { Audience::Any } else { Audience::OneOf(&expected) };
                    let rules = Rules { issuer: ISSUER, audience, presentation: Presentation::Bearer, now, leeway: Leeway::NONE };
                    prop_assert_eq!(
                        memory.verify(token, key_for, &rules),
                        verify_access_token(token, key_for, &rules)
                    );
                }
            }
        }
    }
}

#[test]
fn only_texts_whose_signature_is_good_are_remembered() {
    let Fixture { keys, tokens } = fixture();
    let memory = VerifiedTokens::new(1_000);
    let now = Timestamp::from_unix(START + 300);
    let rules = Rules {
        issuer: ISSUER,
        audience: Audience::Any,
        presentation: Presentation::Bearer,
        now,
        leeway: Leeway::NONE,
    };
    let key_for = |kid: &str| keys.iter().find(|key| key.kid() == kid);
    for token in tokens {
        let is_good = memory.verify(token, key_for, &rules).is_ok();
        assert_eq!(memory.kids.get(&digest_of(token)).is_some(), is_good, "{token}");
    }
    assert_eq!(memory.known.lock().len(), keys.len(), "each kid is held once");
}
