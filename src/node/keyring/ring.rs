//! All signing keys side by side, in the order of their activation, and the rules of what each may do.
//!
//! A key takes over at its activation, unless it was withdrawn before. Its predecessor is superseded from then on,
//! for good: withdrawing the successor later does not bring the predecessor back.
//!
//! | status | from | published | signs | tokens accepted | withdrawing it |
//! |---|---|---|---|---|---|
//! | `next` | creation | yes | only when no key is active: the earliest one | when it signs, or activates within the skew | cancels it; the active key goes on |
//! | `active` | activation | yes | yes | yes | a new key signs at once |
//! | `retiring` | its successor's activation | yes | no | yes | changes nothing else |
//! | `retired` | 690 s later | no | no | no | changes nothing else |
//! | `withdrawn` | the withdrawal | no | no | no | not found |
//!
//! The clocks of two nodes may differ by [`NODE_SKEW_SECONDS`]. A node that is behind sees a key that was made at once
//! as `next`, and signs with it when nothing else is active. A node that is ahead signs with a key that the others see
//! as `next`: they accept its tokens within the skew. A node that is behind goes on to sign with a key that the others
//! see as `retiring`, which is accepted for longer than that.

use std::fmt;
use std::sync::Arc;

use crate::base::clock::{NODE_SKEW_SECONDS, Timestamp};
use crate::jose::claims::ACCESS_TOKEN_TYPE;
use crate::jose::jwk::{PublicJwk, SigningKey, VerifyingKey};
use crate::jose::jws::CompactSigner;

/// A superseded key stays published for so long: the longest life of a token, the leeway that verifiers
/// allow, and room for clocks that disagree.
const AFTERLIFE_SECONDS: i64 = 600 + 30 + 60;

/// The signing keys, ordered by activation.
#[derive(Debug)]
pub struct Ring(Vec<RingKey>);

/// A signing key and its dates.
pub struct RingKey {
    signer: CompactSigner,
    verifying: VerifyingKey,
    /// When it was made.
    pub created_at: Timestamp,
    /// From when on it signs.
    pub activates_at: Timestamp,
    /// When it was withdrawn, if it was.
    pub withdrawn_at: Option<Timestamp>,
    /// When its successor took over or will; `None` while there is no successor.
    pub superseded_at: Option<Timestamp>,
}

/// What a signing key is good for now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SigningKeyStatus {
    /// Published ahead of its use.
    Next,
    /// Signing.
    Active,
    /// Still published for the tokens that it signed.
    Retiring,
    /// No token of it can be alive: not published any more.
    Retired,
    /// Taken back as compromised: not published, and it verifies nothing.
    Withdrawn,
}

impl SigningKeyStatus {
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
    /// `keys` by their activation, in one order on every node.
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

    /// The key that signs at `now`: the active one. When none is active yet, the earliest next one, which a clock
    /// that was ahead has dated, or another node that made it a moment ago. Never a withdrawn or superseded one.
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

    /// The key of this id, if tokens that it signed may be good at `now`.
    pub fn verifying(&self, kid: &str, now: Timestamp) -> Option<&VerifyingKey> {
        let key = self.key(kid)?;
        let accepts = match key.status(now) {
            SigningKeyStatus::Active | SigningKeyStatus::Retiring => true,
            // Another node's clock may have it sign already.
            SigningKeyStatus::Next => {
                let mut skew = -NODE_SKEW_SECONDS..=NODE_SKEW_SECONDS;
                key.is_about_to_sign(now) || skew.any(|apart| self.signs(kid, now.plus(apart)))
            }
            SigningKeyStatus::Retired | SigningKeyStatus::Withdrawn => false,
        };
        accepts.then_some(&key.verifying)
    }

    /// The key of this id, whatever its status.
    pub fn key(&self, kid: &str) -> Option<&RingKey> {
        self.0.iter().find(|key| key.kid() == kid)
    }

    /// Whether the key of this id is the one that signs at `now`.
    pub fn signs(&self, kid: &str, now: Timestamp) -> bool {
        self.signing(now).is_some_and(|key| key.kid() == kid)
    }

    fn earliest_next(&self, now: Timestamp) -> Option<&RingKey> {
        // Of two that activate in the same second, the later one takes over.
        let is_eligible = |key: &&RingKey| {
            key.status(now) == SigningKeyStatus::Next
                && key.superseded_at.is_none_or(|at| at > key.activates_at)
        };
        self.0.iter().find(is_eligible)
    }

    fn with_status(&self, now: Timestamp, status: SigningKeyStatus) -> Option<&RingKey> {
        // From the newest: of two that activated in the same second, the later one signs.
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

    /// Signs access tokens.
    pub fn signer(&self) -> &CompactSigner {
        &self.signer
    }

    /// The key's id: its RFC 7638 thumbprint.
    pub fn kid(&self) -> &str {
        self.verifying.kid()
    }

    /// The public half.
    pub fn public_jwk(&self) -> &PublicJwk {
        self.signer.key().public_jwk()
    }

    /// Whether the key activates so soon that another node's clock may have it active already.
    pub fn is_about_to_sign(&self, now: Timestamp) -> bool {
        self.activates_at <= now.plus(NODE_SKEW_SECONDS)
    }

    /// Whether a clock that was ahead of `now`, by more than nodes may differ, has made the key.
    pub fn is_from_the_future(&self, now: Timestamp) -> bool {
        self.created_at > now.plus(NODE_SKEW_SECONDS)
    }

    /// Whether the key ends its predecessor: it does unless it was withdrawn before its activation.
    fn takes_over(&self) -> bool {
        self.withdrawn_at.is_none_or(|at| at >= self.activates_at)
    }

    /// Of keys that activate in one second, those come first that were withdrawn: the other one replaces them.
    fn order(&self) -> (Timestamp, Timestamp, Timestamp, &str) {
        (self.activates_at, self.created_at, self.withdrawn_at.unwrap_or(Timestamp::MAX), self.kid())
    }

    /// Where the key stands at `now`.
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
