//! Recorded events, as they are read back.

use std::fmt;

use serde::{Serialize, Serializer};
use serde_json::Value;

use crate::base::clock::Timestamp;

/// An event of the trail. It serializes to the form that the management API shows.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RecordedEvent {
    /// The id of the event.
    pub id: EventId,
    /// When it happened.
    pub at: Timestamp,
    /// Who acted: the id of a key or of a member, `portal:` and a subject, `provider:` and a name, `bootstrap`, `schedule` or `operator`.
    pub actor: String,
    /// The name of the actor at that time, if it had one that the reader may know.
    pub actor_name: Option<String>,
    /// The member of the deployment who acted as `operator`, for readers who may know the deployment's members.
    pub operator_id: Option<String>,
    /// The actor's address, if it was known.
    pub address: Option<String>,
    /// The id of the request, if there was one.
    pub request_id: Option<String>,
    /// The action, such as `key.revoke`.
    pub action: String,
    /// The organization; `None` for acts on the deployment.
    pub organization: Option<String>,
    /// The key that was acted on, if it was a key.
    pub key: Option<String>,
    /// What was acted on.
    pub subject: String,
    /// The state before the act.
    pub before: Option<Value>,
    /// The state after the act.
    pub after: Option<Value>,
}

impl RecordedEvent {
    /// The event for readers who may not know the deployment's members.
    pub fn without_operator(self) -> Self {
        if self.operator_id.is_none() {
            return self;
        }
        Self { actor_name: None, operator_id: None, ..self }
    }
}

/// The id of an event, which is its change number. The text form is `evt_42`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct EventId(pub i64);

impl fmt::Display for EventId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "evt_{}", self.0)
    }
}

impl Serialize for EventId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}
