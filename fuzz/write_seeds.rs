//! Writes the inputs that fuzzing begins with: `seeds TARGET FOLDER`.

#![allow(clippy::print_stderr, reason = "it is a program")]

use std::path::Path;
use std::process::ExitCode;

use claviger_fuzz::issuer::{
    ISSUER, KEYS, NOW, PROOF_URL, eddsa, header, payload, proof_claims, proof_header, sign,
};
use serde_json::{Value, json};

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let (Some(target), Some(folder)) = (arguments.next(), arguments.next()) else {
        eprintln!("usage: seeds TARGET FOLDER");
        return ExitCode::FAILURE;
    };
    let seeds = match target.as_str() {
        "token" => tokens(),
        "assertion" => assertions(),
        "claims" => claims(),
        "feed" => feeds(),
        "keys" => keys(),
        "issuer_keys" => issuer_keys(),
        "proof" => proofs(),
        _ => Vec::new(),
    };
    for (number, seed) in seeds.iter().enumerate() {
        if let Err(error) = std::fs::write(Path::new(&folder).join(format!("seed-{number:03}")), seed) {
            eprintln!("{folder}: {error}");
            return ExitCode::FAILURE;
        }
    }
    if seeds.is_empty() {
        eprintln!("{target} is no target");
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}

/// A good proof; headers above claims, which the target signs; and URLs.
fn proofs() -> Vec<String> {
    let (header, claims) = (proof_header(eddsa()), proof_claims());
    let mut seeds = vec![sign(eddsa(), header.to_string().as_bytes(), claims.to_string().as_bytes())];
    seeds.extend(KEYS.iter().map(|key| format!("{}\n{claims}", proof_header(key))));
    let with = |base: &Value, name: &str, value: Value| {
        let mut changed = base.clone();
        changed[name] = value;
        changed
    };
    for (name, value) in
        [("typ", json!("application/DPoP+jwt")), ("alg", json!("none")), ("crit", json!(["jti"]))]
    {
        seeds.push(format!("{}\n{claims}", with(&header, name, value)));
    }
    for (name, value) in [
        ("htu", json!("HTTPS://API.example.com:443/%6frders/7?a#b")),
        ("htm", json!("get")),
        ("iat", json!(NOW - 60)),
        ("exp", json!(NOW + 1)),
        ("nbf", json!(NOW + 60)),
        ("nonce", json!("x")),
        ("jti", json!("a".repeat(256))),
    ] {
        seeds.push(format!("{header}\n{}", with(&claims, name, value)));
    }
    seeds.extend([PROOF_URL, "http://[::1]:8080/a%2Fb?c#d"].map(str::to_owned));
    seeds
}

/// Good tokens; and headers above payloads, which the target signs.
fn tokens() -> Vec<String> {
    let good = |key| sign(key, header(key, "at+jwt").as_bytes(), payload().to_string().as_bytes());
    let mut seeds: Vec<String> = KEYS.iter().map(good).collect();
    let eddsa_header: Value = serde_json::from_str(&header(eddsa(), "at+jwt")).unwrap();
    let with = |name: &str, value: Value| {
        let mut header = eddsa_header.clone();
        header[name] = value;
        format!("{header}\n{}", payload())
    };
    seeds.extend(KEYS.iter().map(|key| format!("{}\n{}", header(key, "at+jwt"), payload())));
    seeds.extend([
        with("typ", json!("application/AT+jwt")),
        with("typ", json!("revocations+jwt")),
        with("alg", json!("none")),
        with("alg", json!("HS256")),
        with("alg", json!("ES256")),
        with("kid", json!(KEYS[0].kid())),
        with("jwk", json!(eddsa().public_jwk())),
        with("jku", json!("https://evil.example/keys")),
        with("x5u", json!("https://evil.example/certificate")),
        with("x5c", json!(["MIIB"])),
        with("crit", json!(["b64"])),
        with("b64", json!(false)),
        with("zip", json!("DEF")),
        with("enc", json!("A256GCM")),
        with("cty", json!({ "a": [1, 2.5, null, true, "\u{e9}\u{1f600}\""] })),
    ]);
    seeds
}

/// Headers above payloads, which the target signs.
fn assertions() -> Vec<String> {
    let client = "key_0123456789abcdef";
    let now = NOW;
    let claims = json!({ "iss": client, "sub": client, "aud": ISSUER, "exp": now + 60, "jti": "1" });
    let with = |name: &str, value: Value| {
        let mut changed = claims.clone();
        changed[name] = value;
        format!("{}\n{changed}", json!({ "alg": "EdDSA" }))
    };
    let headers = [
        json!({ "alg": "EdDSA" }),
        json!({ "alg": "Ed25519", "typ": "JWT" }),
        json!({ "alg": "EdDSA", "typ": "client-authentication+jwt", "kid": eddsa().kid() }),
        json!({ "alg": "ES256", "kid": "x" }),
        json!({ "alg": "EdDSA", "jwk": eddsa().public_jwk() }),
        json!({ "alg": "EdDSA", "crit": ["exp"] }),
    ];
    let mut seeds: Vec<String> = headers.iter().map(|header| format!("{header}\n{claims}")).collect();
    seeds.extend([
        with("aud", json!([ISSUER])),
        with("aud", json!([ISSUER, "https://other.example"])),
        with("exp", json!(now - 30)),
        with("exp", json!(now + 331)),
        with("exp", json!(1e9)),
        with("nbf", json!(now + 31)),
        with("iat", json!(now)),
        with("jti", json!("j".repeat(256))),
        with("more", json!({ "of": ["everything", null, 1.5] })),
    ]);
    seeds
}

/// Claims that are good, and of everything that can be in them.
fn claims() -> Vec<String> {
    let with = |members: Value| {
        let mut claims = payload();
        for (name, value) in members.as_object().unwrap() {
            claims[name] = value.clone();
        }
        claims.to_string()
    };
    let actor = json!({ "sub": "key_Beta000000000000", "gen": 8, "act": { "sub": "key_Gamma00000000000", "gen": 1 } });
    let mut seeds = vec![
        payload().to_string(),
        format!("{:#}", payload()),
        payload().to_string().replacen("sub", "\\u0073ub", 1),
        payload().to_string().replacen('{', r#"{"sub":"a","#, 1),
        with(json!({ "aud": ["https://other.example", "https://api.example.com"] })),
        with(json!({ "nbf": NOW, "iat": NOW - 599, "exp": NOW + 1 })),
        with(json!({ "exp": NOW + 601 })),
        with(json!({ "exp": 1e10, "iat": -1, "gen": u64::MAX })),
        with(json!({ "act": actor, "client_id": "key_Beta000000000000", "origin": ["one", "dead"] })),
        with(json!({ "jti": "dead" })),
        with(json!({ "gen": 4 })),
        with(json!({ "x": { "y": [[[1, -0.5e-3, "\u{1f600}"]], {}], "z": null } })),
    ];
    let scopes: Value = serde_json::from_str(include_str!("../tests/vectors/scopes.json")).unwrap();
    let lists = texts(&scopes["lists"], "list").chain(texts(&scopes["accepted"], "scope"));
    seeds.extend(lists.map(|scope| with(json!({ "scope": scope }))));
    let cidrs: Value = serde_json::from_str(include_str!("../tests/vectors/cidrs.json")).unwrap();
    seeds.extend(
        cidrs["lists"].as_array().unwrap().iter().map(|row| with(json!({ "cidrs": row["entries"] }))),
    );
    seeds.extend(texts(&cidrs["accepted"], "entry").map(|entry| with(json!({ "cidrs": [entry] }))));
    seeds
}

fn texts<'v>(rows: &'v Value, member: &'v str) -> impl Iterator<Item = String> + use<'v> {
    rows.as_array().unwrap().iter().filter_map(move |row| Some(row[member].as_str()?.to_owned()))
}

/// The documents of each case of the vectors, one a line.
fn feeds() -> Vec<String> {
    let vectors: Value = serde_json::from_str(include_str!("../tests/vectors/feed.json")).unwrap();
    let line = |step: &Value| {
        let kid = step["kid"].as_str().unwrap_or("kid").replace(' ', "-");
        Some(format!("{} {kid} {}\n", step["at"], step.get("document")?))
    };
    let case = |case: &Value| case["steps"].as_array().unwrap().iter().filter_map(line).collect();
    let mut seeds: Vec<String> = vectors["cases"].as_array().unwrap().iter().map(case).collect();
    assert_eq!(vectors["issuer"][0]["iss"], ISSUER);
    seeds.retain(|seed| !seed.is_empty());
    seeds
}

/// Key sets with good keys, and with keys that can't be used.
fn keys() -> Vec<String> {
    let jwks: Vec<Value> = KEYS.iter().map(|key| json!(key.public_jwk())).collect();
    let bare = |jwk: &Value| {
        let members = jwk.as_object().unwrap().iter();
        let numbers = members.filter(|(name, _)| !["use", "alg", "kid"].contains(&name.as_str()));
        Value::Object(numbers.map(|(name, value)| (name.clone(), value.clone())).collect())
    };
    let mut odd = jwks[0].clone();
    odd["d"] = json!("AA");
    odd["key_ops"] = json!(["verify"]);
    let mut seeds: Vec<String> =
        jwks.iter().flat_map(|jwk| [jwk.to_string(), bare(jwk).to_string()]).collect();
    seeds.extend([
        json!({ "keys": jwks }).to_string(),
        json!({ "keys": [odd, jwks[1], jwks[1], 1] }).to_string(),
    ]);
    seeds
}

/// Key sets of other issuers, with keys of each kind, with and without an id and an algorithm.
fn issuer_keys() -> Vec<String> {
    let jwks: Vec<Value> = KEYS.iter().map(|key| json!(key.public_jwk())).collect();
    let set = |keys: &[Value]| json!({ "keys": keys }).to_string();
    let without = |name: &str| {
        let mut keys = jwks.clone();
        keys.iter_mut().for_each(|key| drop(key.as_object_mut().unwrap().remove(name)));
        keys
    };
    let with = |name: &str, value: Value| {
        let mut keys = jwks.clone();
        keys.iter_mut().for_each(|key| key[name] = value.clone());
        keys
    };
    let x = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
    vec![
        set(&jwks),
        set(&without("alg")),
        set(&without("kid")),
        set(&without("use")),
        set(&with("use", json!("enc"))),
        set(&with("alg", json!("PS256"))),
        set(&with("key_ops", json!(["verify"]))),
        set(&with("kid", json!("same"))),
        set(&with("d", json!("AA"))),
        set(&with("x5c", json!(["MIIB"]))),
        set(&[jwks[0].clone(), json!(7), json!({ "kty": "oct" }), jwks[1].clone()]),
        set(&[json!({ "kty": "EC", "crv": "P-384", "x": x, "y": x, "kid": "p384" })]),
        json!({ "keys": [], "issuer": "https://other.example" }).to_string(),
    ]
}
