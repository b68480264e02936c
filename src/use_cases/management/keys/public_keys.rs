//! Registers the public keys of keys.

use serde::Deserialize;
use serde_json::Value;

use super::{KeyPath, find_to_hand_out, update};
use crate::base::clock::Timestamp;
use crate::base::entropy::Entropy;
use crate::domain::key::{ApiKey, PublicKeyId, RegisteredKey};
use crate::jose::foreign::{Algorithm, Jwk, import_public};
use crate::node::{Authenticator, Records};
use crate::use_cases::access::Caller;
use crate::use_cases::management::{ApiError, Conflict, InvalidRequest};

/// A public key to register: a JWK (RFC 7517), or PEM (RFC 7468 §13). A JWK has its `alg` and `kid` in itself; beside PEM,
/// they are members of this object.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, expecting = "a JSON object with jwk, or with pem and maybe alg and kid")]
pub struct NewPublicKey {
    jwk: Option<Value>,
    pem: Option<String>,
    alg: Option<String>,
    kid: Option<String>,
}

impl NewPublicKey {
    /// Reads the key, which has to be for one of these algorithms.
    pub(super) fn read(
        self,
        accepted: &[Algorithm],
        entropy: &Entropy,
        now: Timestamp,
    ) -> Result<RegisteredKey, ApiError> {
        new(&self.jwk()?, accepted, entropy, now)
    }

    fn jwk(self) -> Result<Jwk, InvalidRequest> {
        match self {
            Self { jwk: Some(jwk), pem: None, alg: None, kid: None } => {
                Jwk::parse(jwk.to_string().as_bytes()).map_err(InvalidRequest::PublicKey)
            }
            Self { jwk: None, pem: Some(pem), alg, kid } => {
                let alg = alg.map(|alg| alg.parse()).transpose();
                let alg = alg.map_err(|_| InvalidRequest::UnknownAlgorithm)?;
                import_public(&pem, alg, kid).map_err(InvalidRequest::PublicKeyPem)
            }
            _ => Err(InvalidRequest::JwkOrPem),
        }
    }
}

/// The registration of a public key, which has to be for one of these algorithms.
pub(super) fn new(
    jwk: &Jwk,
    accepted: &[Algorithm],
    entropy: &Entropy,
    now: Timestamp,
) -> Result<RegisteredKey, ApiError> {
    if !accepted.contains(&jwk.algorithm()) {
        return Err(InvalidRequest::PublicKeyAlgorithm(jwk.algorithm()).into());
    }
    let id = PublicKeyId::generate(entropy).map_err(ApiError::internal)?;
    let text = serde_json::to_string(jwk).map_err(ApiError::internal)?;
    RegisteredKey::new(id, text.into(), now).map_err(ApiError::internal)
}

/// Reads the public keys of a new key.
pub(super) fn of_new_key(
    public_keys: Vec<NewPublicKey>,
    authenticator: &Authenticator,
    entropy: &Entropy,
    now: Timestamp,
) -> Result<Vec<RegisteredKey>, ApiError> {
    if public_keys.len() > ApiKey::MAX_PUBLIC_KEYS {
        return Err(InvalidRequest::TooManyPublicKeys(ApiKey::MAX_PUBLIC_KEYS).into());
    }
    let mut read = Vec::new();
    for public_key in public_keys {
        let new = public_key.read(authenticator.assertions.algorithms(), entropy, now)?;
        if is_among(&new, &read) {
            return Err(InvalidRequest::SamePublicKeyTwice.into());
        }
        read.push(new);
    }
    Ok(read)
}

/// Whether one of these has the same `kid`, so that an assertion could mean either, or is the same key.
fn is_among(new: &RegisteredKey, registered: &[RegisteredKey]) -> bool {
    let thumbprint = |key: &RegisteredKey| Jwk::parse(key.jwk.as_bytes()).ok().map(|jwk| jwk.thumbprint());
    let own = thumbprint(new);
    registered.iter().any(|held| held.kid == new.kid || thumbprint(held) == own)
}

/// Registers a public key for a key. That hands out a way to act as the key, as a new secret does.
///
/// # Errors
/// [`ApiError`]. Then nothing has changed. [`ApiError::Conflict`] for a revoked key, when the key has the public key
/// already, and when it has as many as it may.
pub async fn register(
    records: &Records,
    authenticator: &Authenticator,
    caller: &Caller,
    path: &KeyPath,
    public_key: NewPublicKey,
) -> Result<RegisteredKey, ApiError> {
    let now = records.clock.now();
    let new = public_key.read(authenticator.assertions.algorithms(), &records.entropy, now)?;
    let mut write = records.store.write(now, &caller.actor()).await?;
    let before = find_to_hand_out(&mut write, caller, path).await?;
    if is_among(&new, &before.public_keys) {
        return Err(Conflict::SamePublicKey.into());
    }
    if before.public_keys.len() >= ApiKey::MAX_PUBLIC_KEYS {
        return Err(Conflict::TooManyPublicKeys(ApiKey::MAX_PUBLIC_KEYS).into());
    }
    write.insert_credential(&before.id, &new).await?;
    let mut after = before.clone();
    after.public_keys.push(new.clone());
    update(&mut write, "public_key.register", &before, &after).await?;
    records.commit(write).await?;
    Ok(new)
}
