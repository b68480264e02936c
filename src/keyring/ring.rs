//! All signing keys side by side, in the order of their activation.

use std::fmt;
use std::sync::Arc;

use crate::claims::ACCESS_TOKEN_TYPE;
use crate::clock::Timestamp;
use crate::jwk::{PublicJwk, SigningKey, VerifyingKey};
use crate::jws::CompactSigner;

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
    /// When its successor activates; until there is one, nobody knows.
    pub superseded_at: Option<Timestamp>,
}

/// Where a signing key stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
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

impl Stage {
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
    /// `keys` by their activation.
    pub(super) fn new(mut keys: Vec<RingKey>) -> Self {
        keys.sort_by_key(|key| (key.activates_at, key.created_at));
        let mut successor = None;
        for key in keys.iter_mut().rev().filter(|key| key.withdrawn_at.is_none()) {
            key.superseded_at = successor.replace(key.activates_at);
        }
        Self(keys)
    }

    /// All keys, the oldest first.
    pub fn keys(&self) -> &[RingKey] {
        &self.0
    }

    /// The key that signs at `now`.
    pub fn signing(&self, now: Timestamp) -> Option<&RingKey> {
        self.at_stage(now, Stage::Active)
    }

    /// The key that is published ahead of its use, if there is one.
    pub fn next(&self, now: Timestamp) -> Option<&RingKey> {
        self.at_stage(now, Stage::Next)
    }

    /// The public keys that are published at `now`.
    pub fn published(&self, now: Timestamp) -> impl Iterator<Item = &PublicJwk> {
        self.0.iter().filter(move |key| key.stage(now).is_published()).map(|key| key.public_jwk())
    }

    /// The key of this id, if tokens that it signed may be good at `now`.
    pub fn verifying(&self, kid: &str, now: Timestamp) -> Option<&VerifyingKey> {
        let key = self.0.iter().find(|key| key.kid() == kid)?;
        matches!(key.stage(now), Stage::Active | Stage::Retiring).then_some(&key.verifying)
    }

    fn at_stage(&self, now: Timestamp, stage: Stage) -> Option<&RingKey> {
        // From the newest: of two that activated in the same second, the later one signs.
        self.0.iter().rev().find(|key| key.stage(now) == stage)
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

    /// Where the key stands at `now`.
    pub fn stage(&self, now: Timestamp) -> Stage {
        if self.withdrawn_at.is_some() {
            return Stage::Withdrawn;
        }
        if now < self.activates_at {
            return Stage::Next;
        }
        match self.superseded_at {
            None => Stage::Active,
            Some(at) if now < at => Stage::Active,
            Some(at) if now < at.plus(AFTERLIFE_SECONDS) => Stage::Retiring,
            Some(_) => Stage::Retired,
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
mod tests {
    use super::*;
    use crate::jwk::Algorithm;

    fn key(activates_at: i64, withdrawn_at: Option<i64>) -> RingKey {
        let (key, _) = SigningKey::generate(Algorithm::EdDsa).unwrap();
        RingKey::new(key, at(0), at(activates_at), withdrawn_at.map(at))
    }

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_unix(seconds)
    }

    fn stages(ring: &Ring, now: i64) -> Vec<&'static str> {
        ring.keys().iter().map(|key| key.stage(at(now)).as_str()).collect()
    }

    #[test]
    fn a_life_follows_from_two_dates() {
        let ring = Ring::new(vec![key(1_000, None), key(0, None)]);
        assert_eq!(stages(&ring, 999), ["active", "next"]);
        assert_eq!(stages(&ring, 1_000), ["retiring", "active"]);
        assert_eq!(stages(&ring, 1_000 + AFTERLIFE_SECONDS - 1), ["retiring", "active"]);
        assert_eq!(stages(&ring, 1_000 + AFTERLIFE_SECONDS), ["retired", "active"]);
        assert_eq!(ring.published(at(999)).count(), 2);
        assert_eq!(ring.published(at(5_000)).count(), 1);
    }

    #[test]
    fn a_key_verifies_nothing_before_it_signs_or_after_it_was_withdrawn() {
        let ring = Ring::new(vec![key(0, Some(500)), key(500, None), key(1_000, None)]);
        let [withdrawn, active, next] = ring.keys() else { unreachable!() };
        assert_eq!(stages(&ring, 600), ["withdrawn", "active", "next"]);
        assert!(ring.verifying(withdrawn.kid(), at(600)).is_none());
        assert!(ring.verifying(active.kid(), at(600)).is_some());
        assert!(ring.verifying(next.kid(), at(600)).is_none());
        assert_eq!(ring.signing(at(600)).map(RingKey::kid), Some(active.kid()));
    }
}
