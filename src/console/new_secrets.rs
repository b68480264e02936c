//! Keeps new secrets for one minute, so that a form that is submitted twice shows the same page twice.
//!
//! A browser drops the response to the first of two clicks, and with it the only page that shows the secret. The secret
//! stays only in the memory of the node that created it.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Weak};
use std::time::Duration;

use tokio::sync::OwnedMutexGuard;

use crate::base::clock::Clock;
use crate::base::lock::Mutex;
use crate::domain::address::CallerAddress;
use crate::domain::principal::Principal;
use crate::sharing::fair_cache::{Digest, FairCache, Life};
use crate::use_cases::management::keys::CreatedKey;
use crate::use_cases::management::{ApiError, Idempotent};

/// How long a secret can be shown again.
const TIME_TO_LIVE: Duration = Duration::from_secs(60);

/// The maximum number of secrets in memory, over all organizations.
const CAPACITY: usize = 1_024;

/// What a form has created.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum CreationKind {
    /// A key.
    Key,
    /// A further secret of a key.
    Secret,
}

/// A key with its new secret. Memory is wiped when the last reference is dropped.
#[derive(Debug)]
pub(super) struct NewSecret {
    pub(super) kind: CreationKind,
    pub(super) created: CreatedKey,
}

/// The secrets that this node created lately, by the digest of the form that asked for them.
#[derive(Clone)]
pub(super) struct NewSecrets(Arc<Shared>);

struct Shared {
    clock: Clock,
    cached: FairCache<CachedSecret>,
    /// A lock for each form that is being processed.
    locks: Mutex<HashMap<Digest, Weak<tokio::sync::Mutex<()>>>>,
}

#[derive(Clone)]
struct CachedSecret {
    secret: Arc<NewSecret>,
    /// The address that submitted the form.
    from: CallerAddress,
    /// On the monotonic clock.
    until: Duration,
}

/// A form that asks for a secret. Only the session that the form belongs to can repeat its digest.
#[derive(Clone, Debug)]
pub(super) struct Submission {
    pub(super) digest: Digest,
    pub(super) principal: Principal,
    pub(super) from: CallerAddress,
}

impl NewSecrets {
    pub(super) fn new(clock: Clock) -> Self {
        Self(Arc::new(Shared { clock, cached: FairCache::new(CAPACITY), locks: Mutex::default() }))
    }

    /// The result of the form, if it was submitted within the last minute from the same address.
    pub(super) fn of(&self, digest: &Digest, from: &CallerAddress) -> Option<Arc<NewSecret>> {
        let CachedSecret { secret, from: first_from, until } = self.0.cached.get(digest)?;
        (self.0.clock.monotonic() < until && first_from == *from).then_some(secret)
    }

    /// Creates a secret, unless the same form has created it already. A concurrent second submission waits for the
    /// first.
    ///
    /// # Errors
    /// Those of `make`.
    pub(super) async fn once(
        &self,
        submission: Submission,
        kind: CreationKind,
        make: impl Future<Output = Result<Idempotent<CreatedKey>, ApiError>>,
    ) -> Result<Idempotent<Arc<NewSecret>>, ApiError> {
        let _lock = self.lock(submission.digest).await;
        if let Some(secret) = self.of(&submission.digest, &submission.from) {
            return Ok(Idempotent::New(secret));
        }
        match make.await? {
            Idempotent::Replayed(answer) => Ok(Idempotent::Replayed(answer)),
            Idempotent::New(created) => {
                let secret = Arc::new(NewSecret { kind, created });
                self.keep(submission, Arc::clone(&secret));
                Ok(Idempotent::New(secret))
            }
        }
    }

    fn keep(&self, submission: Submission, secret: Arc<NewSecret>) {
        let until = self.0.clock.monotonic() + TIME_TO_LIVE;
        let seconds = |moment: Duration| i64::try_from(moment.as_secs()).unwrap_or(i64::MAX - 1);
        let life = Life { now: seconds(until - TIME_TO_LIVE), until: seconds(until) + 1 };
        let cached = CachedSecret { secret, from: submission.from, until };
        let principal = submission.principal;
        let share = principal.organization.map_or_else(String::new, |organization| organization.to_string());
        self.0.cached.insert(submission.digest, &share, cached, life);
        let shared = Arc::downgrade(&self.0);
        tokio::spawn(async move {
            tokio::time::sleep(TIME_TO_LIVE).await;
            if let Some(shared) = shared.upgrade() {
                shared.cached.invalidate(&submission.digest);
            }
        });
    }

    async fn lock(&self, digest: Digest) -> OwnedMutexGuard<()> {
        let lock = {
            let mut locks = self.0.locks.lock();
            locks.retain(|_, lock| lock.strong_count() > 0);
            let known = locks.get(&digest).and_then(Weak::upgrade);
            known.unwrap_or_else(|| {
                let lock = Arc::default();
                locks.insert(digest, Arc::downgrade(&lock));
                lock
            })
        };
        lock.lock_owned().await
    }
}

impl fmt::Debug for NewSecrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("NewSecrets([redacted])")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::clock::Timestamp;
    use crate::base::entropy::Entropy;
    use crate::domain::api_key::{PlainKey, Tagger};
    use crate::domain::key::{ApiKey, Creator};

    fn submission(organization: &str, number: usize) -> Submission {
        let mut digest = Digest::default();
        digest[..8].copy_from_slice(&number.to_be_bytes());
        digest[8] = organization.as_bytes()[0];
        Submission {
            digest,
            principal: Principal { organization: organization.parse().ok(), caller: None },
            from: CallerAddress::Unknown,
        }
    }

    fn created() -> CreatedKey {
        let (brand, environment, entropy) =
            ("clv".parse().unwrap(), "prd".parse().unwrap(), Entropy::system());
        let plain = PlainKey::generate(&brand, &environment, &Tagger::new(&[0; 32]), &entropy).unwrap();
        let home = ("acme".parse().unwrap(), "web".parse().unwrap(), environment);
        let key =
            ApiKey::new(plain.id(), home, brand, Creator::unnamed("bootstrap"), Timestamp::from_unix(0));
        CreatedKey { key, plain: Some(plain) }
    }

    async fn make(new_secrets: &NewSecrets, submission: Submission) -> bool {
        let mut is_new = false;
        let make = async {
            is_new = true;
            Ok(Idempotent::New(created()))
        };
        assert!(matches!(
            new_secrets.once(submission, CreationKind::Key, make).await,
            Ok(Idempotent::New(_))
        ));
        is_new
    }

    #[tokio::test]
    async fn a_tenant_with_very_many_new_secrets_evicts_only_its_own() {
        let new_secrets = NewSecrets::new(Clock::manual(Timestamp::from_unix(0)));
        assert!(make(&new_secrets, submission("quiet", 0)).await);
        for number in 0..=CAPACITY {
            assert!(make(&new_secrets, submission("busy", number)).await);
        }
        assert!(!make(&new_secrets, submission("quiet", 0)).await, "its secret is still there");
        assert!(make(&new_secrets, submission("busy", 0)).await);
        assert!(!make(&new_secrets, submission("busy", CAPACITY)).await);
    }
}
