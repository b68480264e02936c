//! An API key as the deployment knows it: everything but its secret.

pub mod labels;
mod life;
mod view;

use std::fmt;
use std::str::FromStr;

use crate::base::clock::Timestamp;
use crate::base::entropy::{Entropy, EntropyError};
use crate::domain::api_key::{Brand, EnvironmentSlug, KeyId};
use crate::domain::cidr::Cidrs;
use crate::domain::names::{OrganizationId, ProjectId};
use crate::domain::scope::Scopes;

pub use view::{KeyView, WholeKeyView};

/// A key and its live secrets.
#[derive(Clone, Debug)]
pub struct ApiKey {
    /// Its id, which is also its client id.
    pub id: KeyId,
    /// The organization that it belongs to, for good.
    pub organization: OrganizationId,
    /// Its project, for good.
    pub project: ProjectId,
    /// Its environment, for good.
    pub environment: EnvironmentSlug,
    /// The brand that it was made under.
    pub brand: Brand,
    /// What people call it.
    pub name: String,
    /// What people remember about it.
    pub note: Option<String>,
    /// What it may do.
    pub scopes: Scopes,
    /// Where it may be used from.
    pub cidrs: Cidrs,
    /// Goes up whenever something is taken away; a token of a lower one is dead.
    pub generation: u64,
    /// When it was made.
    pub created_at: Timestamp,
    /// By whom: a key's id, or `bootstrap`.
    pub created_by: String,
    /// When it ends, if ever: it is good before this moment and not at it.
    pub expires_at: Option<Timestamp>,
    /// Since when it is suspended. Unlike a revocation, that can be undone.
    pub disabled_at: Option<Timestamp>,
    /// Set for good by a revocation.
    pub revoked: Option<Revoked>,
    /// When a secret of it was last used, to within the flush interval.
    pub last_used_at: Option<Timestamp>,
    /// The secrets that still open it; the newest last.
    pub secrets: Vec<KeySecret>,
}

/// When and why a key was revoked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Revoked {
    /// The moment of the revocation.
    pub at: Timestamp,
    /// What the revoker said about it.
    pub reason: Option<String>,
}

/// A secret of a key, as it is stored: its hash.
#[derive(Clone)]
pub struct KeySecret {
    /// Its id, safe to show.
    pub id: SecretId,
    /// An argon2id hash as a PHC string.
    pub hash: Box<str>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When its overlap with a newer secret ends.
    pub expires_at: Option<Timestamp>,
    /// When it was last used, to within the flush interval.
    pub last_used_at: Option<Timestamp>,
}

/// Where a key stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyStatus {
    /// It works.
    Active,
    /// It is suspended until somebody enables it.
    Disabled,
    /// Its end has passed; a later one would make it work again.
    Expired,
    /// It never works again.
    Revoked,
}

impl ApiKey {
    /// Where the key stands at `now`. Revoked takes precedence over expired, and expired over disabled.
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

/// A secret's id: `sec_` and 16 hexadecimal digits. It says nothing about the secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SecretId(u64);

/// The text is not a secret's id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a secret's id must be sec_ and 16 hexadecimal digits")]
pub struct SecretIdError;

impl SecretId {
    /// A new random id.
    ///
    /// # Errors
    /// When the system has no randomness.
    pub fn generate(entropy: &Entropy) -> Result<Self, EntropyError> {
        Ok(Self(u64::from_be_bytes(entropy.bytes()?)))
    }
}

impl fmt::Display for SecretId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "sec_{:016x}", self.0)
    }
}

impl FromStr for SecretId {
    type Err = SecretIdError;

    fn from_str(text: &str) -> Result<Self, SecretIdError> {
        let digits = text.strip_prefix("sec_").filter(|digits| digits.len() == 16).ok_or(SecretIdError)?;
        if !digits.bytes().all(|digit| matches!(digit, b'0'..=b'9' | b'a'..=b'f')) {
            return Err(SecretIdError);
        }
        u64::from_str_radix(digits, 16).map(Self).map_err(|_| SecretIdError)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secrets_id_reads_back_and_only_in_one_spelling() {
        let id = SecretId::generate(&Entropy::scripted(0..8)).unwrap();
        assert_eq!(id.to_string(), "sec_0001020304050607");
        assert_eq!(id.to_string().parse(), Ok(id));
        for bad in [
            "",
            "sec_",
            "0001020304050607",
            "sec_000102030405060G",
            "sec_000102030405060A",
            "sec_+001020304050607",
        ] {
            assert_eq!(bad.parse::<SecretId>(), Err(SecretIdError), "{bad}");
        }
    }
}
