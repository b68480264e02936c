//! The settings that a verifier compares tokens with.

use std::sync::Arc;
use std::time::Duration;

use super::challenge::Challenge;
use super::proofs::Proofs;
use super::resource_metadata::ResourceMetadata;
use crate::base::clock::Clock;
use crate::domain::address::{AddressPolicy, ForwardedHeader};
use crate::jose::claims::Leeway;

/// The accepted names of organizations or environments.
#[derive(Clone, Debug)]
pub(super) enum Accepted {
    Any,
    Only(Vec<String>),
}

/// What a verifier does once it has not received anything from its issuer for too long.
///
/// ```
/// use claviger::verify::{Verifier, WhenStale};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let verifier = Verifier::builder("http://127.0.0.1:8080", "https://api.example.com")
///     .any_organization()
///     .environments(["prd"])
///     .when_stale(WhenStale::Accept)
///     .build()?;
/// assert_eq!(WhenStale::default(), WhenStale::Refuse);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum WhenStale {
    /// It refuses every credential (503). A token that was revoked meanwhile is accepted nowhere.
    #[default]
    Refuse,
    /// It continues with what it knows. A token that was revoked meanwhile is accepted until it expires.
    Accept,
}

/// How API keys are accepted beside tokens.
///
/// ```
/// use std::time::Duration;
///
/// use claviger::verify::{ApiKeys, Verifier};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let verifier = Verifier::builder("http://127.0.0.1:8080", "https://api.example.com")
///     .any_organization()
///     .environments(["prd"])
///     .api_keys(ApiKeys { remembered_for: Duration::from_secs(30), ..ApiKeys::default() })
///     .build()?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ApiKeys {
    /// How long the gate's answer about a valid key is used: at most 5 minutes. The feed ends it earlier if the key
    /// loses anything.
    pub remembered_for: Duration,
    /// The header in which the issuer expects the caller's address. The issuer has to trust the resource server as a
    /// proxy. Otherwise, keys that are bound to address ranges are accepted only from the resource server's own
    /// address.
    pub header: ForwardedHeader,
}

/// The longest use of an answer. Tokens from the gate are valid for at least that long.
const LONGEST: Duration = Duration::from_secs(300);

impl ApiKeys {
    /// How long an answer is used, in seconds.
    pub(super) fn remembered_seconds(&self) -> i64 {
        i64::try_from(self.remembered_for.min(LONGEST).as_secs()).unwrap_or(i64::MAX)
    }
}

impl Default for ApiKeys {
    /// One minute, and `X-Forwarded-For`.
    fn default() -> Self {
        Self { remembered_for: Duration::from_secs(60), header: ForwardedHeader::default() }
    }
}

/// What a verifier compares tokens with, and its other settings.
#[derive(Debug)]
pub(super) struct Settings {
    pub(super) issuer: String,
    pub(super) audience: String,
    pub(super) organizations: Accepted,
    pub(super) environments: Accepted,
    pub(super) clock: Clock,
    pub(super) leeway: Leeway,
    pub(super) addresses: AddressPolicy,
    pub(super) when_stale: WhenStale,
    pub(super) max_stale: i64,
    pub(super) remembered_tokens: usize,
    pub(super) api_keys: Option<ApiKeys>,
    pub(super) bound_tokens_only: bool,
    /// `None` if bound tokens are not accepted.
    pub(super) proofs: Option<Proofs>,
    pub(super) challenge: Arc<Challenge>,
    pub(super) resource_metadata: Option<ResourceMetadata>,
}

impl Accepted {
    pub(super) fn only(names: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Self::Only(names.into_iter().map(Into::into).collect())
    }

    pub(super) fn has(&self, name: &str) -> bool {
        match self {
            Self::Any => true,
            Self::Only(names) => names.iter().any(|known| known == name),
        }
    }

    /// Whether no name is accepted.
    pub(super) fn is_empty(&self) -> bool {
        matches!(self, Self::Only(names) if names.is_empty())
    }
}
