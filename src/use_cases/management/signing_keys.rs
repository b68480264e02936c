//! Signing keys: listing, rotating and withdrawing them.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{ApiError, Conflict, reading};
use crate::base::clock::Timestamp;
use crate::domain::scope::Verb;
use crate::domain::usage::Interval;
use crate::jose::claims::MAX_LIFETIME;
use crate::node::keyring::{KeyringError, Ring, RingKey, RotateError};
use crate::node::{Records, Signer, run_to_completion};
use crate::store::TokenReach;
use crate::use_cases::access::Caller;

const PATH: [&str; 1] = ["signing-keys"];

/// A signing key as the API shows it. Absent values are `null`.
#[derive(Debug, Serialize)]
pub struct SigningKeyView {
    /// The id of the key (RFC 7638).
    pub kid: String,
    /// `ES256`, `EdDSA` or `RS256`.
    pub algorithm: &'static str,
    /// `next`, `active`, `retiring`, `retired` or `withdrawn`.
    pub status: &'static str,
    /// When the key was published.
    pub created_at: Timestamp,
    /// When the key begins to sign.
    pub activates_at: Timestamp,
    /// When the next key takes over.
    pub superseded_at: Option<Timestamp>,
    /// When the key was withdrawn.
    pub withdrawn_at: Option<Timestamp>,
}

/// The body of a rotation. An empty one requests an ordinary rotation.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RotateRequest {
    /// The id of a key to withdraw at once.
    compromised: Option<String>,
}

/// The extent of the tokens that may still be valid.
#[derive(Clone, Debug)]
pub struct LiveTokens {
    /// The hour from which on tokens are counted, in UTC: `14:00`.
    pub since: String,
    /// The organizations whose keys received tokens.
    pub organizations: u64,
    /// The issued tokens.
    pub tokens: u64,
}

impl RotateRequest {
    /// The withdrawal of a compromised key.
    pub const fn withdrawing(kid: String) -> Self {
        Self { compromised: Some(kid) }
    }
}

/// The extent of the tokens that may still be valid, in all organizations. A withdrawal ends at most these.
///
/// # Errors
/// [`ApiError`].
pub async fn reach(records: &Records, caller: &Caller) -> Result<LiveTokens, ApiError> {
    caller.may(Verb::Admin, &PATH)?;
    let since = Interval::Hour.start_of(records.clock.now().plus(-MAX_LIFETIME));
    let TokenReach { organizations, tokens } = reading(records, caller).await?.token_reach(since).await?;
    Ok(LiveTokens { since: since.rfc3339()[11..16].to_owned(), organizations, tokens })
}

/// All signing keys, the newest first.
///
/// # Errors
/// [`ApiError`].
pub fn list(signer: &Signer, caller: &Caller, now: Timestamp) -> Result<Vec<SigningKeyView>, ApiError> {
    caller.may(Verb::Read, &PATH)?;
    Ok(views(&signer.keyring.ring(), now))
}

/// When the next signing key takes over: the one that is published already, or the one that the schedule will make.
///
/// # Errors
/// [`ApiError`].
pub fn next_rotation(
    signer: &Signer,
    caller: &Caller,
    now: Timestamp,
) -> Result<Option<Timestamp>, ApiError> {
    caller.may(Verb::Read, &PATH)?;
    let ring = signer.keyring.ring();
    let scheduled = || ring.signing(now).map(|active| active.activates_at.plus(signer.policy.every));
    Ok(ring.next(now).map(|next| next.activates_at).or_else(scheduled))
}

/// Publishes a next signing key, or withdraws a compromised one at once. If the withdrawn key signs, a new key replaces
/// it. Returns all keys after the change.
///
/// # Errors
/// [`ApiError`]. Then the keys have not changed.
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

/// Whether the text can be a key's id: SHA-256 in base64url (RFC 7638 §3). PostgreSQL does not even accept a text that
/// contains a NUL.
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
            RotateError::NextIsWaiting => Conflict::NextSigningKey.into(),
            RotateError::SameKey => Conflict::SameSigningKey.into(),
            RotateError::NotMadeHere(algorithm) => Conflict::SigningKeyNotMadeHere(algorithm).into(),
            RotateError::NoSuchKey => Self::NotFound,
            RotateError::Store(error) => error.into(),
            RotateError::Keyring(KeyringError::Store(error)) => error.into(),
            RotateError::Pem(_)
            | RotateError::Key(_)
            | RotateError::Disagreement(_)
            | RotateError::Entropy(_)
            | RotateError::Keyring(_) => Self::internal(error),
        }
    }
}
