//! Verifies the secret of a key: slowly the first time (argon2id), from memory after that.

use std::fmt;
use std::sync::OnceLock;
use std::time::Duration;

use moka::sync::Cache;
use ring::hmac;
use subtle::ConstantTimeEq as _;
use zeroize::Zeroizing;

use super::hash_cost::{HashCost, verify};
use super::hash_threads::HashThreads;
use super::usage::LastUse;
use crate::base::clock::Timestamp;
use crate::base::entropy::{Entropy, EntropyError};
use crate::domain::api_key::PlainKey;
use crate::domain::key::{ApiKey, KeySecret, SecretId};
use crate::domain::principal::Principal;
use crate::sharing::fair_queue::{Permit, QueueLoad};

/// The longest wait for a permit for the slow hash.
const PATIENCE: Duration = Duration::from_secs(10);

/// A secret in the cache.
pub struct CachedSecret {
    /// The id of the secret, which is not itself secret.
    pub id: SecretId,
    /// From when on the secret is no longer accepted.
    pub expires_at: Option<Timestamp>,
    /// When the secret was last used, until the next flush.
    pub used: LastUse,
    hash: Box<str>,
    /// A keyed digest of the plain secret, once it was presented and found right.
    verified: OnceLock<Digest>,
}

type Digest = [u8; 32];

/// The slow hash had no free thread in time. The client should try again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("too many credentials are waiting to be verified")]
pub struct Busy;

/// Why a secret can't be hashed.
#[derive(Debug, thiserror::Error)]
pub enum HashError {
    /// No thread was free in time.
    #[error(transparent)]
    Busy(#[from] Busy),
    /// The system has no randomness for the salt.
    #[error(transparent)]
    Entropy(#[from] EntropyError),
    /// The hash function rejected its input.
    #[error("argon2id failed: {0}")]
    Argon2(String),
}

/// Hashes and verifies secrets, a bounded number at a time, outside the async threads.
pub struct SecretKeeper {
    cost: HashCost,
    threads: HashThreads,
    digest_key: hmac::Key,
    /// Digests outlive the cached key that they belong to, so that a changed key costs no slow hash.
    seen: Cache<SecretId, Digest>,
}

/// A secret that was found right.
#[derive(Debug)]
pub struct Recognized<'a> {
    /// Which of the key's secrets it is.
    pub secret: &'a CachedSecret,
    /// Whether its stored hash has another cost than the settings ask for, and is to be replaced.
    pub outdated: bool,
}

impl SecretKeeper {
    /// Runs at most `threads` slow hashes at once, and remembers `capacity` verified secrets. The key of the digests is
    /// random, so they are worthless outside this process.
    ///
    /// # Errors
    /// When the system has no randomness.
    pub fn new(
        cost: HashCost,
        threads: usize,
        capacity: u64,
        entropy: &Entropy,
    ) -> Result<Self, EntropyError> {
        let digest_key = hmac::Key::new(hmac::HMAC_SHA256, &Zeroizing::new(entropy.bytes::<32>()?)[..]);
        Ok(Self { cost, threads: HashThreads::start(threads), digest_key, seen: Cache::new(capacity) })
    }

    /// A new secret for a key, as the store keeps it: without expiry, and not used yet.
    ///
    /// # Errors
    /// [`HashError`].
    pub async fn new_secret(
        &self,
        plain: &PlainKey,
        principal: &Principal,
        entropy: &Entropy,
        now: Timestamp,
    ) -> Result<KeySecret, HashError> {
        Ok(KeySecret {
            id: SecretId::generate(entropy)?,
            hash: self.hash(plain.secret(), principal, entropy).await?,
            master_key: plain.master_key(),
            created_at: now,
            expires_at: None,
            last_used_at: None,
        })
    }

    /// The hash of a secret, as a PHC string.
    ///
    /// # Errors
    /// [`HashError`].
    pub async fn hash(
        &self,
        secret: &str,
        principal: &Principal,
        entropy: &Entropy,
    ) -> Result<Box<str>, HashError> {
        let salt = entropy.bytes::<16>()?;
        let secret = Zeroizing::new(secret.to_owned());
        let cost = self.cost.clone();
        let permit = self.acquire(principal).await?;
        self.slowly(permit, move || cost.hash(secret.as_bytes(), &salt)).await?
    }

    /// Which of `held`, the secrets of `key`, the plain `secret` is. Only a secret that is live at `now` counts.
    ///
    /// # Errors
    /// [`Busy`] when that takes a slow hash and no thread was free in time.
    pub async fn recognize<'a>(
        &self,
        key: &ApiKey,
        held: &'a [CachedSecret],
        secret: &str,
        now: Timestamp,
    ) -> Result<Option<Recognized<'a>>, Busy> {
        let digest = self.digest(secret);
        let live = || held.iter().filter(|held| held.is_live(now));
        if let Some(secret) = live().find(|held| held.is_verified_as(&digest)) {
            return Ok(Some(Recognized { secret, outdated: false }));
        }
        for candidate in live() {
            let found = self.compare(key, candidate, secret, &digest).await?;
            if found.is_some() {
                return Ok(found);
            }
        }
        Ok(None)
    }

    /// Compares a plain `secret`, whose digest is `digest`, with one of the secrets of `key`: by digest if the
    /// candidate's is known, and by a slow hash otherwise.
    async fn compare<'a>(
        &self,
        key: &ApiKey,
        candidate: &'a CachedSecret,
        secret: &str,
        digest: &Digest,
    ) -> Result<Option<Recognized<'a>>, Busy> {
        let by_digest = || candidate.is_verified_as(digest);
        let recognized = |outdated| Recognized { secret: candidate, outdated };
        if self.knows_digest_of(candidate) {
            return Ok(by_digest().then(|| recognized(false)));
        }
        let permit = self.acquire(&Principal::of(key)).await?;
        // Another request may have verified the secret while this one waited.
        if self.knows_digest_of(candidate) {
            return Ok(by_digest().then(|| recognized(false)));
        }
        let (hash, plain) = (candidate.hash.clone(), Zeroizing::new(secret.to_owned()));
        if !self.slowly(permit, move || verify(&hash, plain.as_bytes())).await? {
            return Ok(None);
        }
        self.seen.insert(candidate.id, *digest);
        let _ = candidate.verified.set(*digest);
        Ok(Some(recognized(self.cost.differs_from(&candidate.hash))))
    }

    /// The slow hashes that run and that wait.
    pub fn load(&self) -> QueueLoad {
        self.threads.load()
    }

    /// Whether the candidate's digest is known, because somebody presented the secret before. Such a digest may have
    /// outlived an earlier copy of the candidate.
    fn knows_digest_of(&self, candidate: &CachedSecret) -> bool {
        if candidate.verified.get().is_none()
            && let Some(digest) = self.seen.get(&candidate.id)
        {
            let _ = candidate.verified.set(digest);
        }
        candidate.verified.get().is_some()
    }

    fn digest(&self, secret: &str) -> Digest {
        let mut digest = Digest::default();
        digest.copy_from_slice(hmac::sign(&self.digest_key, secret.as_bytes()).as_ref());
        digest
    }

    async fn acquire(&self, principal: &Principal) -> Result<Permit, Busy> {
        tokio::time::timeout(PATIENCE, self.threads.acquire(principal))
            .await
            .ok()
            .and_then(Result::ok)
            .ok_or(Busy)
    }

    async fn slowly<T: Send + 'static>(
        &self,
        permit: Permit,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Busy> {
        self.threads.run(permit, work).await.ok_or(Busy)
    }
}

impl CachedSecret {
    pub(super) fn is_live(&self, now: Timestamp) -> bool {
        self.expires_at.is_none_or(|end| now < end)
    }

    fn is_verified_as(&self, digest: &Digest) -> bool {
        self.verified.get().is_some_and(|verified| verified.ct_eq(digest).into())
    }

    /// The stored hash, to compare it when it is replaced by one of another cost.
    pub fn hash(&self) -> &str {
        &self.hash
    }
}

impl fmt::Debug for CachedSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CachedSecret")
            .field("id", &self.id)
            .field("hash", &"[redacted]")
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for SecretKeeper {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SecretKeeper").field("cost", &self.cost).finish_non_exhaustive()
    }
}

impl From<KeySecret> for CachedSecret {
    fn from(secret: KeySecret) -> Self {
        Self {
            id: secret.id,
            expires_at: secret.expires_at,
            used: LastUse::default(),
            hash: secret.hash,
            verified: OnceLock::new(),
        }
    }
}
