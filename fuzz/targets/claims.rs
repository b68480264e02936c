//! Any payload in a token whose signature is good.

#![no_main]

use claviger::jose::claims::{AccessTokenClaims, Claims};
use claviger_fuzz::issuer::{eddsa, header, sign, verify};
use claviger_fuzz::oracle;
use libfuzzer_sys::fuzz_target;
use serde_json::Value;

fuzz_target!(|payload: &[u8]| {
    let Ok(claims) = verify(&signed(payload)) else { return };
    oracle::check_claims(payload, &claims);
    oracle::check_rights(&claims);
    oracle::check_revocation(payload, &claims);

    // Another reader that understands the same, and writes it in its own way, changes nothing.
    let read: Value = serde_json::from_slice(payload).unwrap();
    assert_eq!(verify(&signed(read.to_string().as_bytes())).as_ref(), Ok(&claims));
    // Nor does this project's own writer, which has no `nbf`.
    let mut again = Claims::parse(&written(&claims)).unwrap();
    again.not_before = claims.not_before;
    assert_eq!(again, claims);
});

fn signed(payload: &[u8]) -> String {
    sign(eddsa(), header(eddsa(), "at+jwt").as_bytes(), payload)
}

fn written(claims: &Claims) -> Vec<u8> {
    let audience: Vec<&str> = claims.audience.iter().map(String::as_str).collect();
    let mut payload = Vec::new();
    let claims = AccessTokenClaims {
        issuer: &claims.issuer,
        subject: &claims.subject,
        client_id: &claims.client_id,
        audience: &audience,
        issued_at: claims.issued_at,
        expires_at: claims.expires_at,
        token_id: &claims.token_id,
        scope: &claims.scope,
        cidrs: &claims.cidrs,
        organization: &claims.organization,
        project: &claims.project,
        environment: &claims.environment,
        generation: claims.generation,
        confirmation: claims.confirmation,
        actor: claims.actor.as_ref(),
        origin: &claims.origin,
    };
    claims.write(&mut payload).unwrap();
    payload
}
