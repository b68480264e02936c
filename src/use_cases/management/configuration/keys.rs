//! Compares the keys of a document with the stored keys.

use std::collections::{HashMap, HashSet};

use serde_json::{Value, json};

use super::application::Application;
use super::change::{ApplyTerms, ConfigurationChange, Configured, Prepared};
use super::document::{Configuration, KeyConfiguration};
use super::unrevoked_keys;
use crate::base::clock::Timestamp;
use crate::domain::api_key::{EnvironmentSlug, KeyId};
use crate::domain::key::{ApiKey, DpopRequirement, KeyStatus, labels};
use crate::domain::names::{OrganizationId, ProjectId, TrustedIssuerId};
use crate::domain::scope::Verb;
use crate::domain::trusted_issuer::TrustedIssuer;
use crate::store::Write;
use crate::use_cases::access::Caller;
use crate::use_cases::management::ceiling::{may_change, may_hand_out};
use crate::use_cases::management::keys::{self, Alterations, WantedWaysIn};
use crate::use_cases::management::last_admin::ensure_admin_remains;
use crate::use_cases::management::{ApiError, Conflict, Force, InvalidRequest, Place, moment};

/// The revocation reason of a key that the document omits.
const PRUNED: &str = "not in the configuration";

/// The trusted issuers of an organization, by their ids.
pub(super) type Issuers<'i> = HashMap<&'i TrustedIssuerId, &'i TrustedIssuer>;

/// A key to create.
pub(super) struct PlannedKey {
    /// The place in the document.
    pub(super) place: usize,
    /// The key, without a secret.
    pub(super) key: ApiKey,
    /// Whether the key gets a secret.
    pub(super) with_secret: bool,
}

/// What happens to the keys.
#[derive(Default)]
pub(super) struct KeyPlan {
    /// The keys to create.
    created: Vec<PlannedKey>,
    /// The keys to change, before and after.
    updated: Vec<(ApiKey, ApiKey)>,
    /// The keys to revoke, before and after.
    revoked: Vec<(ApiKey, ApiKey)>,
}

impl KeyPlan {
    /// Plans how the keys of `organization` become those of the document.
    pub(super) async fn make(
        write: &mut Write,
        application: Application<'_>,
        organization: &OrganizationId,
        issuers: &Issuers<'_>,
    ) -> Result<Self, ApiError> {
        let Application { caller, document, terms, .. } = application;
        let stored = unrevoked_keys(write, organization).await?;
        let index = Index::of(&stored);
        let not_found =
            document.keys.iter().filter_map(|wanted| wanted.id).filter(|id| !index.of_id.contains_key(id));
        let revoked = write.known_keys(organization, &not_found.collect::<Vec<_>>()).await?;
        let mut plan = Self::default();
        let mut matched = HashSet::new();
        for (place, wanted) in document.keys.iter().enumerate() {
            let here = || Place::Key(place, wanted.name.clone());
            let found = index.matching(wanted, &revoked).map_err(|error| error.at(here()))?;
            if found.is_some_and(|found| !matched.insert(found.id)) {
                return Err(ApiError::from(InvalidRequest::SameKeyTwice).at(here()));
            }
            let planned = match found {
                Some(before) => plan.update(application, before, wanted, issuers, write.at()),
                None => plan.create(application, organization, (place, wanted), issuers, write.at()),
            };
            planned.map_err(|error| error.at(here()))?;
        }
        if terms.prune {
            let (_, left): (Vec<_>, Vec<_>) = stored.iter().partition(|key| matched.contains(&key.id));
            if !terms.prune_all {
                at_most_half(&left, &stored, write.at())?;
            }
            plan.revoke(caller, left, terms, write.at())?;
        }
        Ok(plan)
    }

    /// The changes, as the caller sees them.
    pub(super) fn changes(&self) -> Vec<ConfigurationChange> {
        let created = self.created.iter().map(ConfigurationChange::create);
        let updated =
            self.updated.iter().filter_map(|(before, after)| ConfigurationChange::update(before, after));
        let revoked = self.revoked.iter().map(|(before, _)| ConfigurationChange::revoke(before));
        created.chain(updated).chain(revoked).collect()
    }

    /// The keys to create.
    pub(super) fn created(&self) -> impl Iterator<Item = &ApiKey> {
        self.created.iter().map(|planned| &planned.key)
    }

    /// The keys to create, in the order of the document.
    pub(super) fn into_created(self) -> Vec<PlannedKey> {
        self.created
    }

    /// The keys whose tokens end with the changes.
    pub(super) fn narrowed(&self) -> impl Iterator<Item = KeyId> {
        let is_narrowed = |(before, after): &&(ApiKey, ApiKey)| after.generation > before.generation;
        self.updated.iter().filter(is_narrowed).map(|(before, _)| before.id)
    }

    /// Carries the plan out. The keys to create are inserted only if they are `prepared`.
    pub(super) async fn carry_out(
        &self,
        write: &mut Write,
        caller: &Caller,
        terms: ApplyTerms,
        prepared: Option<&Prepared>,
    ) -> Result<(), ApiError> {
        self.check_projects(write).await?;
        let changed = self.updated.iter().chain(&self.revoked);
        let changed: Vec<_> = changed.map(|(before, after)| (before, Some(after))).collect();
        ensure_admin_remains(write, caller, &changed, terms.force).await?;
        let updated: Vec<_> = self.updated.iter().map(|(before, after)| (before, after)).collect();
        keys::update_whole(write, &updated).await?;
        let revoked: Vec<_> = self.revoked.iter().map(|(before, after)| (before, after)).collect();
        keys::update_all(write, "key.revoke", &revoked).await?;
        match prepared {
            Some(prepared) => self.insert(write, prepared).await,
            None => Ok(()),
        }
    }

    async fn insert(&self, write: &mut Write, prepared: &Prepared) -> Result<(), ApiError> {
        if self.created.len() != prepared.len() {
            return Err(Conflict::KeysChanged.into());
        }
        let prepared = |planned: &PlannedKey| prepared.get(&planned.place).map(|(new, _)| new);
        let new: Option<Vec<_>> = self.created.iter().map(prepared).collect();
        keys::insert_all(write, &new.ok_or(Conflict::KeysChanged)?).await
    }

    async fn check_projects(&self, write: &mut Write) -> Result<(), ApiError> {
        let Some(any) = self.created.first() else { return Ok(()) };
        let projects = write.projects(&any.key.organization).await?;
        let projects: HashMap<_, _> = projects.iter().map(|project| (&project.id, project)).collect();
        for PlannedKey { place, key, .. } in &self.created {
            let checked = keys::check_home(key, projects.get(&key.project).copied());
            checked.map_err(|error| error.at(Place::Key(*place, key.name.clone())))?;
        }
        Ok(())
    }

    fn update(
        &mut self,
        application: Application<'_>,
        before: &ApiKey,
        wanted: &KeyConfiguration,
        issuers: &Issuers<'_>,
        now: Timestamp,
    ) -> Result<(), ApiError> {
        let caller = application.caller;
        let altered = read(wanted, &before.organization)?.of(before, now);
        let after = with_ways_in(application, before, altered, wanted, now)?;
        let is_altered = !after.is_as(before);
        if !is_altered && after.has_ways_in_of(before) {
            return Ok(());
        }
        keys::may(caller, before, Verb::Write)?;
        if is_altered {
            if after.expires_at != before.expires_at {
                not_over(&after, now)?;
            }
            may_change(caller, before, &after)?;
        }
        if gains_a_way_in(before, &after, issuers)? {
            may_hand_out(caller, &after)?;
        }
        self.updated.push((before.clone(), after));
        Ok(())
    }

    fn create(
        &mut self,
        application: Application<'_>,
        organization: &OrganizationId,
        (place, wanted): (usize, &KeyConfiguration),
        issuers: &Issuers<'_>,
        now: Timestamp,
    ) -> Result<(), ApiError> {
        let Application { caller, minter, .. } = application;
        caller.may_all_in(organization, Verb::Write, &["projects", wanted.project.as_str(), "keys", "*"])?;
        let alterations = read(wanted, organization)?;
        let new = ApiKey::new(
            minter.new_id().map_err(ApiError::internal)?,
            (organization.clone(), wanted.project.clone(), wanted.environment.clone()),
            minter.brand.clone(),
            caller.as_creator(organization),
            now,
        );
        let altered = ApiKey { generation: 1, ..alterations.of(&new, now) };
        let key = with_ways_in(application, &new, altered, wanted, now)?;
        // An export also contains expired keys, and can be applied elsewhere. An entry without an id is written by
        // hand, and may not have expired.
        if wanted.id.is_none() {
            not_over(&key, now)?;
        }
        may_hand_out(caller, &key)?;
        let with_secret = wanted.secret.unwrap_or(true);
        if !gains_a_way_in(&new, &key, issuers)? && !with_secret {
            return Err(InvalidRequest::NoCredential.into());
        }
        self.created.push(PlannedKey { place, key, with_secret });
        Ok(())
    }

    fn revoke(
        &mut self,
        caller: &Caller,
        keys: Vec<&ApiKey>,
        terms: ApplyTerms,
        now: Timestamp,
    ) -> Result<(), ApiError> {
        for before in keys {
            keys::may(caller, before, Verb::Write)?;
            if caller.is_key(&before.id) && terms.force == Force::No {
                return Err(Conflict::OmitsOwnKey.into());
            }
            let after = before.clone().revoke(now, Some(PRUNED.into()));
            self.revoked.push((before.clone(), after));
        }
        Ok(())
    }
}

/// The stored keys, by what a document can name them by.
struct Index<'k> {
    of_id: HashMap<KeyId, &'k ApiKey>,
    of_name: HashMap<(&'k ProjectId, &'k EnvironmentSlug, &'k str), Vec<&'k ApiKey>>,
}

impl<'k> Index<'k> {
    fn of(stored: &'k [ApiKey]) -> Self {
        let mut of_name = HashMap::<_, Vec<_>>::new();
        for key in stored {
            of_name.entry((&key.project, &key.environment, &*key.name)).or_default().push(key);
        }
        Self { of_id: stored.iter().map(|key| (key.id, key)).collect(), of_name }
    }

    /// The key that the entry is for: the one with the id, or else the one with the name in its project and
    /// environment.
    fn matching(
        &self,
        wanted: &KeyConfiguration,
        revoked: &HashSet<KeyId>,
    ) -> Result<Option<&'k ApiKey>, ApiError> {
        let is_at_home =
            |key: &ApiKey| key.project == wanted.project && key.environment == wanted.environment;
        if let Some(id) = &wanted.id {
            if let Some(found) = self.of_id.get(id) {
                return match is_at_home(found) {
                    true => Ok(Some(*found)),
                    false => Err(Conflict::OtherHome(*id).into()),
                };
            }
            // A revoked key can't be created again unnoticed.
            if revoked.contains(id) {
                return Err(Conflict::RevokedId(*id).into());
            }
        }
        let of_name = self.of_name.get(&(&wanted.project, &wanted.environment, &*wanted.name));
        match of_name.map_or(&[][..], Vec::as_slice) {
            [] => Ok(None),
            [found] => Ok(Some(*found)),
            [one, other, ..] => Err(Conflict::AmbiguousName(one.id, other.id).into()),
        }
    }
}

fn read(wanted: &KeyConfiguration, organization: &OrganizationId) -> Result<Alterations, ApiError> {
    let scopes = keys::scopes(wanted.scopes.clone(), wanted.preset, organization)?;
    Ok(Alterations {
        name: Some(labels::name(wanted.name.clone()).map_err(InvalidRequest::Name)?),
        note: Some(wanted.note.clone().map(labels::note).transpose().map_err(InvalidRequest::Note)?),
        tags: wanted.tags.clone(),
        owner: wanted.owner.clone(),
        scopes: Some(scopes.ok_or(InvalidRequest::ScopesOrPreset)?),
        cidrs: Some(keys::cidrs(wanted.cidrs.as_deref().unwrap_or_default())?),
        expires_at: Some(wanted.expires_at.as_deref().map(|text| moment("expires_at", text)).transpose()?),
        disabled: wanted.disabled,
        dpop: wanted.dpop,
    })
}

/// `altered`, the next state of `before`, with the public keys and trust rules of the document.
fn with_ways_in(
    application: Application<'_>,
    before: &ApiKey,
    altered: ApiKey,
    wanted: &KeyConfiguration,
    now: Timestamp,
) -> Result<ApiKey, ApiError> {
    let accepted = application.authenticator.assertions.algorithms();
    let ways_in = WantedWaysIn::read(wanted.public_keys.as_deref(), wanted.trust_rules.as_deref())?;
    ways_in.of(before, altered, accepted, &application.records.entropy, now)
}

/// Whether the key has a public key or a trust rule that it had not. New rules have to fit their issuers.
fn gains_a_way_in(before: &ApiKey, after: &ApiKey, issuers: &Issuers<'_>) -> Result<bool, ApiError> {
    let new_rules = after.trust_rules.iter().filter(|held| !before.trust_rules.contains(held));
    let mut gains = after.public_keys.iter().any(|held| !before.public_keys.contains(held));
    for held in new_rules {
        keys::fits(&held.rule, issuers.get(held.rule.issuer()).copied())?;
        gains = true;
    }
    Ok(gains)
}

/// Checks that the document does not omit more than half of all keys, or of the active ones. A truncated file omits
/// most of them.
fn at_most_half(left: &[&ApiKey], stored: &[ApiKey], now: Timestamp) -> Result<(), ApiError> {
    let is_active = |key: &&ApiKey| key.status(now) == KeyStatus::Active;
    let active_left = left.iter().filter(|key| is_active(key)).count();
    let active = stored.iter().filter(is_active).count();
    if left.len() * 2 <= stored.len() && active_left * 2 <= active {
        return Ok(());
    }
    Err(Conflict::OmitsMost { left: left.len(), keys: stored.len(), active_left, active }.into())
}

/// An end in the past may stay, but no change may set one.
fn not_over(key: &ApiKey, now: Timestamp) -> Result<(), ApiError> {
    match key.expires_at {
        Some(end) if end <= now => Err(InvalidRequest::ExpiresInThePast.into()),
        _ => Ok(()),
    }
}

impl Configured for ApiKey {
    const KIND: &'static str = "key";

    fn id(&self) -> String {
        self.id.to_string()
    }

    fn name(&self) -> &str {
        &self.name
    }

    fn configuration(&self) -> Value {
        let disabled = Some(self.disabled_at.is_some());
        let dpop = Some(self.dpop);
        Configuration::json(&KeyConfiguration { id: None, disabled, dpop, ..KeyConfiguration::from(self) })
    }

    fn before_creation() -> Value {
        json!({
            "tags": {}, "disabled": false, "dpop": DpopRequirement::Optional, "public_keys": [], "trust_rules": [],
        })
    }
}

impl Configured for PlannedKey {
    const KIND: &'static str = ApiKey::KIND;

    fn id(&self) -> String {
        self.key.id()
    }

    fn name(&self) -> &str {
        self.key.name()
    }

    fn configuration(&self) -> Value {
        let mut configuration = self.key.configuration();
        if !self.with_secret {
            configuration["secret"] = false.into();
        }
        configuration
    }

    fn before_creation() -> Value {
        ApiKey::before_creation()
    }
}
