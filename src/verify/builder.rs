//! The settings of a verifier.

use std::sync::Arc;
use std::time::Duration;

use super::challenge::Challenge;
use super::proofs::Proofs;
use super::resource_metadata::{ResourceMetadata, Schemes};
use super::settings::{Accepted, ApiKeys, Settings, WhenStale};
use super::verifier::Verifier;
use crate::base::clock::Clock;
use crate::client::{BaseUrl, BaseUrlError, Client, RequestLimits, Transport, Trust, TrustError};
use crate::domain::address::AddressPolicy;
use crate::jose::claims::Leeway;
use crate::jose::dpop::{self, ALGORITHMS, PublicUrl, PublicUrlError};
use crate::jose::foreign::Algorithm;
use crate::jose::revocation_feed::MAX_STALE_SECONDS;

/// The default number of remembered tokens.
const REMEMBERED_TOKENS: usize = 10_000;

/// The first step to a [`Builder`]: choose whose tokens are accepted.
#[derive(Clone, Debug)]
pub struct ChooseOrganizations {
    issuer: String,
    audience: String,
}

/// The second step to a [`Builder`]: choose from which environments tokens are accepted.
#[derive(Clone, Debug)]
pub struct ChooseEnvironments {
    issuer: String,
    audience: String,
    organizations: Accepted,
}

/// The settings of a verifier, which all have defaults.
///
/// ```
/// use claviger::jose::claims::Leeway;
/// use claviger::verify::{BuildError, Verifier};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let verifier = Verifier::builder("http://127.0.0.1:8080", "https://api.example.com")
///     .organizations(["acme"])
///     .environments(["prd"])
///     .leeway(Leeway::from_seconds(5).ok_or("this leeway is too long")?)
///     .max_stale(20)
///     .public_url("https://api.example.com")
///     .build()?;
///
/// // Plain http to another machine has to be allowed explicitly.
/// let exposed = Verifier::builder("http://auth.example.com", "https://api.example.com")
///     .any_organization()
///     .any_environment()
///     .build();
/// assert!(matches!(exposed, Err(BuildError::Exposed(_))));
/// # Ok(())
/// # }
/// ```
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
    public_url: Option<String>,
    bound_tokens_only: bool,
    proof_algorithms: Vec<Algorithm>,
}

/// Why a verifier can't be built.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BuildError {
    /// The issuer is not a URL.
    #[error("the issuer's URL {0}")]
    Issuer(BaseUrlError),
    /// The issuer's URL is plain http to another machine, where somebody on the way could answer in the issuer's place.
    #[error(
        "{0} is plain http beyond this machine, so others on the way could answer with keys of their own"
    )]
    Exposed(BaseUrl),
    /// The audience is not an absolute URI.
    #[error("the audience is not an absolute URI")]
    Audience,
    /// A list of what is accepted is empty, so no token would be accepted.
    #[error("the list of accepted {0} is empty")]
    Nothing(&'static str),
    /// The value of [`Builder::public_url`] is not a URL.
    #[error("the public URL {0}")]
    PublicUrl(PublicUrlError),
    /// [`Builder::bound_tokens_only`] was called without [`Builder::public_url`], so no token would be accepted.
    #[error("bound_tokens_only needs a public_url")]
    NoPublicUrl,
    /// [`Builder::bound_tokens_only`] was called together with [`Builder::api_keys`].
    #[error("bound_tokens_only excludes api_keys, because an API key is bound to nothing")]
    UnboundApiKeys,
    /// The value of [`Builder::max_stale`] is out of bounds.
    #[error("max_stale must be 1 to {MAX_STALE_SECONDS} seconds")]
    MaxStale,
    /// No certificate authorities can be loaded.
    #[error(transparent)]
    Trust(#[from] TrustError),
    /// There is no tokio runtime for the background tasks.
    #[error("a verifier can only be built inside a tokio runtime")]
    NoRuntime,
}

impl Verifier {
    /// A verifier of the tokens that `issuer` issued for `audience`. `issuer` is the issuer's URL exactly as in `iss`.
    /// `audience` is the resource server's URI exactly as in `aud`.
    pub fn builder(issuer: impl Into<String>, audience: impl Into<String>) -> ChooseOrganizations {
        ChooseOrganizations { issuer: issuer.into(), audience: audience.into() }
    }
}

impl ChooseOrganizations {
    /// Accepts tokens of these organizations' keys.
    pub fn organizations(self, ids: impl IntoIterator<Item = impl Into<String>>) -> ChooseEnvironments {
        self.accepting(Accepted::only(ids))
    }

    /// Accepts tokens of every organization's keys. The resource server has to keep the organizations apart.
    pub fn any_organization(self) -> ChooseEnvironments {
        self.accepting(Accepted::Any)
    }

    fn accepting(self, organizations: Accepted) -> ChooseEnvironments {
        let Self { issuer, audience } = self;
        ChooseEnvironments { issuer, audience, organizations }
    }
}

impl ChooseEnvironments {
    /// Accepts tokens of keys in these environments, such as `prd`.
    pub fn environments(self, slugs: impl IntoIterator<Item = impl Into<String>>) -> Builder {
        self.accepting(Accepted::only(slugs))
    }

    /// Accepts tokens of keys in every environment.
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
            public_url: None,
            bound_tokens_only: false,
            proof_algorithms: ALGORITHMS.to_vec(),
        }
    }
}

impl Builder {
    /// The source of the time. Default: the system's clock.
    #[must_use]
    pub fn clock(self, clock: Clock) -> Self {
        Self { clock, ..self }
    }

    /// The tolerated difference between this machine's clock and the issuer's. Default: none.
    #[must_use]
    pub fn leeway(self, leeway: Leeway) -> Self {
        Self { leeway, ..self }
    }

    /// The certificate authorities for the issuer's certificate. Default: those of the system.
    #[must_use]
    pub fn trust(self, trust: Trust) -> Self {
        Self { trust, ..self }
    }

    /// Allows plain http to an issuer on another machine. Everybody on the way can then forge tokens and read API keys.
    /// Use this only in a network that is encrypted at a lower layer.
    #[must_use]
    pub fn allow_http(self) -> Self {
        Self { transport: Transport::Any, ..self }
    }

    /// The proxies in front of the resource server whose word on the caller's address is trusted. Default: none.
    #[must_use]
    pub fn addresses(self, addresses: AddressPolicy) -> Self {
        Self { addresses, ..self }
    }

    /// What happens when nothing was received from the issuer for too long. Default: every credential is refused.
    #[must_use]
    pub fn when_stale(self, when_stale: WhenStale) -> Self {
        Self { when_stale, ..self }
    }

    /// After how many seconds the feed is stale: 1 to [`MAX_STALE_SECONDS`]. Default: [`MAX_STALE_SECONDS`].
    #[must_use]
    pub fn max_stale(self, seconds: i64) -> Self {
        Self { max_stale: seconds, ..self }
    }

    /// The number of remembered tokens, whose signatures need not be verified again. Default: 10,000.
    #[must_use]
    pub fn remembered_tokens(self, most: usize) -> Self {
        Self { remembered_tokens: most, ..self }
    }

    /// Accepts API keys beside tokens, and asks the issuer's gate about them. Default: API keys are refused.
    #[must_use]
    pub fn api_keys(self, api_keys: ApiKeys) -> Self {
        Self { api_keys: Some(api_keys), ..self }
    }

    /// Accepts tokens that are bound to a key (DPoP, RFC 9449), with a proof for each request. `url` is the URL under which
    /// clients reach the service, such as `https://api.example.com`: the path of a request is appended to it. No header says
    /// what it is, because whoever sends a stolen proof also sends the headers. Default: bound tokens are refused.
    #[must_use]
    pub fn public_url(self, url: impl Into<String>) -> Self {
        Self { public_url: Some(url.into()), ..self }
    }

    /// Accepts nothing but tokens that are bound to a key, so that a stolen token is of no use to anybody. It needs
    /// [`public_url`](Self::public_url). The metadata of the resource server says so
    /// (`dpop_bound_access_tokens_required`, RFC 9728 §2). Default: plain tokens are accepted too.
    #[must_use]
    pub fn bound_tokens_only(self) -> Self {
        Self { bound_tokens_only: true, ..self }
    }

    /// The algorithms of proofs. Default: [`ALGORITHMS`].
    #[must_use]
    pub fn proof_algorithms(self, algorithms: impl IntoIterator<Item = Algorithm>) -> Self {
        Self { proof_algorithms: algorithms.into_iter().collect(), ..self }
    }

    /// Starts to fetch keys and to follow the feed in the background, until the last clone of the verifier is dropped.
    /// An unreachable issuer is not an error: see [`Verifier::ready`].
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
        let public_url: Option<PublicUrl> =
            self.public_url.map(|url| url.parse()).transpose().map_err(BuildError::PublicUrl)?;
        match self.bound_tokens_only {
            true if public_url.is_none() => return Err(BuildError::NoPublicUrl),
            true if self.api_keys.is_some() => return Err(BuildError::UnboundApiKeys),
            _ => {}
        }
        if self.proof_algorithms.is_empty() {
            return Err(BuildError::Nothing("algorithms of proofs"));
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
        let algorithms = public_url.is_some().then(|| dpop::names(&self.proof_algorithms));
        let schemes = Schemes { bearer: !self.bound_tokens_only, dpop: algorithms.as_deref() };
        let resource_metadata = ResourceMetadata::of(&self.audience, &self.issuer, schemes);
        let challenge = Challenge::new(&self.audience, resource_metadata.as_ref(), schemes);
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
            bound_tokens_only: self.bound_tokens_only,
            proofs: public_url.map(|url| Proofs::new(url, self.proof_algorithms)),
            challenge: Arc::new(challenge),
            resource_metadata,
        };
        Ok(Verifier::begin(settings, server, client))
    }
}

/// The form of an absolute URI (RFC 3986 §4.3), as far as that detects mistakes: a scheme, something after it, no
/// fragment, and no character that a challenge would have to escape.
fn is_absolute_uri(text: &str) -> bool {
    let Some((scheme, rest)) = text.split_once(':') else { return false };
    let is_scheme = scheme.starts_with(|first: char| first.is_ascii_alphabetic())
        && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte));
    let is_plain = rest.bytes().all(|byte| byte.is_ascii_graphic() && !b"\"\\#<>".contains(&byte));
    is_scheme && !rest.is_empty() && is_plain
}
