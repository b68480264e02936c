//! Request bodies that contain only what the user specified.

use serde::Serialize;
use serde_json::{Map, Value};

/// A JSON object under construction.
#[derive(Debug, Default, Serialize)]
#[serde(transparent)]
pub(super) struct Body(Map<String, Value>);

impl Body {
    pub(super) fn new() -> Self {
        Self::default()
    }

    /// Adds a member, if there is a value.
    #[must_use]
    pub(super) fn with(mut self, member: &str, value: Option<impl Serialize>) -> Self {
        if let Some(value) = value {
            // Serialization never fails for the types used here.
            self.0.insert(member.into(), serde_json::to_value(value).unwrap_or_default());
        }
        self
    }

    /// Adds a list, if it is not empty.
    #[must_use]
    pub(super) fn with_list(self, member: &str, items: &[impl Serialize]) -> Self {
        self.with(member, (!items.is_empty()).then_some(items))
    }

    /// Adds the member as `null`, if it `is_cleared`.
    #[must_use]
    pub(super) fn clear(self, member: &str, is_cleared: bool) -> Self {
        self.with(member, is_cleared.then_some(Value::Null))
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}
