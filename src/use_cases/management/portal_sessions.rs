//! Sessions of the customers' portal: a vendor's key makes one, a code opens it, and it ends with that key.

mod code;

pub use code::PortalCode;

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::json;

use super::idempotency::IdempotencyGuard;
use super::keys::{cidrs, scopes};
use super::{ApiError, Conflict, Forbidden, Idempotent, IdempotentRequest, InvalidRequest};
use crate::base::clock::Timestamp;
use crate::domain::address::Origin;
use crate::domain::audit::AuditEvent;
use crate::domain::key::{ApiKey, labels};
use crate::domain::names::{OrganizationId, ProjectId};
use crate::domain::person::PortalSubject;
use crate::domain::portal::{PortalAct, PortalGrant, PortalKeys, PortalOrigin};
use crate::domain::scope::{Scope, Verb};
use crate::domain::web_url::WebUrl;
use crate::node::{Authenticator, Records};
use crate::store::{ChangeKind, PortalSession, Write};
use crate::use_cases::access::{Caller, maker_of};

/// What the deployment says about the portal.
#[derive(Clone, Copy, Debug)]
pub struct PortalPolicy<'d> {
    /// This server's own issuer, below which the portal is.
    pub issuer: &'d str,
    /// The origins whose pages may have the portal in a frame, and to which it leads back.
    pub origins: &'d [PortalOrigin],
}

/// The body of a request that makes a session.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, expecting = "a JSON object with a portal session's members")]
pub struct NewPortalSession {
    subject: PortalSubject,
    name: String,
    projects: Vec<ProjectId>,
    may: Vec<PortalAct>,
    scopes_within: Vec<Scope>,
    cidrs_within: Option<Vec<String>>,
    max_key_lifetime: Option<i64>,
    max_keys: u32,
    keys: PortalKeys,
    return_url: Option<WebUrl>,
    expires_in: Option<i64>,
}

/// The body of a request that ends all sessions of a subject.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, expecting = "a JSON object with a subject")]
pub struct PortalSessionsOf {
    subject: PortalSubject,
}

/// A session that has just been made.
#[derive(Serialize)]
pub struct MadePortalSession {
    /// The URL that opens it, which has the code. It is visible only now.
    pub url: Option<String>,
    /// When the URL opens nothing any more.
    pub expires_at: Timestamp,
}

impl fmt::Debug for MadePortalSession {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MadePortalSession").field("url", &"[redacted]").finish_non_exhaustive()
    }
}

/// Makes a session for a user of the vendor.
///
/// # Errors
/// [`ApiError`]. [`ApiError::Conflict`] when there are too many sessions.
pub async fn create(
    records: &Records,
    authenticator: &Authenticator,
    policy: PortalPolicy<'_>,
    caller: &Caller,
    organization: OrganizationId,
    request: NewPortalSession,
    idempotent: Option<IdempotentRequest>,
) -> Result<Idempotent<MadePortalSession>, ApiError> {
    caller.may_in(&organization, Verb::Write, &["portal-sessions"])?;
    let lasts_seconds = request.seconds()?;
    let granted = request.grant(policy, &organization)?;
    may_give(caller, &organization, &granted)?;
    // Only keys call this operation.
    let maker = caller.own_key().ok_or(ApiError::NotFound)?;
    let guard = IdempotencyGuard::begin(records, caller, idempotent)?;
    let code = PortalCode::generate(&records.entropy).map_err(ApiError::internal)?;
    let mut write = records.store.write(records.clock.now(), &caller.actor()).await?;
    let now = write.at();
    let ends_at = end(now, PortalSession::CODE_SECONDS, maker);
    let (key, generation) = (maker.id, maker.generation);
    let session = PortalSession {
        organization,
        granted,
        key,
        generation,
        lasts_seconds,
        created_at: now,
        opened_at: None,
        ends_at,
    };
    if let Some(answer) = guard.replay(&mut write).await? {
        return Ok(Idempotent::Replayed(answer));
    }
    check(&mut write, &session).await?;
    write.insert_portal_session(&code.digest(), &session).await?;
    record(&mut write, "portal_session.create", &session).await?;
    let mut made = MadePortalSession { url: None, expires_at: ends_at };
    guard.save(&mut write, &made).await?;
    records.commit(write).await?;
    made.url = Some(format!("{}/portal#{}", policy.issuer, *code.marked(authenticator)));
    Ok(Idempotent::New(made))
}

/// Ends all sessions of a subject, and the codes that would open one. Returns how many there were.
///
/// # Errors
/// [`ApiError`].
pub async fn end_all(
    records: &Records,
    caller: &Caller,
    organization: &OrganizationId,
    request: &PortalSessionsOf,
) -> Result<u64, ApiError> {
    caller.may_in(organization, Verb::Write, &["portal-sessions"])?;
    let mut write = records.store.write(records.clock.now(), &caller.actor()).await?;
    write.organization(organization).await?.ok_or(ApiError::NotFound)?;
    let ended = write.delete_portal_sessions_of(organization, request.subject.as_str()).await?;
    if ended > 0 {
        let event = AuditEvent {
            action: "portal_session.end",
            organization: Some(organization.clone()),
            key: None,
            subject: format!("portal:{}", request.subject),
            before: None,
            after: Some(json!({ "ended": ended })),
        };
        write.record(ChangeKind::PortalSession, event).await?;
        records.commit(write).await?;
    }
    Ok(ended)
}

/// Opens the session of a code, which works once. From then on, the session is found by the digest of `id`. The code must
/// be one that this deployment made.
///
/// # Errors
/// [`ApiError::Forbidden`] for a code that was used or is too old, and whose key doesn't hold any more.
pub async fn open(
    records: &Records,
    authenticator: &Authenticator,
    code: &PortalCode,
    id: &str,
    origin: Origin<'_>,
) -> Result<PortalSession, ApiError> {
    let (now, digest) = (records.clock.now(), code.digest());
    // Without a write, and so without waiting for anybody: most dead codes are found out here.
    let seen = live(records.store.pending_session(&digest).await?, now)?;
    let maker = maker_of(authenticator, &seen, now).await?.ok_or(Forbidden::DeadPortalCode)?;
    let user = Caller::of_portal(seen, origin);
    let mut write = records.store.write(now, &user.actor()).await?;
    let session = live(write.pending_portal_session(&digest).await?, now)?;
    let ends_at = end(now, session.lasts_seconds, &maker);
    write.open_portal_session(&digest, id, ends_at).await?;
    let opened = PortalSession { opened_at: Some(now), ends_at, ..session };
    record(&mut write, "portal.open", &opened).await?;
    records.commit(write).await?;
    Ok(opened)
}

fn live(found: Option<PortalSession>, now: Timestamp) -> Result<PortalSession, ApiError> {
    found.filter(|session| session.is_live(now)).ok_or(Forbidden::DeadPortalCode.into())
}

/// The end of what begins now and lasts this long, and no longer than the key that made it.
fn end(now: Timestamp, seconds: i64, maker: &ApiKey) -> Timestamp {
    let end = now.plus(seconds);
    maker.expires_at.map_or(end, |last| last.min(end))
}

/// Checks that the caller could do itself what it gives.
fn may_give(caller: &Caller, organization: &OrganizationId, granted: &PortalGrant) -> Result<(), ApiError> {
    let verbs = |act: &PortalAct| match act {
        PortalAct::List | PortalAct::Usage => Verb::Read,
        PortalAct::Create | PortalAct::Rotate | PortalAct::Revoke | PortalAct::Edit => Verb::Write,
    };
    for project in &granted.projects {
        for act in &granted.may {
            caller.may_all_in(organization, verbs(act), &["projects", project.as_str(), "keys", "*"])?;
        }
    }
    Ok(())
}

/// Checks inside `write` that the projects exist and that there is room for one more session.
async fn check(write: &mut Write, session: &PortalSession) -> Result<(), ApiError> {
    let PortalSession { organization, granted, key, .. } = session;
    write.organization(organization).await?.ok_or(ApiError::NotFound)?;
    for project in &granted.projects {
        write.project(organization, project).await?.ok_or(InvalidRequest::NoSuchProject)?;
    }
    let now = write.at();
    let (all, of_key) = write.count_portal_sessions(organization, key, now).await?;
    if all >= PortalSession::MOST_OF_AN_ORGANIZATION || of_key >= PortalSession::MOST_OF_A_KEY {
        return Err(Conflict::TooManyPortalSessions.into());
    }
    Ok(())
}

async fn record(write: &mut Write, action: &'static str, session: &PortalSession) -> Result<(), ApiError> {
    let PortalSession { organization, granted, key, ends_at, .. } = session;
    let mut after = serde_json::to_value(granted).map_err(ApiError::internal)?;
    after["made_by"] = key.to_string().into();
    after["expires_at"] = ends_at.rfc3339().into();
    let event = AuditEvent {
        action,
        organization: Some(organization.clone()),
        key: None,
        subject: granted.creator(),
        before: None,
        after: Some(after),
    };
    Ok(write.record(ChangeKind::PortalSession, event).await?)
}

impl NewPortalSession {
    fn seconds(&self) -> Result<i64, ApiError> {
        let longest = PortalSession::LONGEST_SECONDS;
        match self.expires_in.unwrap_or(longest) {
            seconds if (1..=longest).contains(&seconds) => Ok(seconds),
            _ => Err(InvalidRequest::PortalSeconds(longest).into()),
        }
    }

    fn grant(self, policy: PortalPolicy<'_>, organization: &OrganizationId) -> Result<PortalGrant, ApiError> {
        let mut projects = self.projects;
        let named = projects.len();
        projects.sort_unstable();
        projects.dedup();
        if projects.len() != named || !(1..=PortalGrant::MAX_PROJECTS).contains(&named) {
            return Err(InvalidRequest::PortalProjects(PortalGrant::MAX_PROJECTS).into());
        }
        let mut may = self.may;
        may.sort_unstable();
        may.dedup();
        if !may.contains(&PortalAct::List) && may != [PortalAct::Create] {
            return Err(InvalidRequest::PortalActs.into());
        }
        if self.scopes_within.iter().any(Scope::is_reserved) {
            return Err(InvalidRequest::PortalScopes.into());
        }
        let scopes_within = scopes(Some(self.scopes_within), None, organization)?;
        if self.max_keys > PortalGrant::MAX_KEYS {
            return Err(InvalidRequest::PortalKeys(PortalGrant::MAX_KEYS).into());
        }
        let lifetimes = PortalGrant::MIN_LIFETIME..=PortalGrant::MAX_LIFETIME;
        if self.max_key_lifetime.is_some_and(|longest| !lifetimes.contains(&longest)) {
            return Err(InvalidRequest::PortalLifetime.into());
        }
        let leads_back = |url: &WebUrl| policy.origins.iter().any(|origin| origin.is_of(url));
        if self.return_url.as_ref().is_some_and(|url| !leads_back(url)) {
            return Err(InvalidRequest::PortalReturn.into());
        }
        Ok(PortalGrant {
            subject: self.subject,
            name: labels::name(self.name).map_err(InvalidRequest::Name)?,
            projects,
            may,
            scopes_within: scopes_within.unwrap_or_default(),
            cidrs_within: self.cidrs_within.as_deref().map(cidrs).transpose()?,
            max_key_lifetime: self.max_key_lifetime,
            max_keys: self.max_keys,
            keys: self.keys,
            return_url: self.return_url,
        })
    }
}
