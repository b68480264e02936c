//! Trusted issuers of an organization: creating, reading, changing and removing them.

mod check;

pub use check::{CheckOutcome, IssuerCheck, IssuerCheckRequest, KeysOutcome, RuleOutcome, check};

use serde::{Deserialize, Serialize};
use serde_json::json;

use super::ceiling::may_hand_out;
use super::idempotency::IdempotencyGuard;
use super::listing::cursor;
use super::nullable::nullable;
use super::{
    ApiError, Changed, Conflict, Idempotent, IdempotentRequest, InvalidRequest, PageRequest, Terms, keys,
    organizations, reading,
};
use crate::base::clock::Timestamp;
use crate::domain::audit::AuditEvent;
use crate::domain::key::{ApiKey, labels};
use crate::domain::names::{OrganizationId, TrustedIssuerId};
use crate::domain::scope::Verb;
use crate::domain::trusted_issuer::{IssuerUrl, KeySource, SignatureAlgorithms, TrustedIssuer};
use crate::jose::foreign::{Algorithm, JwkSet};
use crate::node::Records;
use crate::store::{ChangeKind, Write};
use crate::use_cases::access::{Caller, visible_issuers};

/// A trusted issuer, by the ids in a request's path.
#[derive(Clone, Debug)]
pub struct IssuerPath {
    /// The organization in the path.
    pub organization: OrganizationId,
    /// The issuer in the path.
    pub issuer: TrustedIssuerId,
}

/// What the deployment says about whom an organization may trust.
#[derive(Clone, Copy, Debug)]
pub struct IssuerPolicy<'d> {
    /// This server's own issuer.
    pub own_issuer: &'d str,
    /// Whether issuers may be at plain http URLs of this machine.
    pub allows_http: bool,
}

/// The body of a request that creates a trusted issuer.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, expecting = "a JSON object with a trusted issuer's members")]
pub struct NewIssuerRequest {
    pub(super) id: TrustedIssuerId,
    pub(super) name: Option<String>,
    pub(super) issuer: String,
    pub(super) keys: KeySource,
    #[serde(default)]
    pub(super) algorithms: SignatureAlgorithms,
    pub(super) max_lifetime: Option<u32>,
    #[serde(default)]
    pub(super) single_use: bool,
}

/// The body of a change. An absent member stays.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default, expecting = "a JSON object with a trusted issuer's members")]
pub struct IssuerPatch {
    #[serde(deserialize_with = "nullable")]
    pub(super) name: Option<String>,
    #[serde(deserialize_with = "nullable")]
    pub(super) issuer: Option<String>,
    #[serde(deserialize_with = "nullable")]
    pub(super) keys: Option<KeySource>,
    #[serde(deserialize_with = "nullable")]
    pub(super) algorithms: Option<SignatureAlgorithms>,
    #[serde(deserialize_with = "nullable")]
    pub(super) max_lifetime: Option<u32>,
    #[serde(deserialize_with = "nullable")]
    pub(super) single_use: Option<bool>,
    #[serde(deserialize_with = "nullable")]
    pub(super) status: Option<IssuerStatus>,
}

/// Whether tokens of an issuer are accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum IssuerStatus {
    /// They are.
    Active,
    /// They are not, until somebody enables the issuer again.
    Disabled,
}

/// A page of the trusted issuers that the caller may read, newest first, and the cursor of the next.
///
/// # Errors
/// [`ApiError`].
pub async fn list(
    records: &Records,
    caller: &Caller,
    organization: &OrganizationId,
    page: PageRequest,
) -> Result<(Vec<TrustedIssuer>, Option<String>), ApiError> {
    organizations::known(records, caller, organization).await?;
    let list = format!("issuers of {organization}");
    let before = page.after(records, &list)?;
    let visible = visible_issuers(caller, organization);
    let found =
        reading(records, caller).await?.trusted_issuers(organization, &visible, before, page.limit).await?;
    Ok((found.items, cursor(records, &list, found.next)?))
}

/// Loads the trusted issuer, for a caller who may read it.
///
/// # Errors
/// [`ApiError`].
pub async fn read(records: &Records, caller: &Caller, path: &IssuerPath) -> Result<TrustedIssuer, ApiError> {
    may(caller, path, Verb::Read)?;
    let found = reading(records, caller).await?.trusted_issuer(&path.organization, &path.issuer).await?;
    found.ok_or(ApiError::NotFound)
}

/// Makes an organization trust an issuer. As long as no key has a rule for it, this opens nothing.
///
/// # Errors
/// [`ApiError`]. [`ApiError::Conflict`] when the id is or was in use in the organization, or the organization has as many
/// trusted issuers as it may.
pub async fn create(
    records: &Records,
    policy: IssuerPolicy<'_>,
    caller: &Caller,
    organization: OrganizationId,
    request: NewIssuerRequest,
    idempotent: Option<IdempotentRequest>,
) -> Result<Idempotent<TrustedIssuer>, ApiError> {
    let path = IssuerPath { organization, issuer: request.id.clone() };
    may(caller, &path, Verb::Admin)?;
    let issuer = new(policy, &path.organization, request, records.clock.now())?;
    let guard = IdempotencyGuard::begin(records, caller, idempotent)?;
    let mut write = records.store.write(records.clock.now(), &caller.actor()).await?;
    write.organization(&path.organization).await?.ok_or(ApiError::NotFound)?;
    if let Some(answer) = guard.replay(&mut write).await? {
        return Ok(Idempotent::Replayed(answer));
    }
    if write.count_trusted_issuers(&path.organization).await? >= TrustedIssuer::MAX_COUNT {
        return Err(Conflict::TooManyIssuers.into());
    }
    insert(&mut write, &issuer).await?;
    guard.save(&mut write, &issuer).await?;
    records.commit(write).await?;
    Ok(Idempotent::New(issuer))
}

/// Stores a new trusted issuer, and records that.
pub(super) async fn insert(write: &mut Write, issuer: &TrustedIssuer) -> Result<(), ApiError> {
    if !write.insert_trusted_issuer(issuer).await? {
        return Err(Conflict::IssuerIdTaken.into());
    }
    record(write, "issuer.create", None, Some(issuer)).await
}

/// Changes a trusted issuer.
///
/// # Errors
/// [`ApiError`]. Then the issuer has not changed.
pub async fn change(
    records: &Records,
    policy: IssuerPolicy<'_>,
    caller: &Caller,
    path: &IssuerPath,
    patch: IssuerPatch,
    terms: &Terms,
) -> Result<Changed<TrustedIssuer>, ApiError> {
    may(caller, path, Verb::Admin)?;
    let mut write = records.store.write(records.clock.now(), &caller.actor()).await?;
    let before = write.trusted_issuer(&path.organization, &path.issuer).await?.ok_or(ApiError::NotFound)?;
    terms.hold_for(&before)?;
    let after = altered(policy, &before, patch, write.at())?;
    let trusting = write.keys_trusting(&before).await?;
    if after.is_raised_from(&before) {
        may_become(caller, &trusting)?;
    }
    if after.url != before.url {
        still_pinned(&trusting, &after)?;
    }
    if !terms.dry_run && before != after {
        update(&mut write, &before, &after).await?;
        if before.is_active() && !after.is_active() {
            end_tokens(&mut write, &trusting).await?;
        }
        records.commit(write).await?;
    }
    Ok(Changed { before, after, dry_run: terms.dry_run })
}

/// Stores a changed trusted issuer, and records the change.
pub(super) async fn update(
    write: &mut Write,
    before: &TrustedIssuer,
    after: &TrustedIssuer,
) -> Result<(), ApiError> {
    write.update_trusted_issuer(after, after.has_other_keys_than(before)).await?;
    record(write, action(before, after), Some(before), Some(after)).await
}

/// Checks that the caller may rotate each key that trusts the issuer: whoever says who signs for the issuer can become
/// every one of them.
pub(super) fn may_become(caller: &Caller, trusting: &[ApiKey]) -> Result<(), ApiError> {
    for key in trusting {
        keys::may(caller, key, Verb::Write)?;
        may_hand_out(caller, key)?;
    }
    Ok(())
}

/// Checks that the rules for the issuer pin what is needed at its new URL.
pub(super) fn still_pinned(trusting: &[ApiKey], issuer: &TrustedIssuer) -> Result<(), ApiError> {
    let rules = trusting.iter().flat_map(|key| &key.trust_rules);
    for held in rules.filter(|held| *held.rule.issuer() == issuer.id) {
        held.rule.check_for(issuer.platform()).map_err(InvalidRequest::TrustRule)?;
    }
    Ok(())
}

/// Ends the tokens of all keys that trust an issuer which is trusted no more: some were issued on its word.
pub(super) async fn end_tokens(write: &mut Write, trusting: &[ApiKey]) -> Result<(), ApiError> {
    let ended: Vec<ApiKey> =
        trusting.iter().map(|key| ApiKey { generation: key.generation + 1, ..key.clone() }).collect();
    let changed: Vec<_> = trusting.iter().zip(&ended).collect();
    keys::update_all(write, "key.change", &changed).await
}

/// Removes a trusted issuer. Its tokens open nothing any more, and its id can't be used again.
///
/// # Errors
/// [`ApiError`].
pub async fn delete(records: &Records, caller: &Caller, path: &IssuerPath) -> Result<(), ApiError> {
    may(caller, path, Verb::Admin)?;
    let mut write = records.store.write(records.clock.now(), &caller.actor()).await?;
    let before = write.trusted_issuer(&path.organization, &path.issuer).await?.ok_or(ApiError::NotFound)?;
    let trusting = write.keys_trusting(&before).await?;
    remove(&mut write, &before).await?;
    end_tokens(&mut write, &trusting).await?;
    Ok(records.commit(write).await?)
}

/// Removes a trusted issuer, and records that. Tokens that were issued on its word stay valid.
pub(super) async fn remove(write: &mut Write, issuer: &TrustedIssuer) -> Result<(), ApiError> {
    write.delete_trusted_issuer(issuer).await?;
    record(write, "issuer.delete", Some(issuer), None).await
}

pub(super) fn may(caller: &Caller, path: &IssuerPath, verb: Verb) -> Result<(), ApiError> {
    Ok(caller.may_in(&path.organization, verb, &["issuers", path.issuer.as_str()])?)
}

/// The trusted issuer that a request describes.
pub(super) fn new(
    policy: IssuerPolicy<'_>,
    organization: &OrganizationId,
    request: NewIssuerRequest,
    now: Timestamp,
) -> Result<TrustedIssuer, ApiError> {
    Ok(TrustedIssuer {
        name: labels::name(request.name.unwrap_or_else(|| request.id.to_string()))
            .map_err(InvalidRequest::Name)?,
        url: url(policy, &request.issuer)?,
        keys: source(policy, request.keys, &request.algorithms)?,
        max_lifetime: lifetime(request.max_lifetime.unwrap_or(TrustedIssuer::DEFAULT_LIFETIME))?,
        algorithms: request.algorithms,
        single_use: request.single_use,
        id: request.id,
        organization: organization.clone(),
        disabled_at: None,
        created_at: now,
        keys_version: 0,
    })
}

/// The issuer after the patch.
pub(super) fn altered(
    policy: IssuerPolicy<'_>,
    before: &TrustedIssuer,
    patch: IssuerPatch,
    now: Timestamp,
) -> Result<TrustedIssuer, ApiError> {
    let algorithms = patch.algorithms.unwrap_or_else(|| before.algorithms.clone());
    // Keys that stay are not judged again: the settings may have changed since.
    let keys = match patch.keys {
        None if algorithms == before.algorithms => before.keys.clone(),
        keys => source(policy, keys.unwrap_or_else(|| before.keys.clone()), &algorithms)?,
    };
    Ok(TrustedIssuer {
        name: patch.name.map_or(Ok(before.name.clone()), labels::name).map_err(InvalidRequest::Name)?,
        url: patch.issuer.map_or(Ok(before.url.clone()), |issuer| url(policy, &issuer))?,
        keys,
        algorithms,
        max_lifetime: patch.max_lifetime.map_or(Ok(before.max_lifetime), lifetime)?,
        single_use: patch.single_use.unwrap_or(before.single_use),
        disabled_at: match patch.status {
            Some(IssuerStatus::Active) => None,
            Some(IssuerStatus::Disabled) => before.disabled_at.or(Some(now)),
            None => before.disabled_at,
        },
        ..before.clone()
    })
}

fn url(policy: IssuerPolicy<'_>, text: &str) -> Result<IssuerUrl, InvalidRequest> {
    let url: IssuerUrl = text.parse().map_err(InvalidRequest::IssuerUrl)?;
    let bare = |url: &str| url.trim_end_matches('/').to_ascii_lowercase();
    if bare(url.as_str()) == bare(policy.own_issuer) {
        return Err(InvalidRequest::OwnIssuer);
    }
    if url.is_https() || policy.allows_http { Ok(url) } else { Err(InvalidRequest::IssuerHttp) }
}

/// Where the keys come from. A set in the request is kept as it was understood.
fn source(
    policy: IssuerPolicy<'_>,
    keys: KeySource,
    algorithms: &SignatureAlgorithms,
) -> Result<KeySource, InvalidRequest> {
    match keys {
        KeySource::At(url) if !url.is_https() && !policy.allows_http => Err(InvalidRequest::IssuerHttp),
        KeySource::Inline(set) => {
            let accepted: Vec<Algorithm> = algorithms.iter().filter_map(|name| name.parse().ok()).collect();
            let set =
                JwkSet::parse(set.to_string().as_bytes(), &accepted).map_err(InvalidRequest::IssuerKeys)?;
            if set.keys().is_empty() {
                Err(InvalidRequest::NoIssuerKeys)
            } else {
                Ok(KeySource::Inline(json!(set)))
            }
        }
        keys => Ok(keys),
    }
}

fn lifetime(seconds: u32) -> Result<u32, InvalidRequest> {
    match TrustedIssuer::LIFETIMES.contains(&seconds) {
        true => Ok(seconds),
        false => Err(InvalidRequest::IssuerLifetime),
    }
}

/// What the audit trail calls the change.
fn action(before: &TrustedIssuer, after: &TrustedIssuer) -> &'static str {
    match (before.is_active(), after.is_active()) {
        (true, false) => "issuer.disable",
        (false, true) => "issuer.enable",
        _ => "issuer.change",
    }
}

async fn record(
    write: &mut Write,
    action: &'static str,
    before: Option<&TrustedIssuer>,
    after: Option<&TrustedIssuer>,
) -> Result<(), ApiError> {
    let Some(issuer) = after.or(before) else { return Ok(()) };
    let event = AuditEvent {
        action,
        organization: Some(issuer.organization.clone()),
        key: None,
        subject: issuer.path(),
        before: before.map(|before| json!(before)),
        after: after.map(|after| json!(after)),
    };
    Ok(write.record(ChangeKind::TrustedIssuer, event).await?)
}
