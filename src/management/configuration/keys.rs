//! The keys of a document against the keys that there are.

use std::collections::HashSet;
use std::sync::Arc;

use serde_json::Value;

use super::change::{ApplyTerms, ConfigurationChange, Configured, Prepared};
use super::document::{Configuration, KeyConfiguration};
use super::unrevoked_keys;
use crate::access::Caller;
use crate::api_key::KeyId;
use crate::clock::Timestamp;
use crate::key::{ApiKey, words};
use crate::management::ceiling::{may_change, may_hand_out};
use crate::management::keys::{self, Alterations};
use crate::management::last_way::{leave_one_open, ways_closed};
use crate::management::{ApiError, moment};
use crate::names::OrganizationId;
use crate::node::Node;
use crate::scope::Verb;
use crate::store::Write;

/// Why a key that the document lacks is revoked.
const PRUNED: &str = "not in the configuration";

/// What becomes of the keys.
#[derive(Default)]
pub(super) struct KeyPlan {
    /// To be made, by their places in the document.
    created: Vec<(usize, ApiKey)>,
    /// To be others, as they are and as they will be.
    updated: Vec<(ApiKey, ApiKey)>,
    /// To be revoked, likewise.
    revoked: Vec<(ApiKey, ApiKey)>,
}

impl KeyPlan {
    /// What it takes to make the keys in `organization` those of the document.
    pub(super) async fn make(
        write: &mut Write,
        node: &Arc<Node>,
        caller: &Caller,
        organization: &OrganizationId,
        document: &Configuration,
        terms: ApplyTerms,
    ) -> Result<Self, ApiError> {
        let there = unrevoked_keys(write, organization).await?;
        let mut plan = Self::default();
        let mut matched = HashSet::new();
        for (place, wanted) in document.keys.iter().enumerate() {
            let here = format!("keys[{place}]");
            let found =
                matching(write, &there, organization, wanted).await.map_err(|error| error.at(&here))?;
            if found.is_some_and(|found| !matched.insert(found.id)) {
                return Err(ApiError::invalid("an earlier one is the same key").at(&here));
            }
            let planned = match found {
                Some(before) => plan.update(caller, before, wanted, write.at()),
                None => plan.create(node, caller, organization, place, wanted, write.at()),
            };
            planned.map_err(|error| error.at(&here))?;
        }
        if terms.prune {
            let left = there.into_iter().filter(|key| !matched.contains(&key.id));
            plan.revoke(caller, left, terms, write.at())?;
        }
        Ok(plan)
    }

    /// What changes, for people.
    pub(super) fn changes(&self) -> Vec<ConfigurationChange> {
        let created = self.created.iter().map(|(_, key)| ConfigurationChange::create(key));
        let updated =
            self.updated.iter().filter_map(|(before, after)| ConfigurationChange::update(before, after));
        let revoked = self.revoked.iter().map(|(before, _)| ConfigurationChange::revoke(before));
        created.chain(updated).chain(revoked).collect()
    }

    /// The keys to be made, by their places in the document.
    pub(super) fn into_created(self) -> Vec<(usize, ApiKey)> {
        self.created
    }

    /// Carries it out, but for the keys to be made, which have to be `prepared` for that.
    pub(super) async fn carry_out(
        &self,
        write: &mut Write,
        terms: ApplyTerms,
        prepared: Option<&Prepared>,
    ) -> Result<(), ApiError> {
        for (place, key) in &self.created {
            keys::check_home(write, key).await.map_err(|error| error.at(&format!("keys[{place}]")))?;
        }
        let changed = || self.updated.iter().chain(&self.revoked);
        let closed = ways_closed(changed().map(|(before, after)| (before, Some(after))), write.at());
        leave_one_open(write, &closed, terms.force).await?;
        for (action, pairs) in [("key.change", &self.updated), ("key.revoke", &self.revoked)] {
            let pairs: Vec<_> = pairs.iter().map(|(before, after)| (before, after)).collect();
            keys::update_all(write, action, &pairs).await?;
        }
        match prepared {
            Some(prepared) => self.insert(write, prepared).await,
            None => Ok(()),
        }
    }

    async fn insert(&self, write: &mut Write, prepared: &Prepared) -> Result<(), ApiError> {
        let overtaken = || ApiError::Conflict("the keys were changed meanwhile; try again".into());
        if self.created.len() != prepared.len() {
            return Err(overtaken());
        }
        for (place, _) in &self.created {
            let (new, _) = prepared.get(place).ok_or_else(overtaken)?;
            keys::insert(write, new).await?;
        }
        Ok(())
    }

    fn update(
        &mut self,
        caller: &Caller,
        before: &ApiKey,
        wanted: &KeyConfiguration,
        now: Timestamp,
    ) -> Result<(), ApiError> {
        let after = read(wanted, &before.organization)?.of(before);
        if after.is_as(before) {
            return Ok(());
        }
        if after.expires_at != before.expires_at {
            not_over(&after, now)?;
        }
        keys::may(caller, before, Verb::Write)?;
        may_change(caller, before, &after)?;
        self.updated.push((before.clone(), after));
        Ok(())
    }

    fn create(
        &mut self,
        node: &Node,
        caller: &Caller,
        organization: &OrganizationId,
        place: usize,
        wanted: &KeyConfiguration,
        now: Timestamp,
    ) -> Result<(), ApiError> {
        caller.may_all_in(organization, Verb::Write, &["projects", wanted.project.as_str(), "keys", "*"])?;
        let alterations = read(wanted, organization)?;
        let blank = ApiKey::blank(
            KeyId::generate(&node.entropy).map_err(ApiError::internal)?,
            (organization.clone(), wanted.project.clone(), wanted.environment.clone()),
            node.deployment.brand.clone(),
            caller.key.key.id.to_string(),
            now,
        );
        let key = ApiKey { generation: 1, ..alterations.of(&blank) };
        not_over(&key, now)?;
        may_hand_out(caller, &key)?;
        self.created.push((place, key));
        Ok(())
    }

    fn revoke(
        &mut self,
        caller: &Caller,
        keys: impl Iterator<Item = ApiKey>,
        terms: ApplyTerms,
        now: Timestamp,
    ) -> Result<(), ApiError> {
        for before in keys {
            keys::may(caller, &before, Verb::Write)?;
            if before.id == caller.key.key.id && !terms.force {
                let why =
                    "the document lacks the key that you are using; with force it is revoked all the same";
                return Err(ApiError::Conflict(why.into()));
            }
            let after = before.clone().revoke(now, Some(PRUNED.into()));
            self.revoked.push((before, after));
        }
        Ok(())
    }
}

/// The key that is meant: the one of the id, or else the one of the name in its project and environment.
async fn matching<'k>(
    write: &mut Write,
    there: &'k [ApiKey],
    organization: &OrganizationId,
    wanted: &KeyConfiguration,
) -> Result<Option<&'k ApiKey>, ApiError> {
    let conflict = |why: String| Err(ApiError::Conflict(why));
    let is_at_home = |key: &ApiKey| key.project == wanted.project && key.environment == wanted.environment;
    if let Some(id) = &wanted.id {
        if let Some(found) = there.iter().find(|key| key.id == *id) {
            return match is_at_home(found) {
                true => Ok(Some(found)),
                false => conflict(format!("{id} is in another project or environment, for good")),
            };
        }
        // One of this organization that is not there any more was revoked: it does not come back unnoticed.
        if write.key(id).await?.is_some_and(|key| key.organization == *organization) {
            return conflict(format!("{id} is revoked; without its id, a new key is made"));
        }
    }
    let of_name: Vec<_> = there.iter().filter(|key| is_at_home(key) && key.name == wanted.name).collect();
    match of_name[..] {
        [] => Ok(None),
        [found] => Ok(Some(found)),
        [one, other, ..] => {
            conflict(format!("{} and {} have this name; say which by its id", one.id, other.id))
        }
    }
}

fn read(wanted: &KeyConfiguration, organization: &OrganizationId) -> Result<Alterations, ApiError> {
    let scopes = keys::scopes(wanted.scopes.clone(), wanted.preset, organization)?;
    Ok(Alterations {
        name: Some(words::name(wanted.name.clone()).map_err(ApiError::invalid)?),
        note: Some(wanted.note.clone().map(words::note).transpose().map_err(ApiError::invalid)?),
        scopes: Some(scopes.ok_or_else(|| ApiError::invalid("a key takes either scopes or a preset"))?),
        cidrs: Some(keys::cidrs(wanted.cidrs.as_deref().unwrap_or_default())?),
        expires_at: Some(wanted.expires_at.as_deref().map(|text| moment("expires_at", text)).transpose()?),
    })
}

/// What ends in the past can stay so, but nothing is made to.
fn not_over(key: &ApiKey, now: Timestamp) -> Result<(), ApiError> {
    match key.expires_at {
        Some(end) if end <= now => Err(ApiError::invalid("expires_at is not in the future")),
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
        Configuration::json(&KeyConfiguration { id: None, ..KeyConfiguration::from(self) })
    }
}
