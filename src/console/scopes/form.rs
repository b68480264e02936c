//! The form that adds and changes an entry of a catalogue: its input and its errors.

use serde_json::{Map, Value, json};

use crate::console::explain;
use crate::console::fields::Fields;
use crate::console::wrong::{self, Wrong};
use crate::domain::key::labels::LabelError;
use crate::domain::named_scope::{NamedScope, ScopeText};
use crate::domain::names::NamedScopeId;
use crate::use_cases::management::scopes::{NamedScopePatch, NewNamedScopeRequest};
use crate::use_cases::management::{ApiError, Conflict, InvalidRequest};

/// The input of the form.
#[derive(Debug)]
pub(super) struct ScopeForm {
    pub(super) id: String,
    pub(super) action: String,
    pub(super) resource: String,
    pub(super) name: String,
    pub(super) description: String,
    pub(super) group: String,
}

impl Default for ScopeForm {
    fn default() -> Self {
        Self {
            id: String::new(),
            action: "read".to_owned(),
            resource: String::new(),
            name: String::new(),
            description: String::new(),
            group: String::new(),
        }
    }
}

impl ScopeForm {
    /// The form filled from an entry.
    pub(super) fn of(entry: &NamedScope) -> Self {
        let scope = entry.scope.scope();
        Self {
            id: entry.id.to_string(),
            action: scope.action().to_string(),
            resource: scope.filter().to_string(),
            name: entry.name.clone(),
            description: entry.description.clone().unwrap_or_default(),
            group: entry.group.clone().unwrap_or_default(),
        }
    }

    /// The form filled from a submission.
    pub(super) fn sent(fields: &Fields) -> Self {
        let text = |name| fields.text(name).to_owned();
        Self {
            id: text("id"),
            action: text("action"),
            resource: text("resource"),
            name: text("name"),
            description: text("description"),
            group: text("group"),
        }
    }

    /// What the scope allows, in words. Empty if it is none.
    pub(super) fn words(&self) -> String {
        explain::read(&self.action, &self.resource)
            .map_or_else(|_| String::new(), |scope| explain::explain(&scope))
    }

    /// The request that adds the entry.
    ///
    /// # Errors
    /// [`Wrong`].
    pub(super) fn new_scope(&self) -> Result<NewNamedScopeRequest, Wrong> {
        self.id.parse::<NamedScopeId>().map_err(|error| Wrong::malformed("id", error))?;
        let mut members = self.members()?;
        members.insert("id".to_owned(), json!(self.id));
        wrong::request(members)
    }

    /// The request that changes an entry into what the form says: what differs from `before`. `None` if nothing does.
    ///
    /// # Errors
    /// [`Wrong`].
    pub(super) fn patch(&self, before: &NamedScope) -> Result<Option<NamedScopePatch>, Wrong> {
        wrong::patch(&Self::of(before).members()?, self.members()?)
    }

    /// The members that the form edits, in the management API's JSON.
    fn members(&self) -> Result<Map<String, Value>, Wrong> {
        let scope =
            explain::read(&self.action, &self.resource).map_err(|why| Wrong::malformed("resource", why))?;
        let scope = ScopeText::of(scope).map_err(|error| Wrong::malformed("resource", error))?;
        let given = |text: &str| if text.is_empty() { Value::Null } else { json!(text) };
        let members = [
            ("scope", json!(scope)),
            ("name", json!(self.name)),
            ("description", given(&self.description)),
            ("group", given(&self.group)),
        ];
        Ok(members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
    }
}

/// An error of a use case, at the field that it is about.
pub(super) fn wrong(error: ApiError) -> Wrong {
    let field = match &error {
        ApiError::InvalidRequest(InvalidRequest::Name(_)) => "name",
        ApiError::InvalidRequest(InvalidRequest::ScopeLabel(error)) => label(error),
        ApiError::Conflict(Conflict::NamedScopeIdTaken) => "id",
        ApiError::Conflict(Conflict::ScopeNamedTwice(..)) => "resource",
        _ => "",
    };
    Wrong { field, error }
}

/// The field of a label.
const fn label(error: &LabelError) -> &'static str {
    match error {
        LabelError::Empty(field)
        | LabelError::Invisible(field)
        | LabelError::TooLong(field, _)
        | LabelError::Control(field)
        | LabelError::Reordered(field) => field,
    }
}
