//! Creates a key.

use serde::Deserialize;

use super::expiry::{ExpiresIn, end};
use super::{NewPublicKey, event, public_keys, trust_rules};
use crate::base::clock::Timestamp;
use crate::domain::api_key::{EnvironmentSlug, PlainKey};
use crate::domain::cidr::Cidrs;
use crate::domain::key::{ApiKey, DpopRequirement, Owner, Tags, labels};
use crate::domain::names::{OrganizationId, ProjectId};
use crate::domain::scope::{Preset, Scope, Scopes, Verb};
use crate::domain::tenant::Project;
use crate::domain::trust_rule::TrustRule;
use crate::node::{Authenticator, KeyMinter, Records};
use crate::store::{ChangeKind, NewKey, Write};
use crate::use_cases::access::Caller;
use crate::use_cases::management::ceiling::may_hand_out;
use crate::use_cases::management::idempotency::IdempotencyGuard;
use crate::use_cases::management::portal_bounds;
use crate::use_cases::management::{
    ApiError, Etag, Idempotent, IdempotentRequest, InvalidRequest, Versioned,
};

/// The body of a request that creates a key.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, expecting = "a JSON object with a key's members")]
pub struct NewKeyRequest {
    name: String,
    note: Option<String>,
    tags: Option<Tags>,
    owner: Option<Owner>,
    project: ProjectId,
    environment: EnvironmentSlug,
    scopes: Option<Vec<Scope>>,
    preset: Option<Preset>,
    cidrs: Option<Vec<String>>,
    expires_at: Option<String>,
    expires_in: Option<ExpiresIn>,
    #[serde(default)]
    dpop: DpopRequirement,
    /// Whether the key gets a secret. Only a key with a public key or a trust rule can do without.
    #[serde(default = "with_secret")]
    secret: bool,
    #[serde(default)]
    public_keys: Vec<NewPublicKey>,
    #[serde(default)]
    trust_rules: Vec<TrustRule>,
}

fn with_secret() -> bool {
    true
}

/// A key with a new secret. This is the only time that the secret is visible.
#[derive(Debug)]
pub struct CreatedKey {
    /// The key as it is stored.
    pub key: ApiKey,
    /// The whole key, with its secret. `None` for a key without a secret.
    pub plain: Option<PlainKey>,
}

impl Versioned for CreatedKey {
    fn etag(&self) -> Etag {
        self.key.etag()
    }
}

/// Creates a key in `organization`.
///
/// # Errors
/// [`ApiError`]. Then nothing has changed.
pub async fn create(
    records: &Records,
    (minter, authenticator): (&KeyMinter, &Authenticator),
    caller: &Caller,
    organization: OrganizationId,
    mut request: NewKeyRequest,
    idempotent: Option<IdempotentRequest>,
) -> Result<Idempotent<CreatedKey>, ApiError> {
    caller.may_all_in(&organization, Verb::Write, &["projects", request.project.as_str(), "keys", "*"])?;
    let guard = IdempotencyGuard::begin(records, caller, idempotent)?;
    let now = records.clock.now();
    let with_secret = request.secret;
    let public_keys = std::mem::take(&mut request.public_keys);
    let rules = std::mem::take(&mut request.trust_rules);
    let mut key = request.into_key(minter, caller, organization, now)?;
    key.public_keys = public_keys::of_new_key(public_keys, authenticator, &records.entropy, now)?;
    key.trust_rules = trust_rules::of_new_key(rules, &records.entropy, now)?;
    may_hand_out(caller, &key)?;
    portal_bounds::may_create(caller, &key, now)?;
    let (new, plain) = if with_secret {
        let (secret, plain) = minter.secret(&key, now).await?;
        (NewKey::new(key, secret), Some(plain))
    } else {
        (NewKey::without_secret(key).ok_or(InvalidRequest::NoCredential)?, None)
    };
    let mut write = records.store.write(now, &caller.actor()).await?;
    if let Some(answer) = guard.replay(&mut write).await? {
        return Ok(Idempotent::Replayed(answer));
    }
    write.organization(&new.key().organization).await?.ok_or(ApiError::NotFound)?;
    for held in &new.key().trust_rules {
        trust_rules::check(&mut write, &new.key().organization, &held.rule).await?;
    }
    portal_bounds::leaves_room(&mut write, caller, new.key()).await?;
    insert(&mut write, &new).await?;
    guard.save(&mut write, &new.key().view_with(now, None)).await?;
    records.commit(write).await?;
    Ok(Idempotent::New(CreatedKey { key: new.key().clone(), plain }))
}

/// Stores a key in its project, which has to exist.
async fn insert(write: &mut Write, new: &NewKey) -> Result<(), ApiError> {
    let key = new.key();
    check_home(key, write.project(&key.organization, &key.project).await?.as_ref())?;
    insert_all(write, &[new]).await
}

/// Stores keys whose projects exist. Other writers wait meanwhile, so this takes few statements.
pub(in crate::use_cases::management) async fn insert_all(
    write: &mut Write,
    new: &[&NewKey],
) -> Result<(), ApiError> {
    for batch in new.chunks(Write::AT_ONCE) {
        write.insert_keys(batch).await?;
        let events: Vec<_> =
            batch.iter().filter_map(|new| event(write, "key.create", None, Some(new.key()))).collect();
        write.record_all(ChangeKind::Key, &events).await?;
    }
    Ok(())
}

/// Checks that the project of a key exists and has the key's environment.
///
/// # Errors
/// [`ApiError::InvalidRequest`].
pub(in crate::use_cases::management) fn check_home(
    key: &ApiKey,
    project: Option<&Project>,
) -> Result<(), ApiError> {
    let project = project.ok_or(InvalidRequest::NoSuchProject)?;
    if !project.environments.contains(&key.environment) {
        let there = project.environments.to_string().replace(' ', ", ");
        return Err(InvalidRequest::NoSuchEnvironment(there).into());
    }
    Ok(())
}

impl NewKeyRequest {
    fn into_key(
        self,
        minter: &KeyMinter,
        caller: &Caller,
        organization: OrganizationId,
        now: Timestamp,
    ) -> Result<ApiKey, ApiError> {
        let id = minter.new_id().map_err(ApiError::internal)?;
        let scopes = scopes(self.scopes, self.preset, &organization)?;
        let creator = caller.as_creator(&organization);
        let home = (organization, self.project, self.environment);
        Ok(ApiKey {
            scopes: scopes.ok_or(InvalidRequest::ScopesOrPreset)?,
            cidrs: cidrs(self.cidrs.as_deref().unwrap_or_default())?,
            dpop: self.dpop,
            expires_at: end(self.expires_at.as_deref(), self.expires_in.as_ref(), now)?,
            name: labels::name(self.name).map_err(InvalidRequest::Name)?,
            note: self.note.map(labels::note).transpose().map_err(InvalidRequest::Note)?,
            tags: self.tags.unwrap_or_default(),
            owner: self.owner,
            ..ApiKey::new(id, home, minter.brand.clone(), creator, now)
        })
    }
}

/// The requested scopes, listed or by a preset. `None` when neither is present.
pub(in crate::use_cases::management) fn scopes(
    scopes: Option<Vec<Scope>>,
    preset: Option<Preset>,
    organization: &OrganizationId,
) -> Result<Option<Scopes>, ApiError> {
    match (scopes, preset) {
        (None, None) => Ok(None),
        (Some(scopes), None) => Ok(Some(Scopes::for_key(scopes).map_err(InvalidRequest::Scopes)?)),
        (None, Some(preset)) => preset.scopes(organization.as_str()).map(Some).map_err(ApiError::internal),
        (Some(_), Some(_)) => Err(InvalidRequest::ScopesOrPreset.into()),
    }
}

/// The listed address ranges.
pub(in crate::use_cases::management) fn cidrs(entries: &[String]) -> Result<Cidrs, ApiError> {
    Ok(Cidrs::parse(entries.iter().map(String::as_str)).map_err(InvalidRequest::Cidrs)?)
}
