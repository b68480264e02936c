//! An API key as the deployment stores it: everything except the secrets themselves.

mod dpop;
mod ids;
pub mod labels;
mod life;
mod owner;
mod public_key;
mod tags;
mod trusted;
mod view;

use std::fmt;
use std::net::IpAddr;

use crate::base::clock::Timestamp;
use crate::domain::api_key::{Brand, EnvironmentSlug, KeyId};
use crate::domain::cidr::Cidrs;
use crate::domain::names::{OrganizationId, ProjectId};
use crate::domain::scope::Scopes;

pub use dpop::{DpopRequirement, DpopRequirementError};
pub use ids::{
    CredentialId, PublicKeyId, PublicKeyIdError, SecretId, SecretIdError, TrustRuleId, TrustRuleIdError,
};
pub use owner::{Owner, OwnerError};
pub use public_key::RegisteredKey;
pub use tags::{TagFilter, Tags, TagsError};
pub use trusted::RegisteredRule;
pub use view::{KeyView, PublicKeyView, TrustRuleView, WholeKeyView};

/// A key and its live credentials: the ways in which somebody can act as the key. It has at least one.
#[derive(Clone, Debug)]
pub struct ApiKey {
    /// The key's id, which is also its client id.
    pub id: KeyId,
    /// The organization that owns it. It never changes.
    pub organization: OrganizationId,
    /// The project. It never changes.
    pub project: ProjectId,
    /// The environment. It never changes.
    pub environment: EnvironmentSlug,
    /// The brand under which the key was created.
    pub brand: Brand,
    /// The name that people gave it.
    pub name: String,
    /// Remarks that people made about it.
    pub note: Option<String>,
    /// Tags that people gave it.
    pub tags: Tags,
    /// Who is responsible for it.
    pub owner: Option<Owner>,
    /// What the key may do.
    pub scopes: Scopes,
    /// The networks from which it may be used.
    pub cidrs: Cidrs,
    /// Whether its tokens have to be bound to a key of the client.
    pub dpop: DpopRequirement,
    /// A number that grows whenever the key loses something. Tokens of lower generations are dead.
    pub generation: u64,
    /// When the key was created.
    pub created_at: Timestamp,
    /// Who created it.
    pub created_by: Creator,
    /// When the key expires, if ever. It is valid before this moment and not at it.
    pub expires_at: Option<Timestamp>,
    /// When the key was disabled. Unlike a revocation, this can be undone.
    pub disabled_at: Option<Timestamp>,
    /// The revocation, which is permanent.
    pub revoked: Option<Revoked>,
    /// When one of its credentials was last used, to within the flush interval.
    pub last_used_at: Option<Timestamp>,
    /// From where its client last used it, to within the flush interval.
    pub last_seen: Option<LastSeen>,
    /// The secrets that are still valid, newest last.
    pub secrets: Vec<KeySecret>,
    /// The registered public keys, newest last.
    pub public_keys: Vec<RegisteredKey>,
    /// The trust rules, newest last.
    pub trust_rules: Vec<RegisteredRule>,
}

/// Who created a key.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Creator {
    /// The id of a key or of a member, `portal:` and a subject, `operator` or `bootstrap`.
    pub id: String,
    /// The creator's name at that time, if the key's organization may know it.
    pub name: Option<String>,
}

impl Creator {
    /// A creator without a name.
    pub fn unnamed(id: &str) -> Self {
        Self { id: id.to_owned(), name: None }
    }
}

/// The last use of a key by its client itself, whose address is known. A check by a resource server is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LastSeen {
    /// The client's address.
    pub address: IpAddr,
    /// When the client used the key.
    pub at: Timestamp,
}

/// When and why a key was revoked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Revoked {
    /// When the key was revoked.
    pub at: Timestamp,
    /// The reason that was given.
    pub reason: Option<String>,
}

/// A stored secret of a key, as a hash.
#[derive(Clone)]
pub struct KeySecret {
    /// The secret's id, which is safe to show.
    pub id: SecretId,
    /// An argon2id hash as a PHC string.
    pub hash: Box<str>,
    /// The number of the master key under which the tag of its text was made.
    pub master_key: i64,
    /// When the secret was created.
    pub created_at: Timestamp,
    /// When its overlap with a newer secret ends.
    pub expires_at: Option<Timestamp>,
    /// When it was last used, to within the flush interval.
    pub last_used_at: Option<Timestamp>,
}

/// The state of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyStatus {
    /// The key works.
    Active,
    /// The key is suspended until somebody enables it.
    Disabled,
    /// The key has expired. A later expiry would make it work again.
    Expired,
    /// The key never works again.
    Revoked,
}

impl ApiKey {
    /// The state at `now`. Revoked takes precedence over expired, and expired over disabled.
    pub fn status(&self, now: Timestamp) -> KeyStatus {
        if self.revoked.is_some() {
            KeyStatus::Revoked
        } else if self.expires_at.is_some_and(|end| end <= now) {
            KeyStatus::Expired
        } else if self.disabled_at.is_some() {
            KeyStatus::Disabled
        } else {
            KeyStatus::Active
        }
    }
}

impl fmt::Debug for KeySecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeySecret").field("id", &self.id).field("hash", &"[redacted]").finish_non_exhaustive()
    }
}

impl KeyStatus {
    /// `active`, `disabled`, `expired` or `revoked`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Disabled => "disabled",
            Self::Expired => "expired",
            Self::Revoked => "revoked",
        }
    }
}
