//! The changes that a document makes, one by one.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::{Map, Value};

use super::document::{Configuration, OrganizationConfiguration, ProjectConfiguration};
use crate::domain::api_key::PlainKey;
use crate::domain::key::ApiKey;
use crate::domain::tenant::{Organization, Project};
use crate::store::NewKey;
use crate::use_cases::management::Force;
use crate::use_cases::management::changes;

/// The conditions for applying a document.
#[derive(Clone, Copy, Debug, Default)]
pub struct ApplyTerms {
    /// Only report what would change.
    pub dry_run: bool,
    /// Revoke the keys, and remove the trusted issuers and scopes, that the document omits.
    pub prune: bool,
    /// Revoke them even if they are more than half of the keys.
    pub prune_all: bool,
    /// Allow a change that locks out the last administrator, or revokes the caller's own key.
    pub force: Force,
}

/// One thing that a document changes or creates.
#[derive(Debug, Serialize)]
pub struct ConfigurationChange {
    action: &'static str,
    kind: &'static str,
    id: Option<String>,
    name: String,
    changes: Map<String, Value>,
}

/// The keys to create, by their place in the document, with their secrets. `None` for a key without a secret.
pub(super) type Prepared = BTreeMap<usize, (NewKey, Option<PlainKey>)>;

/// A thing that has a part in the document.
pub(super) trait Configured {
    /// `organization`, `project`, `scope`, `issuer` or `key`.
    const KIND: &'static str;

    fn id(&self) -> String;

    fn name(&self) -> &str;

    fn configuration(&self) -> Value;

    /// The members that a new thing has by default.
    fn before_creation() -> Value {
        Value::Object(Map::new())
    }
}

impl ConfigurationChange {
    pub(super) fn create<T: Configured>(made: &T) -> Self {
        // The id of a key in a dry run is never used.
        let id = (T::KIND != ApiKey::KIND).then(|| made.id());
        Self { id, ..Self::new("create", made, changes(&T::before_creation(), &made.configuration())) }
    }

    pub(super) fn update<T: Configured>(before: &T, after: &T) -> Option<Self> {
        let changes = changes(&before.configuration(), &after.configuration());
        (!changes.is_empty()).then(|| Self::new("update", after, changes))
    }

    pub(super) fn revoke(before: &ApiKey) -> Self {
        Self::new("revoke", before, Map::new())
    }

    pub(super) fn remove<T: Configured>(before: &T) -> Self {
        Self::new("remove", before, Map::new())
    }

    fn new<T: Configured>(action: &'static str, thing: &T, changes: Map<String, Value>) -> Self {
        Self { action, kind: T::KIND, id: Some(thing.id()), name: thing.name().to_owned(), changes }
    }
}

impl Configured for Organization {
    const KIND: &'static str = "organization";

    fn id(&self) -> String {
        self.id.to_string()
    }

    fn name(&self) -> &str {
        &self.name
    }

    fn configuration(&self) -> Value {
        Configuration::json(&OrganizationConfiguration::from(self))
    }
}

impl Configured for Project {
    const KIND: &'static str = "project";

    fn id(&self) -> String {
        self.id.to_string()
    }

    fn name(&self) -> &str {
        &self.name
    }

    fn configuration(&self) -> Value {
        Configuration::json(&ProjectConfiguration::from(self))
    }
}
