//! What must be true of whatever was accepted.

use claviger::domain::cidr::Cidrs;
use claviger::domain::scope::Scopes;
use claviger::jose::claims::Claims;
use claviger::jose::revocation_feed::Document;
use serde_json::{Value, json};

use crate::issuer::{AUDIENCE, ISSUER, KEYS, NOW};

/// Asserts that a header which was accepted names a known key and its algorithm, the type, and nothing that it must
/// not have.
pub fn check_header(header: &[u8]) {
    let header: Value = serde_json::from_slice(header).unwrap();
    let key = KEYS.iter().find(|key| header["kid"] == key.kid()).unwrap();
    assert_eq!(header["alg"], key.algorithm().as_str());
    let typ = header["typ"].as_str().unwrap().to_ascii_lowercase();
    assert_eq!(typ.strip_prefix("application/").unwrap_or(&typ), "at+jwt");
    for refused in ["crit", "jwk", "jku", "x5u", "x5c", "b64", "zip", "enc"] {
        assert!(header.get(refused).is_none(), "{refused}");
    }
}

/// Asserts that claims which were accepted are those of the payload, for here and for now.
pub fn check_claims(payload: &[u8], claims: &Claims) {
    let said: Value = serde_json::from_slice(payload).unwrap();
    assert_eq!(said["iss"], ISSUER);
    let audience = match &said["aud"] {
        Value::Array(many) => many.clone(),
        one => vec![one.clone()],
    };
    assert!(audience.contains(&json!(AUDIENCE)));
    let [iat, exp] = ["iat", "exp"].map(|claim| said[claim].as_i64().unwrap());
    assert!((0..=NOW).contains(&iat) && NOW < exp && exp - iat <= 600);
    assert!(said.get("nbf").is_none_or(|nbf| nbf.as_i64().unwrap() <= NOW));
    let text = |claim: &str| {
        let text = said[claim].as_str().unwrap();
        assert!(!text.is_empty() && !text.chars().any(char::is_control), "{claim}");
        text
    };
    assert_eq!(text("sub"), claims.subject);
    assert_eq!(text("client_id"), claims.client_id);
    assert_eq!(text("jti"), claims.token_id);
    assert_eq!(text("org"), claims.organization);
    assert_eq!(text("project"), claims.project);
    assert_eq!(text("env"), claims.environment);
    assert_eq!(text("scope"), claims.scope);
    assert_eq!(said["gen"].as_u64().unwrap(), claims.generation);
    assert_eq!(said["cidrs"], json!(claims.cidrs));
    assert!(!claims.cidrs.is_empty());
}

/// Asserts that what a token allows is written as it is read.
pub fn check_rights(claims: &Claims) {
    let Ok((scopes, cidrs)) = claims.rights() else { return };
    assert!(!scopes.is_empty());
    assert_eq!(Scopes::parse_list(&scopes.to_string()).as_ref(), Ok(&scopes));
    let canonical: Vec<String> = cidrs.iter().map(ToString::to_string).collect();
    assert_eq!(Cidrs::parse(canonical.iter().map(String::as_str)).as_ref(), Ok(&cidrs));
    // An address that is not known is admitted by those alone who admit everybody.
    assert_eq!(cidrs.admits(None), cidrs.is_everyone());
}

/// Asserts that a document revokes a token exactly if it names one of its keys, ids or origins.
pub fn check_revocation(payload: &[u8], claims: &Claims) {
    let document = json!({
        "iss": ISSUER, "aud": "urn:claviger:revocations", "iat": NOW, "epoch": "e", "seq": 1, "as_of": NOW,
        "max_stale": 30, "keys": { "key_Alpha00000000000": 5, "key_Beta000000000000": 9 },
        "jtis": ["dead", "AAAAAAAAAAAAAAAAAAAAAA"], "kids": ["withdrawn"],
    });
    let document = Document::parse(document.to_string().as_bytes(), ISSUER).unwrap();
    let said: Value = serde_json::from_slice(payload).unwrap();
    let has_moved_on = |holder: &Value| {
        let least = match holder["sub"].as_str().unwrap() {
            "key_Alpha00000000000" => 5,
            "key_Beta000000000000" => 9,
            _ => 0,
        };
        holder["gen"].as_u64().unwrap() < least
    };
    let holders = std::iter::successors(Some(&said), |holder| holder.get("act"));
    let origin = said.get("origin").and_then(Value::as_array).into_iter().flatten();
    let is_dead = |id: &Value| id == "dead" || id == "AAAAAAAAAAAAAAAAAAAAAA";
    let expected = holders.into_iter().any(has_moved_on) || origin.chain([&said["jti"]]).any(is_dead);
    assert_eq!(document.revokes(claims, "kid"), expected);
    assert!(document.revokes(claims, "withdrawn"));
}
