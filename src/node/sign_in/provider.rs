//! One provider: its description, which is fetched when it is needed and kept for an hour.

use std::sync::Arc;
use std::time::Duration;

use super::{ProviderSettings, SignInFault};
use crate::base::clock::{Clock, Timestamp};
use crate::base::lock::Mutex;
use crate::client::Fetcher;
use crate::domain::names::{OrganizationId, TrustedIssuerId};
use crate::domain::trusted_issuer::{KeySource, SignatureAlgorithms, TrustedIssuer};
use crate::jose::foreign::{DiscoveryFault, ProviderMetadata};
use crate::node::run_to_completion;
use crate::sharing::fair_queue::{FairQueue, Quota};

/// A description is fetched again after this time.
const FRESH: Duration = Duration::from_secs(3_600);

/// A description serves for so long while the provider can't be reached.
const SERVES: Duration = Duration::from_secs(24 * 3_600);

/// The pause after a failed fetch.
const PAUSE: Duration = Duration::from_secs(30);

/// The answers that are checked with a provider at once. Addresses take turns. Each provider has its own, so that one that
/// hangs holds up nobody at another one.
const EXCHANGES: Quota = Quota { permits: 32, per_organization: 4, waiting: 32, waiting_per_caller: 32 };

/// A provider, and what is in memory about it.
#[derive(Debug)]
pub struct Provider {
    /// What the settings say about it.
    pub settings: ProviderSettings,
    /// The record by which [`IssuerKeys`](crate::node::IssuerKeys) holds its keys.
    pub(super) keys: Option<TrustedIssuer>,
    pub(super) exchanges: FairQueue,
    held: Mutex<Held>,
    /// Whoever fetches has it.
    turn: tokio::sync::Mutex<()>,
}

/// Times are by the monotonic clock.
#[derive(Debug, Default)]
struct Held {
    metadata: Option<(Arc<ProviderMetadata>, Duration)>,
    failed: Option<(SignInFault, Duration)>,
}

impl Provider {
    pub(super) fn new(settings: ProviderSettings) -> Self {
        let keys = record(&settings);
        let exchanges = FairQueue::new(EXCHANGES);
        Self { settings, keys, exchanges, held: Mutex::default(), turn: tokio::sync::Mutex::default() }
    }

    /// The description, from memory or from the provider.
    pub(super) async fn metadata(
        self: &Arc<Self>,
        fetcher: &Arc<Fetcher>,
        clock: &Clock,
    ) -> Result<Arc<ProviderMetadata>, SignInFault> {
        let held = self.known(clock.monotonic(), FRESH);
        if let Some(held) = held {
            return Ok(held);
        }
        let (provider, fetcher, clock) = (Arc::clone(self), Arc::clone(fetcher), clock.clone());
        // A fetch runs to its end although whoever waits gives up: otherwise those who come and go could prevent it.
        let fetched = run_to_completion(async move { provider.renewed(&fetcher, &clock).await });
        fetched.await.unwrap_or(Err(SignInFault::Resting))
    }

    /// Fetches the description, unless somebody else just has. After a failure, an earlier one serves on.
    async fn renewed(&self, fetcher: &Fetcher, clock: &Clock) -> Result<Arc<ProviderMetadata>, SignInFault> {
        let _turn = self.turn.lock().await;
        let now = clock.monotonic();
        if let Some(held) = self.known(now, FRESH) {
            return Ok(held);
        }
        if let Some(fault) = self.failed_lately(now) {
            return self.known(now, SERVES).ok_or(fault);
        }
        match self.fetched(fetcher).await {
            Ok(metadata) => {
                let metadata = Arc::new(metadata);
                *self.held.lock() = Held { metadata: Some((Arc::clone(&metadata), now)), failed: None };
                Ok(metadata)
            }
            Err(fault) => {
                let provider = &*self.settings.name;
                tracing::warn!(provider, %fault, "a provider for signing in could not be asked about itself");
                self.held.lock().failed = Some((fault, now));
                self.known(now, SERVES).ok_or(fault)
            }
        }
    }

    async fn fetched(&self, fetcher: &Fetcher) -> Result<ProviderMetadata, SignInFault> {
        let url = self.settings.issuer.discovery().map_err(DiscoveryFault::Url)?;
        let description = fetcher.fetch(&url).await.map_err(SignInFault::Description)?;
        Ok(ProviderMetadata::parse(&description, &self.settings.issuer)?)
    }

    fn known(&self, now: Duration, within: Duration) -> Option<Arc<ProviderMetadata>> {
        let held = self.held.lock();
        let (metadata, fetched_at) = held.metadata.as_ref()?;
        (now.saturating_sub(*fetched_at) < within).then(|| Arc::clone(metadata))
    }

    fn failed_lately(&self, now: Duration) -> Option<SignInFault> {
        let (fault, at) = self.held.lock().failed?;
        (now.saturating_sub(at) < PAUSE).then_some(fault)
    }
}

/// The provider as a record whose keys are held. Nobody else's record has this organization in the same keeper.
fn record(settings: &ProviderSettings) -> Option<TrustedIssuer> {
    let organization: OrganizationId = "sign-in".parse().ok()?;
    let id: TrustedIssuerId = settings.name.parse().ok()?;
    Some(TrustedIssuer {
        id,
        organization,
        name: settings.label.clone(),
        url: settings.issuer.clone(),
        keys: KeySource::Discovery,
        algorithms: SignatureAlgorithms::from_text(&SignatureAlgorithms::KNOWN.join(" ")).ok()?,
        max_lifetime: TrustedIssuer::DEFAULT_LIFETIME,
        single_use: false,
        disabled_at: None,
        created_at: Timestamp::from_unix(0),
        keys_version: 0,
    })
}
