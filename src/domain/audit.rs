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
use crate::domain::names::{OrganizationId, TrustedIssuerId};
use crate::domain::person::MemberId;
use crate::domain::principal::{CallerId, Principal};

/// Who acted, and from where.
#[derive(Clone, Debug)]
pub struct Actor {
    /// The caller, or the server itself.
    pub who: Who,
    /// The caller's name. The trail of another organization doesn't record it.
    pub name: Option<String>,
    /// The caller's organization. The trail doesn't record it.
    pub organization: Option<OrganizationId>,
    /// The caller's address, if it is known.
    pub address: Option<IpAddr>,
    /// The id of the request.
    pub request_id: Option<String>,
    /// Whether this is a dry run, which checks everything and commits nothing.
    pub dry_run: bool,
}

/// The actor of an audit event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Who {
    /// A caller.
    Caller(CallerId),
    /// The bootstrap of an empty store.
    Bootstrap,
    /// The server, on a schedule.
    Schedule,
    /// An operator at the command line of a machine with the master key.
    Operator,
    /// An OpenID provider at which people sign in, by its name: what it says about somebody took effect.
    Provider(TrustedIssuerId),
}

impl Actor {
    /// The server itself, without an address or a request.
    pub fn server(who: Who) -> Self {
        Self { who, name: None, organization: None, address: None, request_id: None, dry_run: false }
    }

    /// The principal whose share of the shared capacity the act uses.
    pub fn principal(&self) -> Principal {
        let caller = match &self.who {
            Who::Caller(caller) => Some(caller.clone()),
            Who::Bootstrap | Who::Schedule | Who::Operator | Who::Provider(_) => None,
        };
        Principal { organization: self.organization.clone(), caller }
    }

    /// The caller's name, if the trail of this organization may have it. Of the caller's own organization and of the
    /// deployment it may. A member of the deployment is named everywhere, because readers see that name only if they may
    /// know the deployment's members. So is a provider, whose name is on the sign-in page.
    pub fn name_for(&self, organization: Option<&OrganizationId>) -> Option<&str> {
        let is_named = matches!(self.who, Who::Caller(CallerId::DeploymentMember(_)) | Who::Provider(_));
        let is_known = is_named || organization.is_none() || organization == self.organization.as_ref();
        self.name.as_deref().filter(|_| is_known)
    }

    /// The member of the deployment who acted as `operator`, if it was one.
    pub fn deployment_member(&self) -> Option<MemberId> {
        match self.who {
            Who::Caller(CallerId::DeploymentMember(id)) => Some(id),
            _ => None,
        }
    }
}

impl fmt::Display for Who {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Caller(caller) => caller.fmt(f),
            Self::Bootstrap => f.write_str("bootstrap"),
            Self::Schedule => f.write_str("schedule"),
            Self::Operator => f.write_str("operator"),
            Self::Provider(name) => write!(f, "provider:{name}"),
        }
    }
}

/// The text is not an actor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "must be the id of a key or of a member, portal: and a subject, provider: and a name, bootstrap, schedule or operator"
)]
pub struct WhoError;

impl FromStr for Who {
    type Err = WhoError;

    fn from_str(text: &str) -> Result<Self, WhoError> {
        match text {
            "bootstrap" => Ok(Self::Bootstrap),
            "schedule" => Ok(Self::Schedule),
            "operator" => Ok(Self::Operator),
            other => match other.strip_prefix("provider:") {
                Some(name) => name.parse().map(Self::Provider).map_err(|_| WhoError),
                None => caller(other).map(Self::Caller).ok_or(WhoError),
            },
        }
    }
}

fn caller(text: &str) -> Option<CallerId> {
    if let Some(subject) = text.strip_prefix("portal:") {
        return subject.parse().ok().map(CallerId::PortalUser);
    }
    let key = text.parse().map(CallerId::Key);
    key.ok().or_else(|| text.parse().ok().map(CallerId::Member))
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
