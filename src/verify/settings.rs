//! What a verifier holds tokens against.

use std::sync::Arc;
use std::time::Duration;

use super::challenge::Challenge;
use super::resource_metadata::ResourceMetadata;
use crate::base::clock::Clock;
use crate::domain::address::{AddressPolicy, ForwardedHeader};
use crate::jose::claims::Leeway;

/// Names that are accepted.
#[derive(Clone, Debug)]
pub(super) enum Accepted {
    Any,
    Only(Vec<String>),
}

/// What a verifier does that has not heard of its issuer for longer than it may.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum WhenStale {
    /// It refuses every credential (503): a token that was revoked meanwhile passes nowhere.
    #[default]
    Refuse,
    /// It goes on with what it knew: a token that was revoked meanwhile passes until it expires.
    Accept,
}

/// That, and how, API keys are accepted beside tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ApiKeys {
    /// For how long the gate's answer about a good key is relied on: 5 minutes at most. The feed ends it earlier,
    /// when something is taken from the key.
    pub remembered_for: Duration,
    /// The header in which the issuer expects to be told where the caller is. The resource server has to be among
    /// its trusted proxies, or keys that are bound to ranges pass only from the resource server's own address.
    pub header: ForwardedHeader,
}

/// The longest that an answer is relied on: tokens of the gate's live at least that long.
const LONGEST: Duration = Duration::from_secs(300);

impl ApiKeys {
    /// For how many seconds an answer is relied on.
    pub(super) fn remembered_seconds(&self) -> i64 {
        i64::try_from(self.remembered_for.min(LONGEST).as_secs()).unwrap_or(i64::MAX)
    }
}

impl Default for ApiKeys {
    /// A minute, and `X-Forwarded-For`.
    fn default() -> Self {
        Self { remembered_for: Duration::from_secs(60), header: ForwardedHeader::default() }
    }
}

/// What a verifier holds tokens against.
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

    /// Whether nothing at all is accepted.
    pub(super) fn is_empty(&self) -> bool {
        matches!(self, Self::Only(names) if names.is_empty())
    }
}
