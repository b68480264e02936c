//! The life of a key: which changes are possible, and which of them kill its tokens.

use super::{ApiKey, Creator, CredentialId, DpopRequirement, KeySecret, KeyStatus, Revoked, Tags};
use crate::base::clock::Timestamp;
use crate::domain::api_key::{Brand, EnvironmentSlug, KeyId};
use crate::domain::cidr::Cidrs;
use crate::domain::names::{OrganizationId, ProjectId};
use crate::domain::scope::{Scope, Scopes};

impl ApiKey {
    /// The most live secrets of a key: two, while one replaces the other.
    pub const MAX_LIVE_SECRETS: usize = 2;

    /// The most registered public keys of a key.
    pub const MAX_PUBLIC_KEYS: usize = 8;

    /// The most trust rules of a key.
    pub const MAX_TRUST_RULES: usize = 16;

    /// A new key in a project and an environment. It has no name, scope or secret yet, and no limit of address or
    /// time.
    pub fn new(
        id: KeyId,
        home: (OrganizationId, ProjectId, EnvironmentSlug),
        brand: Brand,
        created_by: Creator,
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
            tags: Tags::default(),
            owner: None,
            scopes: Scopes::default(),
            cidrs: Cidrs::everyone(),
            dpop: DpopRequirement::Optional,
            generation: 1,
            created_at,
            created_by,
            expires_at: None,
            disabled_at: None,
            revoked: None,
            last_used_at: None,
            last_seen: None,
            secrets: Vec::new(),
            public_keys: Vec::new(),
            trust_rules: Vec::new(),
        }
    }

    /// The secrets that are valid at `now`, newest last.
    pub fn live_secrets(&self, now: Timestamp) -> impl Iterator<Item = &KeySecret> {
        self.secrets.iter().filter(move |secret| secret.expires_at.is_none_or(|end| now < end))
    }

    /// The number of credentials that work at `now`. A key without any could only be revoked.
    pub fn live_credentials(&self, now: Timestamp) -> usize {
        self.live_secrets(now).count() + self.public_keys.len() + self.trust_rules.len()
    }

    /// The key after one of its credentials is taken away, which kills its tokens: some may have been issued for it.
    /// `None` if the key doesn't have the credential.
    pub fn without(&self, credential: CredentialId) -> Option<Self> {
        let mut after = Self { generation: self.generation + 1, ..self.clone() };
        after.secrets.retain(|held| CredentialId::from(held.id) != credential);
        after.public_keys.retain(|held| CredentialId::from(held.id) != credential);
        after.trust_rules.retain(|held| CredentialId::from(held.id) != credential);
        let credentials = |key: &Self| key.secrets.len() + key.public_keys.len() + key.trust_rules.len();
        (credentials(&after) < credentials(self)).then_some(after)
    }

    /// Until when the last of the key's own credentials works; [`Timestamp::MAX`] for one without an end. `None` if none
    /// works at `now`. Trust rules don't count: whether they open the key is up to somebody else.
    fn accessible_until(&self, now: Timestamp) -> Option<Timestamp> {
        let secrets = self.live_secrets(now).map(|secret| secret.expires_at.unwrap_or(Timestamp::MAX));
        secrets.chain(self.public_keys.iter().map(|_| Timestamp::MAX)).max()
    }

    /// Whether the key may create keys in every organization, so that its holder can admit anybody.
    fn is_admin(&self) -> bool {
        self.scopes.covers(&Scope::makes_keys_everywhere())
    }

    /// Whether the key opens the console and the command line to somebody who can admit anybody. A key that requires
    /// proofs of possession opens neither.
    pub fn is_way_in(&self) -> bool {
        self.is_admin() && !self.dpop.is_required()
    }

    /// Until when a holder of the key can create keys in every organization, at the console and from the command line, if
    /// nothing changes. [`Timestamp::MAX`] if there is no end. `None` if it is not possible at `now`.
    pub fn admin_until(&self, now: Timestamp) -> Option<Timestamp> {
        if !self.is_way_in() || self.status(now) != KeyStatus::Active {
            return None;
        }
        Some(self.expires_at.unwrap_or(Timestamp::MAX).min(self.accessible_until(now)?))
    }

    /// Revokes the key at `at`. A key that is already revoked stays unchanged.
    #[must_use]
    pub fn revoke(self, at: Timestamp, reason: Option<String>) -> Self {
        if self.revoked.is_some() {
            return self;
        }
        Self { revoked: Some(Revoked { at, reason }), generation: self.generation + 1, ..self }
    }

    /// Disables the key at `at`. A key that is already disabled stays unchanged.
    #[must_use]
    pub fn disable(self, at: Timestamp) -> Self {
        Self { disabled_at: self.disabled_at.or(Some(at)), ..self }
    }

    /// Enables the key.
    #[must_use]
    pub fn enable(self) -> Self {
        Self { disabled_at: None, ..self }
    }

    /// The key as the next state of `before`. If it lost something, its generation grows, which kills the tokens of
    /// `before`.
    #[must_use]
    pub fn following(self, before: &Self) -> Self {
        let generation = before.generation + u64::from(self.takes_from(before));
        Self { generation, ..self }
    }

    /// Whether everything that people can change about a key is the same.
    pub fn is_as(&self, other: &Self) -> bool {
        let of = |key: &Self| (key.name.clone(), key.note.clone(), key.expires_at, key.disabled_at);
        of(self) == of(other)
            && self.tags == other.tags
            && self.owner == other.owner
            && self.scopes == other.scopes
            && self.cidrs == other.cidrs
            && self.dpop == other.dpop
    }

    /// Whether the key requires proofs of possession, and did not in the state `before`.
    pub fn is_stricter_than(&self, before: &Self) -> bool {
        self.dpop.is_required() && !before.dpop.is_required()
    }

    /// Whether the public keys and the trust rules are the same registrations.
    pub fn has_ways_in_of(&self, other: &Self) -> bool {
        self.public_keys == other.public_keys && self.trust_rules == other.trust_rules
    }

    /// Whether the key lost something against `before`: a scope is no longer covered, an address is no longer
    /// admitted, the key expires earlier, it is disabled, or its tokens have to be bound from now on.
    fn takes_from(&self, before: &Self) -> bool {
        let ends_earlier = self.expires_at.is_some_and(|end| before.expires_at.is_none_or(|was| end < was));
        let is_suspended = self.disabled_at.is_some() && before.disabled_at.is_none();
        ends_earlier
            || is_suspended
            || self.is_stricter_than(before)
            || !self.scopes.covers_all(&before.scopes)
            || !self.cidrs.covers(&before.cidrs)
    }
}
