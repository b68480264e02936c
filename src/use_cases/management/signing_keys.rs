//! Signing keys: looking at them, rotating them, withdrawing one.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{ApiError, reading};
use crate::base::clock::Timestamp;
use crate::domain::scope::Verb;
use crate::domain::usage::Interval;
use crate::jose::claims::MAX_LIFETIME;
use crate::node::keyring::{KeyringError, Ring, RingKey, RotateError};
use crate::node::{Records, Signer, run_to_completion};
use crate::store::TokenReach;
use crate::use_cases::access::Caller;

const PATH: [&str; 1] = ["signing-keys"];

/// A signing key as the API shows it. What is not known is `null`.
#[derive(Debug, Serialize)]
pub struct SigningKeyView {
    /// Its id (RFC 7638).
    pub kid: String,
    /// `ES256`, `EdDSA` or `RS256`.
    pub algorithm: &'static str,
    /// Where it stands.
    pub status: &'static str,
    /// When it was published.
    pub created_at: Timestamp,
    /// When it begins to sign.
    pub activates_at: Timestamp,
    /// When the next one began to.
    pub superseded_at: Option<Timestamp>,
    /// When it was withdrawn.
    pub withdrawn_at: Option<Timestamp>,
}

/// The body of a rotation. Empty, it asks for the ordinary one.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RotateRequest {
    /// The id of a key to withdraw at once.
    compromised: Option<String>,
}

/// How far the tokens go that may still be good.
#[derive(Clone, Debug)]
pub struct Reach {
    /// The hour from which on they are counted, by UTC: `14:00`.
    pub since: String,
    /// Organizations whose keys got any.
    pub organizations: u64,
    /// Tokens that were issued.
    pub tokens: u64,
}

impl RotateRequest {
    /// The withdrawal of a key that is compromised.
    pub const fn withdrawing(kid: String) -> Self {
        Self { compromised: Some(kid) }
    }
}

/// How far the tokens go that may still be good, in all organizations: what a withdrawal ends at most.
///
/// # Errors
/// [`ApiError`].
pub async fn reach(records: &Records, caller: &Caller) -> Result<Reach, ApiError> {
    caller.may(Verb::Admin, &PATH)?;
    let since = Interval::Hour.start_of(records.clock.now().plus(-MAX_LIFETIME));
    let TokenReach { organizations, tokens } = reading(records, caller).await?.token_reach(since).await?;
    Ok(Reach { since: since.rfc3339()[11..16].to_owned(), organizations, tokens })
}

/// All signing keys, the newest first.
///
/// # Errors
/// [`ApiError`].
pub fn list(signer: &Signer, caller: &Caller, now: Timestamp) -> Result<Vec<SigningKeyView>, ApiError> {
    caller.may(Verb::Read, &PATH)?;
    Ok(views(&signer.keyring.ring(), now))
}

/// Publishes a next signing key, or withdraws a compromised one at once, with a new one in its place when it signs;
/// returns all keys as they are now.
///
/// # Errors
/// [`ApiError`]; the keys are then as they were.
pub async fn rotate(
    records: &Arc<Records>,
    signer: &Arc<Signer>,
    caller: &Caller,
    request: RotateRequest,
) -> Result<Vec<SigningKeyView>, ApiError> {
    caller.may(Verb::Admin, &PATH)?;
    if request.compromised.as_deref().is_some_and(|kid| !is_kid(kid)) {
        return Err(ApiError::NotFound);
    }
    let actor = caller.actor();
    let (store, ring_of, now) = (Arc::clone(records), Arc::clone(signer), records.clock.now());
    let rotated = run_to_completion(async move {
        let rotation = ring_of.rotation(&store.store, now);
        let rotated = match &request.compromised {
            Some(kid) => rotation.withdraw(kid, &actor).await,
            None => rotation.ahead(&actor).await,
        };
        let reloaded = ring_of.keyring.reload(&store.store).await;
        store.wake_follower();
        rotated?;
        reloaded.map_err(ApiError::internal)
    });
    rotated.await.ok_or_else(|| ApiError::internal("rotating panicked"))??;
    Ok(views(&signer.keyring.ring(), now))
}

/// Whether a key could have this id: SHA-256 in base64url (RFC 7638 §3). PostgreSQL can't even be asked for a
/// text with a NUL in it.
fn is_kid(text: &str) -> bool {
    text.len() == 43 && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
}

fn views(ring: &Ring, now: Timestamp) -> Vec<SigningKeyView> {
    ring.keys().iter().rev().map(|key| view(key, now)).collect()
}

fn view(key: &RingKey, now: Timestamp) -> SigningKeyView {
    SigningKeyView {
        kid: key.kid().to_owned(),
        algorithm: key.public_jwk().algorithm().as_str(),
        status: key.status(now).as_str(),
        created_at: key.created_at,
        activates_at: key.activates_at,
        superseded_at: key.superseded_at,
        withdrawn_at: key.withdrawn_at,
    }
}

impl From<RotateError> for ApiError {
    fn from(error: RotateError) -> Self {
        match error {
            RotateError::NextIsWaiting | RotateError::SameKey | RotateError::NotMadeHere(_) => {
                Self::Conflict(error.to_string())
            }
            RotateError::NoSuchKey => Self::NotFound,
            RotateError::Store(error) => error.into(),
            RotateError::Keyring(KeyringError::Store(error)) => error.into(),
            RotateError::Pem(_) | RotateError::Key(_) | RotateError::Entropy(_) | RotateError::Keyring(_) => {
                Self::internal(error)
            }
        }
    }
}
