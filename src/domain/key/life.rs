//! What may become of a key, and what that takes away from those who hold tokens of it.

use super::{ApiKey, KeySecret, KeyStatus, Revoked};
use crate::base::clock::Timestamp;
use crate::domain::api_key::{Brand, EnvironmentSlug, KeyId};
use crate::domain::cidr::Cidrs;
use crate::domain::names::{OrganizationId, ProjectId};
use crate::domain::scope::{Scope, Scopes};

impl ApiKey {
    /// The most secrets of a key that may be live at once: two, for the time in which one replaces the other.
    pub const MAX_LIVE_SECRETS: usize = 2;

    /// A key at home in a project and its environment: without a name, a scope or a secret yet, for everywhere and
    /// for good.
    pub fn new(
        id: KeyId,
        home: (OrganizationId, ProjectId, EnvironmentSlug),
        brand: Brand,
        created_by: String,
        created_at: Timestamp,
    ) -> Self {
        let (organization, project, environment) = home;
        Self {
            id,
            organization,
            project,
            environment,
            brand,
            name: String::new(),
            note: None,
            scopes: Scopes::default(),
            cidrs: Cidrs::everyone(),
            generation: 1,
            created_at,
            created_by,
            expires_at: None,
            disabled_at: None,
            revoked: None,
            last_used_at: None,
            secrets: Vec::new(),
        }
    }

    /// The secrets that open the key at `now`, the newest last.
    pub fn live_secrets(&self, now: Timestamp) -> impl Iterator<Item = &KeySecret> {
        self.secrets.iter().filter(move |secret| secret.expires_at.is_none_or(|end| now < end))
    }

    /// Whether the key may make keys in every organization, so that whoever has it can let anybody in.
    pub fn is_admin(&self) -> bool {
        self.scopes.covers(&Scope::makes_keys_everywhere())
    }

    /// Until when somebody with the key can make keys in every organization, if nothing is done;
    /// [`Timestamp::MAX`] if it never ends. `None` if nobody can at `now`.
    pub fn admin_until(&self, now: Timestamp) -> Option<Timestamp> {
        if !self.is_admin() || self.status(now) != KeyStatus::Active {
            return None;
        }
        let last_secret =
            self.live_secrets(now).map(|secret| secret.expires_at.unwrap_or(Timestamp::MAX)).max()?;
        Some(self.expires_at.unwrap_or(Timestamp::MAX).min(last_secret))
    }

    /// The key, revoked at `at`. One that was revoked before stays as it was.
    #[must_use]
    pub fn revoke(self, at: Timestamp, reason: Option<String>) -> Self {
        if self.revoked.is_some() {
            return self;
        }
        Self { revoked: Some(Revoked { at, reason }), generation: self.generation + 1, ..self }
    }

    /// The key, disabled at `at`. One that was disabled before stays as it was.
    #[must_use]
    pub fn disable(self, at: Timestamp) -> Self {
        Self { disabled_at: self.disabled_at.or(Some(at)), ..self }
    }

    /// The key, which is not disabled any more.
    #[must_use]
    pub fn enable(self) -> Self {
        Self { disabled_at: None, ..self }
    }

    /// The key as the next state of `before`: if something was taken away, tokens of `before` are dead.
    #[must_use]
    pub fn following(self, before: &Self) -> Self {
        let generation = before.generation + u64::from(self.takes_from(before));
        Self { generation, ..self }
    }

    /// Whether nothing that people can change of a key differs.
    pub fn is_as(&self, other: &Self) -> bool {
        let of = |key: &Self| (key.name.clone(), key.note.clone(), key.expires_at, key.disabled_at);
        of(self) == of(other) && self.scopes == other.scopes && self.cidrs == other.cidrs
    }

    /// Whether a token of `before` could do something that this key may not: an earlier scope no longer
    /// covered, an earlier address no longer admitted, an earlier expiry, or the key is disabled.
    fn takes_from(&self, before: &Self) -> bool {
        let ends_earlier = self.expires_at.is_some_and(|end| before.expires_at.is_none_or(|was| end < was));
        let is_suspended = self.disabled_at.is_some() && before.disabled_at.is_none();
        ends_earlier
            || is_suspended
            || !self.scopes.covers_all(&before.scopes)
            || !self.cidrs.covers(&before.cidrs)
    }
}
