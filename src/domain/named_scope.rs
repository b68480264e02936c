//! Named scopes: a catalogue of what keys may be allowed to do, in words that people choose from. A name grants nothing,
//! and a key may have scopes that no catalogue lists.

use std::fmt;
use std::str::FromStr;

use serde::ser::SerializeMap as _;
use serde::{Serialize, Serializer};

use crate::base::clock::Timestamp;
use crate::base::text::serde_as_text;
use crate::domain::names::{NamedScopeId, OrganizationId};
use crate::domain::scope::{Scope, ScopeError, Scopes};

/// Whose catalogue it is.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Catalogue {
    /// The deployment's, which every organization inherits.
    Deployment,
    /// An organization's own.
    Of(OrganizationId),
}

impl Catalogue {
    /// The most entries of a catalogue.
    pub const MAX_COUNT: usize = 500;

    /// The organization, unless the catalogue is the deployment's.
    pub fn organization(&self) -> Option<&OrganizationId> {
        match self {
            Self::Deployment => None,
            Self::Of(organization) => Some(organization),
        }
    }
}

/// An entry of a catalogue. It serializes to the form that the management API shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamedScope {
    /// The id, unique in the catalogue. It never changes.
    pub id: NamedScopeId,
    /// The catalogue. It never changes.
    pub catalogue: Catalogue,
    /// The scope, unique in the catalogue.
    pub scope: ScopeText,
    /// The name that people use.
    pub name: String,
    /// A sentence that says what the scope allows.
    pub description: Option<String>,
    /// The heading under which forms show the scope.
    pub group: Option<String>,
    /// When it was created.
    pub created_at: Timestamp,
}

impl NamedScope {
    /// The path by which changes and audit events name the entry.
    pub fn path(&self) -> String {
        match &self.catalogue {
            Catalogue::Deployment => self.id.to_string(),
            Catalogue::Of(organization) => format!("{organization}/{}", self.id),
        }
    }
}

impl Serialize for NamedScope {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(7))?;
        map.serialize_entry("id", &self.id)?;
        map.serialize_entry("organization", &self.catalogue.organization())?;
        map.serialize_entry("scope", &self.scope)?;
        map.serialize_entry("name", &self.name)?;
        map.serialize_entry("description", &self.description)?;
        map.serialize_entry("group", &self.group)?;
        map.serialize_entry("created_at", &self.created_at)?;
        map.end()
    }
}

/// A scope that is written as text in JSON too, such as `read:invoices/**`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ScopeText(Scope);

impl ScopeText {
    /// The scope, if a key could have it.
    ///
    /// # Errors
    /// [`ScopeError::Commas`] or [`ScopeError::TooLong`].
    pub fn of(scope: Scope) -> Result<Self, ScopeError> {
        Scopes::for_key([scope.clone()])?;
        Ok(Self(scope))
    }

    /// The scope.
    pub const fn scope(&self) -> &Scope {
        &self.0
    }
}

impl FromStr for ScopeText {
    type Err = ScopeError;

    fn from_str(text: &str) -> Result<Self, ScopeError> {
        Self::of(text.parse()?)
    }
}

impl fmt::Display for ScopeText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

serde_as_text!(ScopeText);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scope_in_a_catalogue_is_one_that_a_key_could_have() {
        let text: ScopeText = "read".parse().unwrap();
        assert_eq!(serde_json::to_string(&text).unwrap(), r#""read:*""#);
        assert_eq!("read:a,write:b".parse::<ScopeText>(), Err(ScopeError::Commas));
        let long = vec!["a".repeat(128); 16].join("/");
        assert_eq!(format!("read:{long}").parse::<ScopeText>(), Err(ScopeError::TooLong));
        assert!("invoices".parse::<ScopeText>().is_err());
    }
}
