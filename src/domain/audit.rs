//! Audit events. Every mutation records one in its own transaction. Noteworthy refusals are recorded too.

mod filter;
mod recorded;

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

pub use filter::{ActionError, ActionFilter, EventFilter};
pub use recorded::{EventId, RecordedEvent};

use serde_json::Value;

use crate::base::clock::Timestamp;
use crate::domain::api_key::KeyId;
use crate::domain::names::OrganizationId;
use crate::domain::principal::Principal;

/// Who acted, and from where.
#[derive(Clone, Debug)]
pub struct Actor {
    /// The key that authorized the act, or the server itself.
    pub who: Who,
    /// The organization of that key. The trail doesn't record it.
    pub organization: Option<OrganizationId>,
    /// The caller's address, if it is known.
    pub address: Option<IpAddr>,
    /// The id of the request.
    pub request_id: Option<String>,
    /// Whether this is a dry run, which checks everything and commits nothing.
    pub dry_run: bool,
}

/// The actor of an audit event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Who {
    /// An API key, presented directly or through one of its tokens.
    Key(KeyId),
    /// The bootstrap of an empty store.
    Bootstrap,
    /// The server, on a schedule.
    Schedule,
    /// An operator at the command line of a machine with the master key.
    Operator,
}

impl Actor {
    /// The server itself, without an address or a request.
    pub fn server(who: Who) -> Self {
        Self { who, organization: None, address: None, request_id: None, dry_run: false }
    }

    /// The principal whose share of the shared capacity the act uses.
    pub fn principal(&self) -> Principal {
        let key = match self.who {
            Who::Key(key) => Some(key),
            Who::Bootstrap | Who::Schedule | Who::Operator => None,
        };
        Principal { organization: self.organization.clone(), key }
    }
}

impl fmt::Display for Who {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Key(id) => id.fmt(f),
            Self::Bootstrap => f.write_str("bootstrap"),
            Self::Schedule => f.write_str("schedule"),
            Self::Operator => f.write_str("operator"),
        }
    }
}

/// The text is not an actor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be a key's id, bootstrap, schedule or operator")]
pub struct WhoError;

impl FromStr for Who {
    type Err = WhoError;

    fn from_str(text: &str) -> Result<Self, WhoError> {
        match text {
            "bootstrap" => Ok(Self::Bootstrap),
            "schedule" => Ok(Self::Schedule),
            "operator" => Ok(Self::Operator),
            key => key.parse().map(Self::Key).map_err(|_| WhoError),
        }
    }
}

/// One act. Its time and change number come from its transaction.
#[derive(Clone, Debug)]
pub struct AuditEvent {
    /// The action, such as `key.create`, `key.revoke` or `signing_key.rotate`.
    pub action: &'static str,
    /// The organization of the act; `None` for acts on the deployment.
    pub organization: Option<OrganizationId>,
    /// The key that was acted on, if it was a key.
    pub key: Option<KeyId>,
    /// What was acted on: the id of a key, token, signing key or organization, or the path of a project.
    pub subject: String,
    /// The earlier state, as the API shows it. It never contains a secret.
    pub before: Option<Value>,
    /// The new state.
    pub after: Option<Value>,
}

impl AuditEvent {
    /// The part of the action before the first dot.
    pub fn family(&self) -> &'static str {
        self.action.split_once('.').map_or(self.action, |(family, _)| family)
    }
}

/// An event that happened before its transaction.
#[derive(Clone, Debug)]
pub struct PastEvent {
    /// When it happened.
    pub at: Timestamp,
    /// Who acted.
    pub actor: Actor,
    /// What happened.
    pub event: AuditEvent,
}
