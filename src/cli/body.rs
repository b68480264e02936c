//! The bodies of requests: only what was said is in them.

use serde::Serialize;
use serde_json::{Map, Value};

/// A JSON object in the making.
#[derive(Debug, Default, Serialize)]
#[serde(transparent)]
pub(super) struct Body(Map<String, Value>);

impl Body {
    pub(super) fn new() -> Self {
        Self::default()
    }

    /// The same with a member more, if there is a value.
    #[must_use]
    pub(super) fn with(mut self, member: &str, value: Option<impl Serialize>) -> Self {
        if let Some(value) = value {
            // None of what goes in here can fail to be JSON.
            self.0.insert(member.into(), serde_json::to_value(value).unwrap_or_default());
        }
        self
    }

    /// The same with a list, if it has anything in it.
    #[must_use]
    pub(super) fn with_list(self, member: &str, items: &[impl Serialize]) -> Self {
        self.with(member, (!items.is_empty()).then_some(items))
    }

    /// The same with the member `null`, if it `is_cleared`.
    #[must_use]
    pub(super) fn clear(self, member: &str, is_cleared: bool) -> Self {
        self.with(member, is_cleared.then_some(Value::Null))
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}
