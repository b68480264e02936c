//! One running server: the store, and everything that is held in memory in front of it.

mod authenticate;
mod bearer;
pub mod cursor;
mod feed;
mod follow;
mod freshness;
mod gateway_tokens;
mod hash_cost;
mod hash_threads;
mod housekeeping;
mod in_flight;
mod key_cache;
pub mod keyring;
mod log_sampler;
mod refusals;
mod retention_clock;
mod revocations;
mod secrets;
mod shared_settings;
mod throttle;
mod usage;
mod verified_tokens;
mod withdrawals;
mod write_watch;

pub use authenticate::{Authenticated, AuthenticationError, Presented};
pub use bearer::{BearerFault, LiveToken};
pub use feed::{Feed, FeedError};
pub use follow::FollowError;
pub use freshness::Freshness;
pub use gateway_tokens::{GatewayToken, GatewayTokens, Purpose};
pub use hash_cost::HashCost;
pub use in_flight::{InFlightRequest, InFlightRequests};
pub use key_cache::{CachedKey, Granted, KeyCache};
pub use log_sampler::{Cause, LogSampler};
pub use refusals::RefusalLog;
pub use retention_clock::RetentionClock;
pub use revocations::{REMEMBERED_SECONDS, RevokedTokens};
pub use secrets::{Busy, CachedSecret, HashError, Recognized, SecretKeeper};
pub use shared_settings::Differences;
pub use throttle::Throttle;
pub use usage::{LastUse, UseCell, UseLedger};
pub use verified_tokens::VerifiedTokens;
pub use withdrawals::Withdrawals;

use std::future::Future;
use std::sync::Arc;

use tokio::sync::{Mutex, Notify};
use tracing::Instrument as _;

use crate::base::clock::Clock;
use crate::base::entropy::{Entropy, EntropyError};
use crate::base::master_key::MasterKey;
use crate::domain::address::AddressPolicy;
use crate::domain::api_key::{Brand, Tagger};
use crate::domain::gateway::GateMapping;
use crate::node::cursor::CursorKeeper;
use crate::node::keyring::{Keyring, KeyringError, RotationPolicy};
use crate::sharing::fair_queue::{FairQueue, Quota};
use crate::store::{Store, StoreError, Write};

use self::follow::Following;
use self::freshness::Asked;

/// How many changes memory takes in before other requests on the same thread have their turn.
const INVALIDATED_AT_ONCE: usize = 256;

/// Requests to the management API that an organization may have under way, until their answers have been taken.
const REQUESTS: usize = 128;

/// Answers of the size of a whole organization, or a whole audit trail, that an organization may be taking.
const EXPORTS: usize = 4;

/// What a node is told about its deployment.
#[derive(Clone, Debug)]
pub struct Deployment {
    /// `iss` of every token, and the base of every URL in the metadata; without a slash at its end.
    pub issuer: String,
    /// The resource servers: 1 to 8 absolute URIs, never the issuer.
    pub audiences: Vec<String>,
    /// What new keys begin with.
    pub brand: Brand,
    /// How a caller's address is found.
    pub addresses: AddressPolicy,
    /// How signing keys follow each other.
    pub rotation: RotationPolicy,
    /// What hashing a new secret costs.
    pub hash_cost: HashCost,
    /// How many slow hashes may run at once.
    pub hash_turns: usize,
    /// How many keys are held in memory.
    pub key_capacity: u64,
    /// How gateways' requests are read.
    pub gate: GateMapping,
    /// For how many seconds audit events are kept; `None` is for ever.
    pub events_kept_seconds: Option<i64>,
}

/// One running server.
#[derive(Debug)]
pub struct Node {
    /// What it was told.
    pub deployment: Deployment,
    /// The time.
    pub clock: Clock,
    /// Randomness.
    pub entropy: Entropy,
    /// What is lasting.
    pub store: Store,
    /// The signing keys.
    pub keyring: Keyring,
    /// API keys in memory.
    pub keys: KeyCache,
    /// Verifies and hashes their secrets.
    pub secrets: SecretKeeper,
    /// Tells the API keys that were issued here.
    pub tagger: Tagger,
    /// Makes and reads the cursors of lists.
    pub cursors: CursorKeeper,
    /// Tokens whose signature need not be verified again.
    pub verified_tokens: VerifiedTokens,
    /// Tokens revoked one by one.
    pub revoked_tokens: RevokedTokens,
    /// Generations of keys that are over.
    pub withdrawals: Withdrawals,
    /// What resource servers are told of all that.
    pub feed: Feed,
    /// Counts use, and notes refusals, until they are written.
    pub usage: UseLedger,
    /// Thins out the log lines that anybody can cause.
    pub log_sampler: LogSampler,
    /// Slows guessers down.
    pub throttle: Throttle,
    /// Tokens that a gateway gets in the place of keys.
    pub gateway_tokens: GatewayTokens,
    /// Requests of which there must not be two at once.
    pub in_flight: InFlightRequests,
    /// The clock of deletion by age.
    pub retention_clock: RetentionClock,
    /// What other nodes have set otherwise.
    pub differences: Differences,
    /// Requests to the management API, each organization's up to a fixed number at once.
    pub requests: FairQueue,
    /// Large answers, each organization's up to a fixed number at once.
    pub exports: FairQueue,
    /// When the store was last heard from.
    pub freshness: Freshness,
    /// Wakes the follower before its time.
    changed: Notify,
    following: Mutex<Following>,
}

/// A node could not be built over its store.
#[derive(Debug, thiserror::Error)]
pub enum NodeError {
    /// The store cannot be asked.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The signing keys cannot be taken from it.
    #[error(transparent)]
    Keyring(#[from] KeyringError),
    /// The system has no randomness.
    #[error(transparent)]
    Entropy(#[from] EntropyError),
}

impl Node {
    /// Takes into memory what must be there from the first request on.
    ///
    /// # Errors
    /// [`NodeError`].
    pub async fn over(
        store: Store,
        deployment: Deployment,
        master_key: &MasterKey,
        clock: Clock,
        entropy: Entropy,
    ) -> Result<Arc<Self>, NodeError> {
        // Asked first: whatever is changed while the rest is read will be followed.
        let asked = Asked::now(&clock);
        let mut reader = store.change_reader();
        let seen = reader.position(None).await?.position;
        let keyring = Keyring::load(&mut reader, master_key.sealing_key()).await?;
        let retention_clock = RetentionClock::new(store.start_retention_clock().await?, &clock);
        // By a clock that is ahead, what was revoked a moment ago would be too old to matter.
        let lately = retention_clock.now(&clock);
        let since = lately.plus(-REMEMBERED_SECONDS);
        let revoked_tokens = RevokedTokens::default();
        reader
            .tokens_revoked_since(since)
            .await?
            .iter()
            .for_each(|token| revoked_tokens.insert(token, lately));
        let withdrawals = Withdrawals::default();
        withdrawals.replace(reader.withdrawals_after(-1, since).await?);
        let capacity = deployment.key_capacity;
        let secrets =
            SecretKeeper::new(deployment.hash_cost.clone(), deployment.hash_turns, capacity, &entropy)?;
        let node = Self {
            keys: KeyCache::new(capacity, deployment.audiences.clone()),
            verified_tokens: VerifiedTokens::new(capacity),
            tagger: Tagger::new(&master_key.tag_key()),
            cursors: CursorKeeper::new(master_key.cursor_key()),
            usage: UseLedger::default(),
            log_sampler: LogSampler::default(),
            throttle: Throttle::default(),
            gateway_tokens: GatewayTokens::new(capacity),
            in_flight: InFlightRequests::default(),
            retention_clock,
            differences: Differences::default(),
            requests: at_once(REQUESTS),
            exports: at_once(EXPORTS),
            freshness: Freshness::confirmed(asked, clock.clone()),
            changed: Notify::new(),
            following: Mutex::new(Following { reader, seen: seen.clone() }),
            deployment,
            clock,
            entropy,
            store,
            keyring,
            secrets,
            revoked_tokens,
            withdrawals,
            feed: Feed::default(),
        };
        node.publish(&seen, lately);
        Ok(Arc::new(node))
    }

    /// Commits a mutation and drops what it made old, before anybody can be told of it.
    ///
    /// # Errors
    /// When the store fails; nothing of it has happened then, unless nothing but the answer was lost.
    pub async fn commit(&self, write: Write) -> Result<(), StoreError> {
        let touched = write.touched().to_vec();
        let committed = write.commit().await;
        // Whatever was said: after an error it may have been committed all the same.
        for some in touched.chunks(INVALIDATED_AT_ONCE) {
            for (kind, subject) in some {
                self.invalidate(*kind, subject);
            }
            if some.len() == INVALIDATED_AT_ONCE {
                // A bulk change touches thousands of keys; other requests wait for this thread.
                tokio::task::yield_now().await;
            }
        }
        self.follow_now();
        committed
    }

    /// Lets the follower know that there is something to take in.
    pub fn follow_now(&self) {
        self.changed.notify_one();
    }

    /// Runs a mutation to its end even when the client that asked for it goes away: what was committed must
    /// also be taken in by memory. `None` when the mutation panicked.
    pub async fn run_to_completion<T: Send + 'static>(
        work: impl Future<Output = T> + Send + 'static,
    ) -> Option<T> {
        // What it logs is about the same request.
        tokio::spawn(work.in_current_span()).await.ok()
    }
}

/// So many at once for each organization. Nobody waits: who would have one more is told.
fn at_once(per_organization: usize) -> FairQueue {
    FairQueue::new(Quota { permits: usize::MAX, per_organization, waiting: 0, waiting_per_key: 0 })
}
