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
use crate::domain::names::OrganizationId;
use crate::sharing::fair_cache::{Digest, FairCache, Life};
use crate::use_cases::management::keys::CreatedKey;
use crate::use_cases::management::{ApiError, Idempotent};

/// How long a secret can be shown again.
const KEPT: Duration = Duration::from_secs(60);

/// The maximum number of secrets in memory, over all organizations.
const MOST: usize = 1_024;

/// What a form has created.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum What {
    /// A key.
    Key,
    /// A further secret of a key.
    Secret,
}

/// A key with its new secret. Memory is wiped when the last reference is dropped.
#[derive(Debug)]
pub(super) struct Shown {
    pub(super) what: What,
    pub(super) created: CreatedKey,
}

/// The secrets that this node created lately, by the digest of the form that asked for them.
#[derive(Clone)]
pub(super) struct ShownAgain(Arc<Shared>);

struct Shared {
    clock: Clock,
    kept: FairCache<Kept>,
    turns: Mutex<HashMap<Digest, Weak<tokio::sync::Mutex<()>>>>,
}

#[derive(Clone)]
struct Kept {
    shown: Arc<Shown>,
    /// The address that submitted the form.
    from: CallerAddress,
    /// On the monotonic clock.
    until: Duration,
}

/// A form that asks for a secret. Only the session that the form belongs to can repeat its digest.
#[derive(Clone, Debug)]
pub(super) struct Sent {
    pub(super) digest: Digest,
    pub(super) organization: OrganizationId,
    pub(super) from: CallerAddress,
}

impl ShownAgain {
    pub(super) fn new(clock: Clock) -> Self {
        Self(Arc::new(Shared { clock, kept: FairCache::new(MOST), turns: Mutex::default() }))
    }

    /// The result of the form, if it was submitted within the last minute from the same address.
    pub(super) fn of(&self, digest: &Digest, from: &CallerAddress) -> Option<Arc<Shown>> {
        let Kept { shown, from: at_first, until } = self.0.kept.get(digest)?;
        (self.0.clock.monotonic() < until && at_first == *from).then_some(shown)
    }

    /// Creates a secret, unless the same form has created it already. A concurrent second submission waits for the
    /// first.
    ///
    /// # Errors
    /// Those of `make`.
    pub(super) async fn once(
        &self,
        sent: Sent,
        what: What,
        make: impl Future<Output = Result<Idempotent<CreatedKey>, ApiError>>,
    ) -> Result<Idempotent<Arc<Shown>>, ApiError> {
        let _turn = self.turn(sent.digest).await;
        if let Some(shown) = self.of(&sent.digest, &sent.from) {
            return Ok(Idempotent::New(shown));
        }
        match make.await? {
            Idempotent::Replayed(answer) => Ok(Idempotent::Replayed(answer)),
            Idempotent::New(created) => {
                let shown = Arc::new(Shown { what, created });
                self.keep(sent, Arc::clone(&shown));
                Ok(Idempotent::New(shown))
            }
        }
    }

    fn keep(&self, sent: Sent, shown: Arc<Shown>) {
        let until = self.0.clock.monotonic() + KEPT;
        let seconds = |moment: Duration| i64::try_from(moment.as_secs()).unwrap_or(i64::MAX - 1);
        let life = Life { now: seconds(until - KEPT), until: seconds(until) + 1 };
        let kept = Kept { shown, from: sent.from, until };
        self.0.kept.insert(sent.digest, sent.organization.as_str(), kept, life);
        let shared = Arc::downgrade(&self.0);
        tokio::spawn(async move {
            tokio::time::sleep(KEPT).await;
            if let Some(shared) = shared.upgrade() {
                shared.kept.invalidate(&sent.digest);
            }
        });
    }

    async fn turn(&self, digest: Digest) -> OwnedMutexGuard<()> {
        let turn = {
            let mut turns = self.0.turns.lock();
            turns.retain(|_, turn| turn.strong_count() > 0);
            let taken = turns.get(&digest).and_then(Weak::upgrade);
            taken.unwrap_or_else(|| {
                let turn = Arc::default();
                turns.insert(digest, Arc::downgrade(&turn));
                turn
            })
        };
        turn.lock_owned().await
    }
}

impl fmt::Debug for ShownAgain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ShownAgain([redacted])")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::clock::Timestamp;
    use crate::base::entropy::Entropy;
    use crate::domain::api_key::{PlainKey, Tagger};
    use crate::domain::key::ApiKey;

    fn sent(organization: &str, number: usize) -> Sent {
        let mut digest = Digest::default();
        digest[..8].copy_from_slice(&number.to_be_bytes());
        digest[8] = organization.as_bytes()[0];
        Sent { digest, organization: organization.parse().unwrap(), from: CallerAddress::Unknown }
    }

    fn created() -> CreatedKey {
        let (brand, environment, entropy) =
            ("clv".parse().unwrap(), "prd".parse().unwrap(), Entropy::system());
        let plain = PlainKey::generate(&brand, &environment, &Tagger::new(&[0; 32]), &entropy).unwrap();
        let home = ("acme".parse().unwrap(), "web".parse().unwrap(), environment);
        let key = ApiKey::new(plain.id(), home, brand, "bootstrap".into(), Timestamp::from_unix(0));
        CreatedKey { key, plain }
    }

    async fn make(shown_again: &ShownAgain, sent: Sent) -> bool {
        let mut is_new = false;
        let make = async {
            is_new = true;
            Ok(Idempotent::New(created()))
        };
        assert!(matches!(shown_again.once(sent, What::Key, make).await, Ok(Idempotent::New(_))));
        is_new
    }

    #[tokio::test]
    async fn a_tenant_that_makes_very_many_pushes_out_its_own_secrets_alone() {
        let shown_again = ShownAgain::new(Clock::manual(Timestamp::from_unix(0)));
        assert!(make(&shown_again, sent("quiet", 0)).await);
        for number in 0..=MOST {
            assert!(make(&shown_again, sent("busy", number)).await);
        }
        assert!(!make(&shown_again, sent("quiet", 0)).await, "its secret is still there");
        assert!(make(&shown_again, sent("busy", 0)).await);
        assert!(!make(&shown_again, sent("busy", MOST)).await);
    }
}
