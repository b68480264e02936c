//! One running server: the store, and everything that the server keeps in memory.

mod assertions;
mod authenticate;
mod authentication_error;
mod bearer;
pub mod cursor;
mod federation;
mod feed;
mod follow_store;
mod freshness;
mod gateway_tokens;
mod hash_cost;
mod hash_threads;
mod housekeeping;
mod in_flight;
mod issuer_keys;
mod key_cache;
pub mod keyring;
mod log_sampler;
pub mod master_keys;
mod minter;
mod node_report;
mod presented_for;
mod proofs;
mod records;
mod refusals;
mod retention_clock;
mod revocations;
mod revoked_tokens;
mod secrets;
mod shared_settings;
mod sign_in;
mod sign_in_providers;
mod signer;
mod throttle;
mod usage;
mod verified_tokens;
mod withdrawals;
mod write_watch;

pub use assertions::{AcceptedAudience, AssertionPolicy, Assertions, PresentedAssertion};
pub use authenticate::{Authenticated, Authenticator, Presented, PresentedClient};
pub use authentication_error::AuthenticationError;
pub use bearer::{BearerFault, LiveToken, PresentedToken};
pub use federation::{Federation, FederationFault};
pub use feed::{Feed, FeedError, FeedState};
pub use follow_store::{FollowError, Progress};
pub use freshness::Freshness;
pub use gateway_tokens::{GatewayToken, GatewayTokens, Purpose};
pub use hash_cost::{DEFAULT_COST, HashCost};
pub use in_flight::{InFlightRequest, InFlightRequests};
pub use issuer_keys::{IssuerKeys, KeysFault};
pub use key_cache::{CachedKey, CachedPublicKey, CachedRule, Granted, KeyCache, KeyCacheLoad};
pub use log_sampler::{Cause, LogSampler};
pub use master_keys::{MasterKeys, TakeoverError};
pub use minter::KeyMinter;
pub use presented_for::PresentedFor;
pub use proofs::{PresentedProof, ProofJudge, ProofRefused, ProofRules, Site};
pub use records::{Records, run_to_completion};
pub use refusals::RefusalLog;
pub use retention_clock::RetentionClock;
pub use revocations::{REMEMBERED_SECONDS, Revocations};
pub use revoked_tokens::RevokedTokens;
pub use secrets::{Busy, CachedSecret, HashError, Recognized, SecretKeeper};
pub use shared_settings::Differences;
pub use sign_in::{
    Again, Attempt, Choice, ClientCredential, ConsoleKeys, GroupSettings, Person, Provider, ProviderSettings,
    SignIn, SignInFault, SignInSettings,
};
pub use sign_in_providers::SignInProviders;
pub use signer::Signer;
pub use throttle::Throttle;
pub use usage::{LastUse, UseBacklog, UseCell, UseLedger};
pub use verified_tokens::VerifiedTokens;
pub use withdrawals::Withdrawals;

use std::sync::Arc;

use tokio::sync::{Mutex, Semaphore};

use crate::base::clock::Clock;
use crate::base::entropy::{Entropy, EntropyError};
use crate::base::master_key::MasterKey;
use crate::client::FetchSettings;
use crate::domain::address::AddressPolicy;
use crate::domain::api_key::Brand;
use crate::domain::gate_mapping::GateMapping;
use crate::domain::portal::PortalSettings;
use crate::jose::dpop::PublicUrlError;
use crate::metrics::Events;
use crate::node::cursor::CursorKeeper;
use crate::node::keyring::{Keyring, KeyringError, RotationPolicy};
use crate::sharing::fair_queue::{FairQueue, Quota};
use crate::store::{Store, StoreError};

use self::follow_store::Following;
use self::freshness::QueryTime;
use self::master_keys::hex;

/// The management requests that one organization may have in flight. A request counts until its client has read the
/// answer.
const REQUESTS: usize = 128;

/// The answers with a whole organization or a whole audit trail that one organization may be downloading.
const EXPORTS: usize = 4;

/// The settings of a node and of its deployment.
#[derive(Clone, Debug)]
pub struct Deployment {
    /// The `iss` of every token and the base of every URL in the metadata, without a trailing slash.
    pub issuer: String,
    /// The resource servers: 1 to 8 absolute URIs, never the issuer.
    pub audiences: Vec<String>,
    /// The prefix of new keys.
    pub brand: Brand,
    /// How the server determines a caller's address.
    pub addresses: AddressPolicy,
    /// When signing keys rotate, and where new ones come from.
    pub rotation: RotationPolicy,
    /// The argon2id parameters for new secrets.
    pub hash_cost: HashCost,
    /// The number of slow hashes that may run at once.
    pub hash_turns: usize,
    /// The number of keys that the cache holds.
    pub key_capacity: u64,
    /// Which assertions of clients are accepted.
    pub assertions: AssertionPolicy,
    /// How the keys of trusted issuers are fetched.
    pub issuers: FetchSettings,
    /// How the gate reads the requests of gateways.
    pub gate: GateMapping,
    /// What is accepted as a proof of possession.
    pub proofs: ProofRules,
    /// The customers' portal.
    pub portal: PortalSettings,
    /// How long audit events are kept, in seconds. `None` keeps them for ever.
    pub events_kept_seconds: Option<i64>,
    /// Where members sign in.
    pub sign_in: SignInProviders,
    /// How they are asked, at which addresses and with what credentials.
    pub sign_in_settings: SignInSettings,
}

/// One running server, divided by what its parts are responsible for.
#[derive(Debug)]
pub struct Node {
    /// The settings that it was started with.
    pub deployment: Deployment,
    /// The source of all times that the node uses.
    pub clock: Clock,
    /// The id of this run, which is new at each start.
    pub id: String,
    /// The master keys at hand.
    pub master_keys: Arc<MasterKeys>,
    /// The stored records, and the way to commit changes to them.
    pub records: Arc<Records>,
    /// Makes the secrets of API keys.
    pub minter: KeyMinter,
    /// Judges API keys and our own tokens.
    pub authenticator: Arc<Authenticator>,
    /// Signs tokens and the revocation feed.
    pub signer: Arc<Signer>,
    /// Signs people in at OpenID providers.
    pub sign_in: Arc<SignIn>,
    /// The revocations that still matter, and the feed that announces them.
    pub revocations: Arc<Revocations>,
    /// Counts the use of keys until it is written.
    pub usage: Arc<UseLedger>,
    /// Counts what is decided about requests.
    pub events: Arc<Events>,
    /// When the store was last confirmed.
    pub freshness: Arc<Freshness>,
    /// How far memory has followed the store.
    pub progress: Progress,
    /// The clock for deletion by age. It never runs ahead of the time that has steadily passed.
    pub retention_clock: RetentionClock,
    /// The settings in which this node differs from other nodes.
    pub differences: Differences,
    /// Limits the management requests that each organization may have in flight.
    pub requests: FairQueue,
    following: Mutex<Following>,
}

/// Why a node can't be built over its store.
#[derive(Debug, thiserror::Error)]
pub enum NodeError {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The signing keys can't be loaded from the store.
    #[error(transparent)]
    Keyring(#[from] KeyringError),
    /// The store has another master key.
    #[error(transparent)]
    MasterKey(#[from] TakeoverError),
    /// The system has no randomness.
    #[error(transparent)]
    Entropy(#[from] EntropyError),
    /// The issuer is not a URL.
    #[error("the issuer {0}")]
    Issuer(#[from] PublicUrlError),
}

impl Node {
    /// Loads into memory what the first request needs.
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
        // This comes first, so that the node later follows every change that happens during the remaining reads.
        let sent = QueryTime::now(&clock);
        let mut reader = store.change_reader();
        let applied = reader.position(None).await?.position;
        let master_keys = Arc::new(MasterKeys::only(master_key.derived()));
        master_keys.update(&reader.master_keys().await?)?;
        let keyring = Keyring::load(&mut reader, Arc::clone(&master_keys)).await?;
        let retention_clock = RetentionClock::new(store.start_retention_clock().await?, &clock);
        // By a clock that runs ahead, a revocation of a moment ago would look too old to matter.
        let now = retention_clock.now(&clock);
        let since = now.plus(-REMEMBERED_SECONDS);
        let revoked_tokens = RevokedTokens::default();
        reader.tokens_revoked_since(since).await?.iter().for_each(|token| revoked_tokens.insert(token, now));
        let withdrawals = Withdrawals::default();
        withdrawals.replace(reader.withdrawals_after(-1, since).await?);
        let capacity = deployment.key_capacity;
        let secrets =
            SecretKeeper::new(deployment.hash_cost.clone(), deployment.hash_turns, capacity, &entropy)?;
        let secrets = Arc::new(secrets);
        let keys = Arc::new(KeyCache::new(capacity, deployment.audiences.clone()));
        let events = Arc::new(Events::default());
        let usage = Arc::new(UseLedger::new(Arc::clone(&events)));
        let freshness = Arc::new(Freshness::confirmed(sent, clock.clone()));
        let signer = Arc::new(Signer {
            issuer: deployment.issuer.clone(),
            audiences: deployment.audiences.clone(),
            keyring,
            gateway_tokens: GatewayTokens::new(capacity),
            policy: deployment.rotation.clone(),
            entropy: entropy.clone(),
        });
        let revocations = Arc::new(Revocations {
            tokens: revoked_tokens,
            withdrawals,
            feed: Feed::default(),
            signer: Arc::clone(&signer),
            freshness: Arc::clone(&freshness),
        });
        let issuer_keys = Arc::new(IssuerKeys::new(deployment.issuers.clone(), clock.clone()));
        let fetching = (&deployment.issuers, &*deployment.issuer);
        let sign_in = Arc::new(SignIn::new(&deployment.sign_in_settings, fetching, &clock, &entropy));
        let id = hex(&entropy.bytes::<8>()?);
        let node = Self {
            id,
            authenticator: Arc::new(Authenticator {
                keys: Arc::clone(&keys),
                secrets: Arc::clone(&secrets),
                master_keys: Arc::clone(&master_keys),
                assertions: Assertions::new(deployment.assertions.clone(), &deployment.issuer),
                proofs: ProofJudge::new(deployment.proofs.clone(), deployment.issuer.parse()?, &master_keys),
                federation: Federation::new(Arc::clone(&issuer_keys), &deployment.issuer),
                throttle: Throttle::default(),
                verified_tokens: VerifiedTokens::new(capacity),
                log_sampler: LogSampler::default(),
                signer: Arc::clone(&signer),
                revocations: Arc::clone(&revocations),
                usage: Arc::clone(&usage),
                events: Arc::clone(&events),
                freshness: Arc::clone(&freshness),
                store: store.clone(),
                entropy: entropy.clone(),
                rehashing: Arc::new(Semaphore::new(authenticate::REHASHING)),
                unproven_lookups: Semaphore::new(authenticate::UNPROVEN_LOOKUPS),
            }),
            minter: KeyMinter {
                brand: deployment.brand.clone(),
                master_keys: Arc::clone(&master_keys),
                secrets,
                entropy: entropy.clone(),
            },
            records: Arc::new(Records {
                store,
                clock: clock.clone(),
                entropy,
                audiences: deployment.audiences.clone(),
                cursors: CursorKeeper::new(Arc::clone(&master_keys)),
                exports: at_once(EXPORTS),
                in_flight: InFlightRequests::default(),
                keys,
                changed: Arc::default(),
            }),
            master_keys,
            sign_in,
            signer,
            revocations,
            usage,
            events,
            freshness,
            progress: Progress::starting_at(applied.last),
            retention_clock,
            differences: Differences::default(),
            requests: at_once(REQUESTS),
            following: Mutex::new(Following { reader, applied: applied.clone() }),
            deployment,
            clock,
        };
        node.revocations.publish(&applied, now);
        Ok(Arc::new(node))
    }
}

/// Limits each organization to this many at once. Nobody waits: a further request is refused.
fn at_once(per_organization: usize) -> FairQueue {
    FairQueue::new(Quota { permits: usize::MAX, per_organization, waiting: 0, waiting_per_caller: 0 })
}
