//! Who did what: the record that every mutation leaves, written in the mutation's own transaction; and refusals
//! worth knowing.

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
    /// The key that the act was authorized by, or the server itself.
    pub who: Who,
    /// The organization of that key. The trail does not name it.
    pub organization: Option<OrganizationId>,
    /// The caller's address, where one is known.
    pub address: Option<IpAddr>,
    /// The request that asked for it.
    pub request_id: Option<String>,
    /// Whether this is a dry run: everything is checked as if it was meant, and nothing is committed.
    pub dry_run: bool,
}

/// The subject of an audit event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Who {
    /// An API key, presented itself or through a token of its own.
    Key(KeyId),
    /// The bootstrap of an empty store.
    Bootstrap,
    /// The server, on a schedule.
    Schedule,
    /// An operator, at the command line of a machine that holds the master key.
    Operator,
}

impl Actor {
    /// The server itself, at no address and for no request.
    pub fn server(who: Who) -> Self {
        Self { who, organization: None, address: None, request_id: None, dry_run: false }
    }

    /// Whose share of what is shared the act takes from.
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

/// The text names nobody who could have acted.
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

/// One thing that was done. The time and the change number come from the transaction that it is part of.
#[derive(Clone, Debug)]
pub struct AuditEvent {
    /// `key.create`, `key.revoke`, `signing_key.rotate`, …
    pub action: &'static str,
    /// The organization that it happened in; `None` for what belongs to the deployment.
    pub organization: Option<OrganizationId>,
    /// The key that it is about, where it is about one.
    pub key: Option<KeyId>,
    /// What was acted on: a key's, token's or signing key's id, an organization's, a project's path.
    pub subject: String,
    /// How it was before, as the API shows it; never a secret.
    pub before: Option<Value>,
    /// How it is now.
    pub after: Option<Value>,
}

impl AuditEvent {
    /// What its action begins with, up to the first point.
    pub fn family(&self) -> &'static str {
        self.action.split_once('.').map_or(self.action, |(family, _)| family)
    }
}

/// Something that happened a while before it is recorded.
#[derive(Clone, Debug)]
pub struct PastEvent {
    /// When it happened.
    pub at: Timestamp,
    /// To whom.
    pub actor: Actor,
    /// What.
    pub event: AuditEvent,
}
