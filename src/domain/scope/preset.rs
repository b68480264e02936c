//! Named scopes, for the most common kinds of keys.

use std::fmt;
use std::str::FromStr;

use super::segment::check_literal;
use super::{Action, Filter, FilterError, Scope, Scopes};
use crate::base::text::{Excerpt, serde_as_text};

/// A named list of scopes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Preset {
    /// `full_access`: `*:*`.
    FullAccess,
    /// `query_only`: `read:*`.
    QueryOnly,
    /// `key_admin`: reads and writes the keys of an organization, and reads everything else of the organization.
    KeyAdmin,
}

impl Preset {
    /// The name in the API.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::FullAccess => "full_access",
            Self::QueryOnly => "query_only",
            Self::KeyAdmin => "key_admin",
        }
    }

    /// The scopes of this preset in the organization `org`.
    ///
    /// # Errors
    /// [`FilterError`] when `org` is not one literal segment.
    pub fn scopes(self, org: &str) -> Result<Scopes, FilterError> {
        match self {
            Self::FullAccess => Ok(Scope::full_access().into()),
            Self::QueryOnly => Ok(Scope::query_only().into()),
            Self::KeyAdmin => key_admin(org),
        }
    }
}

impl FromStr for Preset {
    type Err = PresetError;

    fn from_str(name: &str) -> Result<Self, PresetError> {
        [Self::FullAccess, Self::QueryOnly, Self::KeyAdmin]
            .into_iter()
            .find(|preset| preset.as_str() == name)
            .ok_or_else(|| PresetError(name.into()))
    }
}

impl fmt::Display for Preset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The text is not the name of a preset.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the preset must be full_access, query_only or key_admin, not `{0}`")]
pub struct PresetError(Excerpt);

fn key_admin(org: &str) -> Result<Scopes, FilterError> {
    check_literal(org)?;
    let keys = Filter::reserved(&["orgs", org, "projects", "*", "keys", "*"])?;
    let organization = Filter::reserved(&["orgs", org, "**"])?;
    Ok([
        Scope::new(Action::Read, keys.clone()),
        Scope::new(Action::Write, keys),
        Scope::new(Action::Read, organization),
    ]
    .into_iter()
    .collect())
}

serde_as_text!(Preset);
