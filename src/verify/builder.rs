//! What a verifier is told before it begins.

use std::sync::Arc;
use std::time::Duration;

use super::challenge::Challenge;
use super::resource_metadata::ResourceMetadata;
use super::settings::{Accepted, ApiKeys, Settings, WhenStale};
use super::verifier::Verifier;
use crate::base::clock::Clock;
use crate::client::{BaseUrl, BaseUrlError, Client, RequestLimits, Transport, Trust, TrustError};
use crate::domain::address::AddressPolicy;
use crate::jose::claims::Leeway;
use crate::jose::revocation_feed::MAX_STALE_SECONDS;

/// So many tokens are remembered unless said otherwise.
const REMEMBERED_TOKENS: usize = 10_000;

/// A verifier that has not been told yet whose tokens it accepts.
#[derive(Clone, Debug)]
pub struct ChooseOrganizations {
    issuer: String,
    audience: String,
}

/// A verifier that has not been told yet from which environments it accepts tokens.
#[derive(Clone, Debug)]
pub struct ChooseEnvironments {
    issuer: String,
    audience: String,
    organizations: Accepted,
}

/// A verifier that can be built.
#[derive(Clone, Debug)]
pub struct Builder {
    issuer: String,
    audience: String,
    organizations: Accepted,
    environments: Accepted,
    clock: Clock,
    leeway: Leeway,
    trust: Trust,
    transport: Transport,
    limits: RequestLimits,
    addresses: AddressPolicy,
    when_stale: WhenStale,
    max_stale: i64,
    remembered_tokens: usize,
    api_keys: Option<ApiKeys>,
}

/// Why there is no verifier.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BuildError {
    /// The issuer is no URL.
    #[error("the issuer's URL {0}")]
    Issuer(BaseUrlError),
    /// The issuer would be asked in the clear, where anybody on the way could answer in its place.
    #[error(
        "{0} is plain http beyond this machine: whoever is on the way could answer with keys of their own"
    )]
    Exposed(BaseUrl),
    /// The audience is no absolute URI.
    #[error("the audience is not an absolute URI")]
    Audience,
    /// Nothing at all would be accepted.
    #[error("the list of accepted {0} is empty")]
    Nothing(&'static str),
    /// The bound is not one.
    #[error("a verifier that has heard nothing stops after 1 to {MAX_STALE_SECONDS} seconds")]
    MaxStale,
    /// No certificate authority can be trusted.
    #[error(transparent)]
    Trust(#[from] TrustError),
    /// There is nothing that background tasks could run on.
    #[error("a verifier is built inside of a tokio runtime")]
    NoRuntime,
}

impl Verifier {
    /// A verifier of tokens that `issuer` issued for `audience`: its URL exactly as in `iss`, and the resource server's
    /// URI exactly as in `aud`.
    pub fn builder(issuer: impl Into<String>, audience: impl Into<String>) -> ChooseOrganizations {
        ChooseOrganizations { issuer: issuer.into(), audience: audience.into() }
    }
}

impl ChooseOrganizations {
    /// Tokens of these organizations' keys are accepted.
    pub fn organizations(self, ids: impl IntoIterator<Item = impl Into<String>>) -> ChooseEnvironments {
        self.accepting(Accepted::only(ids))
    }

    /// Tokens of every organization's keys are accepted: it is the resource server that keeps them apart.
    pub fn any_organization(self) -> ChooseEnvironments {
        self.accepting(Accepted::Any)
    }

    fn accepting(self, organizations: Accepted) -> ChooseEnvironments {
        let Self { issuer, audience } = self;
        ChooseEnvironments { issuer, audience, organizations }
    }
}

impl ChooseEnvironments {
    /// Tokens of keys in these environments are accepted, such as `prd`.
    pub fn environments(self, slugs: impl IntoIterator<Item = impl Into<String>>) -> Builder {
        self.accepting(Accepted::only(slugs))
    }

    /// Tokens of keys in every environment are accepted.
    pub fn any_environment(self) -> Builder {
        self.accepting(Accepted::Any)
    }

    fn accepting(self, environments: Accepted) -> Builder {
        let Self { issuer, audience, organizations } = self;
        Builder {
            issuer,
            audience,
            organizations,
            environments,
            clock: Clock::system(),
            leeway: Leeway::NONE,
            trust: Trust::default(),
            transport: Transport::Private,
            limits: RequestLimits {
                connect: Duration::from_secs(5),
                answer: Duration::from_secs(5),
                body: 256 * 1024,
            },
            addresses: AddressPolicy::default(),
            when_stale: WhenStale::default(),
            max_stale: MAX_STALE_SECONDS,
            remembered_tokens: REMEMBERED_TOKENS,
            api_keys: None,
        }
    }
}

impl Builder {
    /// Takes the time from `clock`; it is the system's unless said otherwise.
    #[must_use]
    pub fn clock(self, clock: Clock) -> Self {
        Self { clock, ..self }
    }

    /// How far this machine's clock may be off the issuer's; not at all unless said otherwise.
    #[must_use]
    pub fn leeway(self, leeway: Leeway) -> Self {
        Self { leeway, ..self }
    }

    /// Whose certificates the issuer may have; those that the system trusts unless said otherwise.
    #[must_use]
    pub fn trust(self, trust: Trust) -> Self {
        Self { trust, ..self }
    }

    /// Asks the issuer over plain http, also beyond this machine. Whoever is on the way can then make tokens, and read
    /// API keys: this is for a network that is encrypted below.
    #[must_use]
    pub fn allow_http(self) -> Self {
        Self { transport: Transport::Any, ..self }
    }

    /// Which proxies stand in front of the resource server and are believed in what they say of the caller's address;
    /// none unless said otherwise.
    #[must_use]
    pub fn addresses(self, addresses: AddressPolicy) -> Self {
        Self { addresses, ..self }
    }

    /// What happens when nothing was heard of the issuer for too long; everything is refused unless said otherwise.
    #[must_use]
    pub fn when_stale(self, when_stale: WhenStale) -> Self {
        Self { when_stale, ..self }
    }

    /// How many seconds are too long: 1 to [`MAX_STALE_SECONDS`], which it is unless said otherwise.
    #[must_use]
    pub fn max_stale(self, seconds: i64) -> Self {
        Self { max_stale: seconds, ..self }
    }

    /// How many tokens are remembered, so that a second look at them needs no signature; 10,000 unless said otherwise.
    #[must_use]
    pub fn remembered_tokens(self, most: usize) -> Self {
        Self { remembered_tokens: most, ..self }
    }

    /// Accepts API keys beside tokens, which the issuer's gate is asked about; none are unless said so.
    #[must_use]
    pub fn api_keys(self, api_keys: ApiKeys) -> Self {
        Self { api_keys: Some(api_keys), ..self }
    }

    /// Begins to fetch keys and to follow the feed in the background, for as long as a clone of the verifier is held.
    /// An issuer that is away is no error: see [`Verifier::ready`].
    ///
    /// # Errors
    /// [`BuildError`].
    pub fn build(self) -> Result<Verifier, BuildError> {
        let server: BaseUrl = self.issuer.parse().map_err(BuildError::Issuer)?;
        if self.transport == Transport::Private && !server.is_private() {
            return Err(BuildError::Exposed(server));
        }
        if !is_absolute_uri(&self.audience) {
            return Err(BuildError::Audience);
        }
        if !(1..=MAX_STALE_SECONDS).contains(&self.max_stale) {
            return Err(BuildError::MaxStale);
        }
        for (accepted, what) in [(&self.organizations, "organizations"), (&self.environments, "environments")]
        {
            if accepted.is_empty() {
                return Err(BuildError::Nothing(what));
            }
        }
        if tokio::runtime::Handle::try_current().is_err() {
            return Err(BuildError::NoRuntime);
        }
        let client = Client::new(server.clone().origin(), &self.trust, self.limits)?;
        let resource_metadata = ResourceMetadata::of(&self.audience, &self.issuer);
        let challenge = Challenge::new(&self.audience, resource_metadata.as_ref());
        let settings = Settings {
            issuer: self.issuer,
            audience: self.audience,
            organizations: self.organizations,
            environments: self.environments,
            clock: self.clock,
            leeway: self.leeway,
            addresses: self.addresses,
            when_stale: self.when_stale,
            max_stale: self.max_stale,
            remembered_tokens: self.remembered_tokens,
            api_keys: self.api_keys,
            challenge: Arc::new(challenge),
            resource_metadata,
        };
        Ok(Verifier::begin(settings, server, client))
    }
}

/// RFC 3986 §4.3, as far as it keeps an audience apart from a slip: a scheme, something behind it, no fragment, and
/// nothing that a challenge would have to escape.
fn is_absolute_uri(text: &str) -> bool {
    let Some((scheme, rest)) = text.split_once(':') else { return false };
    let is_scheme = scheme.starts_with(|first: char| first.is_ascii_alphabetic())
        && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte));
    let is_plain = rest.bytes().all(|byte| byte.is_ascii_graphic() && !b"\"\\#<>".contains(&byte));
    is_scheme && !rest.is_empty() && is_plain
}
