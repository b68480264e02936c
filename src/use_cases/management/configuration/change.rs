//! What applying a document comes to, thing by thing.

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

/// On what terms a document is applied.
#[derive(Clone, Copy, Debug, Default)]
pub struct ApplyTerms {
    /// Only say what would change.
    pub dry_run: bool,
    /// Revoke the keys that the document lacks.
    pub prune: bool,
    /// Even if these are more than half of the keys.
    pub prune_all: bool,
    /// Close the last way in, and revoke the caller's own key, if it comes to that.
    pub force: Force,
}

/// One thing that is to be another one, or new.
#[derive(Debug, Serialize)]
pub struct ConfigurationChange {
    action: &'static str,
    kind: &'static str,
    id: Option<String>,
    name: String,
    changes: Map<String, Value>,
}

/// The keys of a document that are to be made, by their place in it, with the secrets that they will have.
pub(super) type Prepared = BTreeMap<usize, (NewKey, PlainKey)>;

/// What of a thing is in a document.
pub(super) trait Configured {
    /// `organization`, `project` or `key`.
    const KIND: &'static str;

    fn id(&self) -> String;

    fn name(&self) -> &str;

    fn configuration(&self) -> Value;

    /// What goes without saying of a new one.
    fn before_creation() -> Value {
        Value::Object(Map::new())
    }
}

impl ConfigurationChange {
    pub(super) fn create<T: Configured>(made: &T) -> Self {
        // A key that is only rehearsed has an id that nobody will see again.
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
