//! What a verifier holds tokens against.

use std::sync::Arc;

use super::api_keys::ApiKeys;
use super::builder::WhenStale;
use super::challenge::Challenge;
use super::resource_metadata::ResourceMetadata;
use crate::address::AddressPolicy;
use crate::claims::Leeway;
use crate::clock::Clock;

/// Names that are accepted.
#[derive(Clone, Debug)]
pub(super) enum Accepted {
    Any,
    Only(Vec<String>),
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
