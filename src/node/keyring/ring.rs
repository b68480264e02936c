//! All signing keys in the order of their activation, and the rules for what each may do.
//!
//! A key takes over at its activation, unless it was withdrawn before. From then on, its predecessor is superseded for
//! good: a later withdrawal of the successor does not bring the predecessor back.
//!
//! | status | from | published | signs | tokens accepted | withdrawing it |
//! |---|---|---|---|---|---|
//! | `next` | creation | yes | only when no key is active: the earliest one | when it signs, or activates within the skew | cancels it; the active key continues |
//! | `active` | activation | yes | yes | yes | a new key signs at once |
//! | `retiring` | its successor's activation | yes | no | yes | changes nothing else |
//! | `retired` | 690 s later | no | no | no | changes nothing else |
//! | `withdrawn` | the withdrawal | no | no | no | not found |
//!
//! The clocks of two nodes may differ by [`NODE_SKEW_SECONDS`]. A node that is behind sees a key that was just made as
//! `next`, and signs with it when no other key is active. A node that is ahead signs with a key that the others see as
//! `next`. They accept its tokens within the skew. A node that is behind continues to sign with a key that the others
//! see as `retiring`. They accept that key for much longer than the skew.

use std::fmt;
use std::sync::Arc;

use crate::base::clock::{NODE_SKEW_SECONDS, Timestamp};
use crate::jose::claims::ACCESS_TOKEN_TYPE;
use crate::jose::jwk::{PublicJwk, SigningKey, VerifyingKey};
use crate::jose::jws::CompactSigner;

/// How long a superseded key stays published: the longest lifetime of a token, the largest leeway of verifiers, and a
/// margin for clocks that differ.
const AFTERLIFE_SECONDS: i64 = 600 + 30 + 60;

/// The signing keys, ordered by activation.
#[derive(Debug)]
pub struct Ring(Vec<RingKey>);

/// A signing key and its dates.
pub struct RingKey {
    signer: CompactSigner,
    verifying: VerifyingKey,
    /// When the key was made.
    pub created_at: Timestamp,
    /// From when on the key signs.
    pub activates_at: Timestamp,
    /// When the key was withdrawn, if it was.
    pub withdrawn_at: Option<Timestamp>,
    /// When the successor takes over. `None` while there is no successor.
    pub superseded_at: Option<Timestamp>,
}

/// What a signing key may do at a given moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SigningKeyStatus {
    /// The key is published ahead of its use.
    Next,
    /// The key signs.
    Active,
    /// The key is still published for the tokens that it signed.
    Retiring,
    /// All tokens of the key have expired. The key is no longer published.
    Retired,
    /// The key was withdrawn, for example as compromised. It is not published, and no token of it is accepted.
    Withdrawn,
}

impl SigningKeyStatus {
    /// All stages, in the order of a key's life.
    pub const ALL: [Self; 5] = [Self::Next, Self::Active, Self::Retiring, Self::Retired, Self::Withdrawn];

    /// `next`, `active`, `retiring`, `retired` or `withdrawn`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Next => "next",
            Self::Active => "active",
            Self::Retiring => "retiring",
            Self::Retired => "retired",
            Self::Withdrawn => "withdrawn",
        }
    }

    /// Whether the key is in the JWKS.
    pub fn is_published(self) -> bool {
        matches!(self, Self::Next | Self::Active | Self::Retiring)
    }
}

impl Ring {
    /// Sorts `keys` by their activation, in the same order on every node.
    pub(super) fn new(mut keys: Vec<RingKey>) -> Self {
        keys.sort_by(|a, b| a.order().cmp(&b.order()));
        let mut successor = None;
        for key in keys.iter_mut().rev().filter(|key| key.takes_over()) {
            let superseded_at = successor.replace(key.activates_at);
            key.superseded_at = superseded_at.filter(|at| key.withdrawn_at.is_none_or(|end| *at <= end));
        }
        Self(keys)
    }

    /// All keys, the oldest first.
    pub fn keys(&self) -> &[RingKey] {
        &self.0
    }

    /// The key that signs at `now`: the active one. If none is active yet, the earliest next one signs: a clock that
    /// ran ahead dated it, or another node has just made it. A withdrawn or superseded key never signs.
    pub fn signing(&self, now: Timestamp) -> Option<&RingKey> {
        self.with_status(now, SigningKeyStatus::Active).or_else(|| self.earliest_next(now))
    }

    /// The key that is published ahead of its use, if there is one.
    pub fn next(&self, now: Timestamp) -> Option<&RingKey> {
        self.with_status(now, SigningKeyStatus::Next)
    }

    /// The public keys that are published at `now`.
    pub fn published(&self, now: Timestamp) -> impl Iterator<Item = &PublicJwk> {
        self.0.iter().filter(move |key| key.status(now).is_published()).map(|key| key.public_jwk())
    }

    /// The key with this kid, if a token that it signed may be valid at `now`.
    pub fn verifying(&self, kid: &str, now: Timestamp) -> Option<&VerifyingKey> {
        let key = self.key(kid)?;
        let accepts = match key.status(now) {
            SigningKeyStatus::Active | SigningKeyStatus::Retiring => true,
            // By another node's clock, the key may sign already.
            SigningKeyStatus::Next => {
                let mut skew = -NODE_SKEW_SECONDS..=NODE_SKEW_SECONDS;
                key.is_about_to_sign(now) || skew.any(|apart| self.signs(kid, now.plus(apart)))
            }
            SigningKeyStatus::Retired | SigningKeyStatus::Withdrawn => false,
        };
        accepts.then_some(&key.verifying)
    }

    /// The key with this kid, whatever its status.
    pub fn key(&self, kid: &str) -> Option<&RingKey> {
        self.0.iter().find(|key| key.kid() == kid)
    }

    /// Whether the key with this kid signs at `now`.
    pub fn signs(&self, kid: &str, now: Timestamp) -> bool {
        self.signing(now).is_some_and(|key| key.kid() == kid)
    }

    fn earliest_next(&self, now: Timestamp) -> Option<&RingKey> {
        // Of two keys that activate in the same second, the later one takes over.
        let is_eligible = |key: &&RingKey| {
            key.status(now) == SigningKeyStatus::Next
                && key.superseded_at.is_none_or(|at| at > key.activates_at)
        };
        self.0.iter().find(is_eligible)
    }

    fn with_status(&self, now: Timestamp, status: SigningKeyStatus) -> Option<&RingKey> {
        // The search begins with the newest: of two keys that activated in the same second, the later one signs.
        self.0.iter().rev().find(|key| key.status(now) == status)
    }
}

impl RingKey {
    pub(super) fn new(
        key: SigningKey,
        created_at: Timestamp,
        activates_at: Timestamp,
        withdrawn_at: Option<Timestamp>,
    ) -> Self {
        let verifying = VerifyingKey::from(key.public_jwk().clone());
        let signer = CompactSigner::new(Arc::new(key), ACCESS_TOKEN_TYPE);
        Self { signer, verifying, created_at, activates_at, withdrawn_at, superseded_at: None }
    }

    /// Signs access tokens with this key.
    pub fn signer(&self) -> &CompactSigner {
        &self.signer
    }

    /// The key's id: its RFC 7638 thumbprint.
    pub fn kid(&self) -> &str {
        self.verifying.kid()
    }

    /// The public half of the key.
    pub fn public_jwk(&self) -> &PublicJwk {
        self.signer.key().public_jwk()
    }

    /// Whether the key activates so soon that it may already be active by another node's clock.
    pub fn is_about_to_sign(&self, now: Timestamp) -> bool {
        self.activates_at <= now.plus(NODE_SKEW_SECONDS)
    }

    /// Whether the key was made by a clock that ran ahead of `now` by more than nodes may differ.
    pub fn is_from_the_future(&self, now: Timestamp) -> bool {
        self.created_at > now.plus(NODE_SKEW_SECONDS)
    }

    /// Whether the key supersedes its predecessor. It does unless it was withdrawn before its activation.
    fn takes_over(&self) -> bool {
        self.withdrawn_at.is_none_or(|at| at >= self.activates_at)
    }

    /// Of keys that activate in the same second, a withdrawn one comes first: the other one replaces it.
    fn order(&self) -> (Timestamp, Timestamp, Timestamp, &str) {
        (self.activates_at, self.created_at, self.withdrawn_at.unwrap_or(Timestamp::MAX), self.kid())
    }

    /// The status of the key at `now`.
    pub fn status(&self, now: Timestamp) -> SigningKeyStatus {
        if self.withdrawn_at.is_some() {
            return SigningKeyStatus::Withdrawn;
        }
        if now < self.activates_at {
            return SigningKeyStatus::Next;
        }
        match self.superseded_at {
            None => SigningKeyStatus::Active,
            Some(at) if now < at => SigningKeyStatus::Active,
            Some(at) if now < at.plus(AFTERLIFE_SECONDS) => SigningKeyStatus::Retiring,
            Some(_) => SigningKeyStatus::Retired,
        }
    }
}

impl fmt::Debug for RingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RingKey")
            .field("kid", &self.kid())
            .field("activates_at", &self.activates_at)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
