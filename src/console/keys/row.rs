//! A key in the list.

use crate::api_key::display_prefix;
use crate::clock::Timestamp;
use crate::console::plot::Plot;
use crate::console::when::When;
use crate::key::{ApiKey, KeyStatus};

const DAY: i64 = 86_400;

/// A key that was not used for so many seconds is marked as stale: 90 days.
pub(in crate::console) const STALE_SECONDS: i64 = 90 * DAY;

/// A key that ends within so many seconds is marked: 14 days.
const SOON_SECONDS: i64 = 14 * DAY;

/// Scopes that are shown in full; of the others only the number is.
const SCOPES_SHOWN: usize = 2;

/// What a key's row shows.
#[derive(Debug)]
pub(in crate::console) struct Row {
    pub(in crate::console) href: String,
    pub(in crate::console) name: String,
    pub(in crate::console) prefix: String,
    pub(in crate::console) project: String,
    pub(in crate::console) environment: String,
    pub(in crate::console) status: KeyStatus,
    pub(in crate::console) marks: Vec<Mark>,
    pub(in crate::console) scopes: Vec<String>,
    pub(in crate::console) more_scopes: usize,
    pub(in crate::console) expires: Option<When>,
    pub(in crate::console) last_used: Option<When>,
    pub(in crate::console) created: When,
    pub(in crate::console) spark: Option<Plot>,
}

/// Something about a key that deserves a look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::console) enum Mark {
    /// Not used for 90 days.
    Stale,
    /// Ends within 14 days.
    EndsSoon,
    /// A range of it is a wildcard.
    AnyAddress,
    /// A scope of it is `*:*`, or everything under `claviger/`.
    FullAccess,
}

impl Mark {
    pub(in crate::console) const fn label(self) -> &'static str {
        match self {
            Self::Stale => "Stale",
            Self::EndsSoon => "Ends soon",
            Self::AnyAddress => "Any address",
            Self::FullAccess => "Full access",
        }
    }

    pub(in crate::console) const fn title(self) -> &'static str {
        match self {
            Self::Stale => "Not used for 90 days: does anybody still need it?",
            Self::EndsSoon => "It ends within 14 days",
            Self::AnyAddress => "It may be used from everywhere",
            Self::FullAccess => "A scope of it is a wildcard over everything",
        }
    }

    pub(in crate::console) const fn is_urgent(self) -> bool {
        matches!(self, Self::Stale | Self::EndsSoon)
    }
}

/// What deserves a look about a key. One that is over needs none.
pub(in crate::console) fn marks(key: &ApiKey, now: Timestamp) -> Vec<Mark> {
    if key.status(now) != KeyStatus::Active {
        return Vec::new();
    }
    let unused_since = key.last_used_at.unwrap_or(key.created_at);
    let is_full = |scope: &crate::scope::Scope| {
        *scope == crate::scope::Scope::full_access() || *scope == crate::scope::Scope::full_administration()
    };
    let marks = [
        (Mark::Stale, now.since(unused_since) >= STALE_SECONDS),
        (Mark::EndsSoon, key.expires_at.is_some_and(|end| end.since(now) <= SOON_SECONDS)),
        (Mark::FullAccess, key.scopes.iter().any(is_full)),
        (Mark::AnyAddress, key.cidrs.has_wildcard()),
    ];
    marks.into_iter().filter_map(|(mark, applies)| applies.then_some(mark)).collect()
}

impl Row {
    pub(in crate::console) fn of(key: &ApiKey, spark: Option<Plot>, root: &str, now: Timestamp) -> Self {
        let when = |at| When::new(at, now);
        let scopes: Vec<String> = key.scopes.iter().take(SCOPES_SHOWN).map(ToString::to_string).collect();
        Self {
            href: format!("{root}/keys/{}", key.id),
            name: key.name.clone(),
            prefix: display_prefix(&key.brand, &key.environment, &key.id),
            project: key.project.to_string(),
            environment: key.environment.to_string(),
            status: key.status(now),
            marks: marks(key, now),
            more_scopes: key.scopes.len() - scopes.len(),
            scopes,
            expires: key.expires_at.map(when),
            last_used: key.last_used_at.map(when),
            created: when(key.created_at),
            spark,
        }
    }
}
