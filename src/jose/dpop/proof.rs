//! Reads and checks proofs (RFC 9449 §4.3).

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD as BASE64URL;
use ring::digest::{SHA256, digest};

use super::{MAX_TOKEN_ID, PROOF_TYPE, ProofFault, TargetUri, WINDOW};
use crate::base::clock::Timestamp;
use crate::jose::foreign::{Algorithm, Jws};
use crate::jose::json::{Object, Value};
use crate::jose::jwk::Thumbprint;

/// The expectations that a proof is checked against.
#[derive(Clone, Copy, Debug)]
pub struct ExpectedProof<'a> {
    /// The method of the request.
    pub method: &'a str,
    /// The URL that the request was sent to, as clients see it.
    pub target: &'a TargetUri,
    /// The access token that the request carries. `None` at the token endpoint, where there is none yet.
    pub token: Option<&'a str>,
    /// The accepted algorithms.
    pub algorithms: &'a [Algorithm],
    /// The nonces that are current. `None` if no nonce is required.
    pub nonces: Option<&'a [String]>,
    /// The current time.
    pub now: Timestamp,
}

/// A proof that its sender has the private key with this thumbprint, made for one request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proof {
    thumbprint: Thumbprint,
    token_id: String,
    issued_at: Timestamp,
}

/// Checks a proof, the value of a `DPoP` header.
///
/// # Errors
/// [`ProofFault`] names the first rule that the proof breaks.
pub fn verify_proof(proof: &str, expected: &ExpectedProof<'_>) -> Result<Proof, ProofFault> {
    let (unverified, jwk) = Jws::parse_with_jwk(proof)?;
    if !unverified.header().is_one_of(&[PROOF_TYPE]) {
        return Err(ProofFault::Type);
    }
    if !expected.algorithms.contains(&jwk.algorithm()) {
        return Err(ProofFault::Algorithm);
    }
    let claims = Object::parse(unverified.verify(&jwk)?).map_err(ProofFault::Payload)?;
    let token_id = token_id(&claims)?;
    expected.check_request(&claims)?;
    let issued_at = expected.check_times(&claims)?;
    expected.check_token(&claims)?;
    expected.check_nonce(&claims)?;
    Ok(Proof { thumbprint: jwk.thumbprint(), token_id, issued_at })
}

impl Proof {
    /// The thumbprint of the key.
    pub fn thumbprint(&self) -> Thumbprint {
        self.thumbprint
    }

    /// The `jti`: no other proof of this key may have it.
    pub fn token_id(&self) -> &str {
        &self.token_id
    }

    /// The first second at which the proof is not accepted any more. Until then, its [`Proof::token_id`] has to be
    /// remembered.
    pub fn ends_at(&self) -> Timestamp {
        self.issued_at.plus(WINDOW + 1)
    }
}

impl ExpectedProof<'_> {
    fn check_request(&self, claims: &Object<'_>) -> Result<(), ProofFault> {
        if text(claims, "htm")? != self.method {
            return Err(ProofFault::Method);
        }
        match TargetUri::parse(text(claims, "htu")?) {
            None => Err(ProofFault::NotAUrl),
            Some(target) if target == *self.target => Ok(()),
            Some(_) => Err(ProofFault::Target),
        }
    }

    fn check_times(&self, claims: &Object<'_>) -> Result<Timestamp, ProofFault> {
        let issued_at = time(claims, "iat")?.ok_or(ProofFault::Missing("iat"))?;
        let (expires_at, not_before) = (time(claims, "exp")?, time(claims, "nbf")?);
        let latest = self.now.plus(WINDOW);
        if issued_at > latest {
            return Err(ProofFault::IssuedInFuture);
        }
        if issued_at < self.now.plus(-WINDOW) {
            return Err(ProofFault::Stale);
        }
        if expires_at.is_some_and(|end| end <= self.now) {
            return Err(ProofFault::Expired);
        }
        if not_before.is_some_and(|begin| begin > latest) {
            return Err(ProofFault::NotYetValid);
        }
        Ok(issued_at)
    }

    /// RFC 9449 §4.3, number 11: with a token, the proof names it.
    fn check_token(&self, claims: &Object<'_>) -> Result<(), ProofFault> {
        let Some(token) = self.token else { return Ok(()) };
        let hash = BASE64URL.encode(digest(&SHA256, token.as_bytes()));
        if text(claims, "ath")? == hash { Ok(()) } else { Err(ProofFault::TokenHash) }
    }

    fn check_nonce(&self, claims: &Object<'_>) -> Result<(), ProofFault> {
        let Some(current) = self.nonces else { return Ok(()) };
        if !claims.has("nonce") {
            return Err(ProofFault::NoNonce);
        }
        let nonce = text(claims, "nonce")?;
        if current.iter().any(|current| current == nonce) { Ok(()) } else { Err(ProofFault::Nonce) }
    }
}

fn token_id(claims: &Object<'_>) -> Result<String, ProofFault> {
    let id = text(claims, "jti")?;
    match id.chars().count() {
        1..=MAX_TOKEN_ID => Ok(id.to_owned()),
        _ => Err(ProofFault::TokenId),
    }
}

fn text<'o>(claims: &'o Object<'_>, name: &'static str) -> Result<&'o str, ProofFault> {
    match claims.get(name) {
        Some(Value::String(text)) => Ok(text),
        Some(_) => Err(ProofFault::NotText(name)),
        None => Err(ProofFault::Missing(name)),
    }
}

/// A time, if it is there.
fn time(claims: &Object<'_>, name: &'static str) -> Result<Option<Timestamp>, ProofFault> {
    let read = |value: &Value<'_>| value.numeric_date().ok_or(ProofFault::NotTime(name));
    claims.get(name).map(read).transpose()
}
