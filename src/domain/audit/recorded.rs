//! Events as they are read back.

use std::fmt;

use serde::{Serialize, Serializer};
use serde_json::Value;

use crate::base::clock::Timestamp;

/// An event of the trail. Serialized, it is what the management API shows.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RecordedEvent {
    /// Its id.
    pub id: EventId,
    /// When it happened.
    pub at: Timestamp,
    /// Who acted: a key's id, `bootstrap`, `schedule` or `operator`.
    pub actor: String,
    /// Where from, if that is known.
    pub address: Option<String>,
    /// By which request, if by one.
    pub request_id: Option<String>,
    /// What was done.
    pub action: String,
    /// In which organization; `None` for what belongs to the deployment.
    pub organization: Option<String>,
    /// The key that it is about, if it is about one.
    pub key: Option<String>,
    /// What was acted on.
    pub subject: String,
    /// How that was before.
    pub before: Option<Value>,
    /// How it was then.
    pub after: Option<Value>,
}

/// An event's id, which is its change number: written, `evt_42`.
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
