//! Sessions. A visitor exchanges an API key, or a sign-in at a provider, for a session. It never outlives the key or the
//! membership.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use axum::http::{HeaderMap, header};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::digest::{SHA256, digest};
use ring::hmac;
use serde::Serialize;
use subtle::ConstantTimeEq as _;
use zeroize::Zeroizing;

use crate::base::clock::Timestamp;
use crate::base::entropy::{Entropy, EntropyError};
use crate::domain::address::Origin;
use crate::domain::api_key::KeyId;
use crate::domain::audit::AuditEvent;
use crate::domain::member::{Member, ProviderIdentity};
use crate::domain::person::{ConsoleSessionId, MemberId};
use crate::jose::foreign::LEEWAY;
use crate::node::{ConsoleKeys, Node};
use crate::store::{ChangeKind, ConsoleSession, SessionHolder, StoreError, Write};
use crate::use_cases::access::{Caller, recall, recognize};
use crate::use_cases::management::{ApiError, Forbidden};

/// The minimum interval in seconds between writes of a session's last use.
const TOUCH_EVERY: i64 = 60;

/// A session's id: 256 random bits, known only to the browser. It is the session's only credential.
pub(super) struct SessionId(Zeroizing<[u8; 32]>);

/// The text is not a session id.
#[derive(Debug)]
pub(super) struct SessionIdError;

/// Who opens a session, and from where.
pub(super) struct Visit<'r> {
    origin: Origin<'r>,
    user_agent: Option<String>,
}

/// A session that is still open, and who acts in it.
#[derive(Debug)]
pub(super) struct Resumed {
    pub(super) caller: Caller,
    pub(super) opened: ConsoleSession,
    pub(super) left: Left,
}

/// Exchanges an API key for a session, and ends the browser's earlier session.
///
/// # Errors
/// [`ApiError`], among them [`ApiError::Forbidden`] for a key without any management scope.
pub(super) async fn open(
    node: &Arc<Node>,
    key: &str,
    earlier: Option<SessionId>,
    visit: Visit<'_>,
) -> Result<(SessionId, Caller), ApiError> {
    let now = node.clock.now();
    let (caller, secret) = recognize(&node.authenticator, key, visit.origin, now).await?;
    if !caller.scopes.iter().any(|scope| scope.is_reserved()) {
        return Err(Forbidden::NoConsoleScope.into());
    }
    let key = caller.own_key().map(|key| key.id).ok_or(ApiError::NotFound)?;
    if !may_open(node, &key).await? {
        return Err(Forbidden::NoKeysInConsole.into());
    }
    let session = visit.session(node, SessionHolder::Key(key, secret), None, now)?;
    let mut write = node.records.store.write(now, &caller.actor()).await?;
    let id = replace(node, &mut write, earlier, &session).await?;
    record(&mut write, &caller, "console.sign_in").await?;
    node.records.commit(write).await?;
    Ok((id, caller))
}

/// Whether a key may open the console of this deployment, and keep it open.
async fn may_open(node: &Node, key: &KeyId) -> Result<bool, StoreError> {
    match node.deployment.sign_in_settings.console_keys {
        ConsoleKeys::Allowed => Ok(true),
        ConsoleKeys::RecoveryOnly => node.records.store.is_recovery_key(key).await,
    }
}

/// How long a session lasts, in seconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub(super) struct Left {
    /// Without another request.
    pub(super) idle_seconds: i64,
    /// In any case.
    pub(super) longest_seconds: i64,
}

impl Left {
    /// That of a new session of this caller.
    pub(super) fn whole(caller: &Caller, now: Timestamp) -> Self {
        Self::of(caller, (now, now), now)
    }

    /// That of a session, by the times of its creation and its last use. It never outlives its key.
    fn of(caller: &Caller, (created, seen): (Timestamp, Timestamp), now: Timestamp) -> Self {
        let left = |of: i64, since: Timestamp| (of - now.since(since)).max(0);
        let longest = left(ConsoleSession::LONGEST_SECONDS, created);
        let of_key = caller.own_key().and_then(|key| key.expires_at).map(|end| end.since(now).max(0));
        Self {
            idle_seconds: left(ConsoleSession::IDLE_SECONDS, seen),
            longest_seconds: longest.min(of_key.unwrap_or(longest)),
        }
    }
}

/// Opens a session for a member who signed in at the provider, by its word at `authenticated_at`, and ends the browser's earlier
/// session.
///
/// # Errors
/// [`ApiError`], among them [`ApiError::Unauthenticated`] for somebody who is not an active member any more.
pub(super) async fn open_for_member(
    node: &Arc<Node>,
    member: &Member,
    authenticated_at: Option<Timestamp>,
    earlier: Option<SessionId>,
    visit: Visit<'_>,
) -> Result<(SessionId, Caller), ApiError> {
    let now = node.clock.now();
    let authenticated_at = authenticated_at.and_then(|at| not_ahead(at, now));
    let session = visit.session(node, SessionHolder::Member(member.id), authenticated_at, now)?;
    let actor = Caller::member(member.clone(), visit.origin).actor();
    let mut write = node.records.store.write(now, &actor).await?;
    let current = write.member(member.organization.as_ref(), &member.id).await?.filter(Member::is_active);
    let current = current.ok_or(ApiError::Unauthenticated { presented: true })?;
    let caller = Caller::member(current, visit.origin);
    let id = replace(node, &mut write, earlier, &session).await?;
    record(&mut write, &caller, "member.sign_in").await?;
    node.records.commit(write).await?;
    node.records.store.touch_member(&member.id, now).await?;
    Ok((id, caller))
}

/// Replaces the session of a member who has signed in at the provider again, as `identity`, at `authenticated_at`. `None`, and
/// nothing changes, unless the session is still open, and theirs, and they are still an active member.
///
/// # Errors
/// [`ApiError`]. The earlier session is then still open.
pub(super) async fn confirm_member(
    node: &Arc<Node>,
    (member, identity): (&MemberId, &ProviderIdentity),
    authenticated_at: Timestamp,
    earlier: &SessionId,
    visit: Visit<'_>,
) -> Result<Option<(SessionId, Caller)>, ApiError> {
    let (store, now) = (&node.records.store, node.clock.now());
    let Some(known) = store.member(member).await?.filter(Member::is_active) else { return Ok(None) };
    let actor = Caller::member(known, visit.origin).actor();
    let mut write = store.write(now, &actor).await?;
    let memberships = write.memberships(identity).await?.into_iter();
    let current = memberships.filter(Member::is_active).find(|known| known.id == *member);
    let opened = write.console_session(&earlier.digest()).await?;
    let is_theirs =
        |opened: &ConsoleSession| opened.is_open(now) && opened.holder == SessionHolder::Member(*member);
    let (Some(current), Some(_)) = (current, opened.filter(is_theirs)) else { return Ok(None) };
    let caller = Caller::member(current, visit.origin);
    let authenticated_at = not_ahead(authenticated_at, now);
    let session = visit.session(node, SessionHolder::Member(*member), authenticated_at, now)?;
    let id = SessionId::generate(&node.records.entropy).map_err(ApiError::internal)?;
    write.delete_console_session(&earlier.digest()).await?;
    write.insert_console_session(&id.digest(), &session).await?;
    record(&mut write, &caller, "member.confirm").await?;
    node.records.commit(write).await?;
    Ok(Some((id, caller)))
}

/// The time as this server's clock has it. The provider's clock may be a little ahead. A time far ahead is none: it would
/// count as lately for long.
fn not_ahead(at: Timestamp, now: Timestamp) -> Option<Timestamp> {
    (at <= now.plus(LEEWAY)).then(|| at.min(now))
}

/// Stores a new session in place of the browser's earlier one.
async fn replace(
    node: &Node,
    write: &mut Write,
    earlier: Option<SessionId>,
    session: &ConsoleSession,
) -> Result<SessionId, ApiError> {
    let id = SessionId::generate(&node.records.entropy).map_err(ApiError::internal)?;
    if let Some(earlier) = earlier {
        write.delete_console_session(&earlier.digest()).await?;
    }
    write.insert_console_session(&id.digest(), session).await?;
    Ok(id)
}

/// The session, and its caller with the rights that they would have now. `None` when the session has ended.
///
/// # Errors
/// [`ApiError`], also when the key is no longer valid, or not from this address.
pub(super) async fn resume(
    node: &Arc<Node>,
    id: &SessionId,
    origin: Origin<'_>,
) -> Result<Option<Resumed>, ApiError> {
    let (now, digest) = (node.clock.now(), id.digest());
    let store = &node.records.store;
    let session = store.console_session(&digest).await?;
    let Some(opened) = session.filter(|session| session.is_open(now)) else { return Ok(None) };
    let caller = match opened.holder {
        SessionHolder::Key(key, secret) => {
            let caller = recall(&node.authenticator, (&key, secret), origin, now).await?;
            if !may_open(node, &key).await? {
                close(node, &caller, id).await?;
                return Ok(None);
            }
            caller
        }
        // The row is read each time, so a role is that of this moment, and whoever was removed is out.
        SessionHolder::Member(member) => match store.member(&member).await?.filter(Member::is_active) {
            Some(member) => Caller::member(member, origin),
            None => return Ok(None),
        },
    };
    let mut seen = opened.last_seen_at;
    if now.since(seen) >= TOUCH_EVERY {
        seen = now;
        store.touch_console_session(&digest, now).await?;
        if let SessionHolder::Member(member) = opened.holder {
            store.touch_member(&member, now).await?;
        }
    }
    let left = Left::of(&caller, (opened.created_at, seen), now);
    Ok(Some(Resumed { caller, opened, left }))
}

/// The sessions of the same key or member as this one.
///
/// # Errors
/// [`ApiError`].
pub(super) async fn of_caller(
    node: &Node,
    caller: &Caller,
    opened: &ConsoleSession,
) -> Result<Vec<ConsoleSession>, ApiError> {
    let reading = node.records.store.reading(&caller.principal()).await?;
    Ok(reading.console_sessions_of(&opened.holder).await?)
}

/// Ends another session of the same key or member, by its public id.
///
/// # Errors
/// [`ApiError`]. The session may then still be open.
pub(super) async fn end(
    node: &Arc<Node>,
    caller: &Caller,
    opened: &ConsoleSession,
    session: &ConsoleSessionId,
) -> Result<(), ApiError> {
    let mut write = node.records.store.write(node.clock.now(), &caller.actor()).await?;
    if write.delete_console_session_of(&opened.holder, session).await? {
        record(&mut write, caller, sign_out_of(caller)).await?;
        node.records.commit(write).await?;
    }
    Ok(())
}

/// What the trail calls the end of a session.
fn sign_out_of(caller: &Caller) -> &'static str {
    if caller.own_key().is_some() { "console.sign_out" } else { "member.sign_out" }
}

/// Ends a session.
///
/// # Errors
/// [`ApiError`]. The session may then still be open.
pub(super) async fn close(node: &Arc<Node>, caller: &Caller, id: &SessionId) -> Result<(), ApiError> {
    let mut write = node.records.store.write(node.clock.now(), &caller.actor()).await?;
    if write.delete_console_session(&id.digest()).await? {
        record(&mut write, caller, sign_out_of(caller)).await?;
        node.records.commit(write).await?;
    }
    Ok(())
}

async fn record(write: &mut Write, caller: &Caller, action: &'static str) -> Result<(), StoreError> {
    let event = AuditEvent {
        action,
        organization: caller.organization().cloned(),
        key: caller.own_key().map(|key| key.id),
        subject: caller.id().to_string(),
        before: None,
        after: None,
    };
    write.record(ChangeKind::ConsoleSession, event).await
}

impl<'r> Visit<'r> {
    /// The most characters that are kept of what a browser calls itself.
    const MAX_USER_AGENT: usize = 200;

    /// A visit from this origin, by the browser that `headers` name.
    pub(super) fn new(origin: Origin<'r>, headers: &HeaderMap) -> Self {
        let text = headers.get(header::USER_AGENT).and_then(|text| text.to_str().ok());
        let printable = |text: &str| text.chars().take(Self::MAX_USER_AGENT).collect();
        Self { origin, user_agent: text.map(printable).filter(|text: &String| !text.is_empty()) }
    }

    fn session(
        &self,
        node: &Node,
        holder: SessionHolder,
        authenticated_at: Option<Timestamp>,
        now: Timestamp,
    ) -> Result<ConsoleSession, ApiError> {
        Ok(ConsoleSession {
            id: ConsoleSessionId::generate(&node.records.entropy).map_err(ApiError::internal)?,
            holder,
            authenticated_at,
            address: self.origin.address.known().map(|address| address.to_string()),
            user_agent: self.user_agent.clone(),
            created_at: now,
            last_seen_at: now,
        })
    }
}

impl SessionId {
    pub(super) fn generate(entropy: &Entropy) -> Result<Self, EntropyError> {
        Ok(Self(Zeroizing::new(entropy.bytes()?)))
    }

    /// The text of the id, only for the cookie.
    pub(super) fn expose(&self) -> Zeroizing<String> {
        Zeroizing::new(URL_SAFE_NO_PAD.encode(&self.0[..]))
    }

    /// The digest that the store holds. It reveals nothing about 256 random bits.
    pub(super) fn digest(&self) -> String {
        URL_SAFE_NO_PAD.encode(digest(&SHA256, &self.0[..]))
    }

    /// The token in this session's forms, which no other page can know.
    pub(super) fn form_token(&self) -> String {
        let key = hmac::Key::new(hmac::HMAC_SHA256, &self.0[..]);
        URL_SAFE_NO_PAD.encode(hmac::sign(&key, b"claviger console form v1"))
    }

    /// Whether this session issued the form token.
    pub(super) fn has_form_token(&self, token: &str) -> bool {
        self.form_token().as_bytes().ct_eq(token.as_bytes()).into()
    }
}

impl FromStr for SessionId {
    type Err = SessionIdError;

    fn from_str(text: &str) -> Result<Self, SessionIdError> {
        let bytes = Zeroizing::new(URL_SAFE_NO_PAD.decode(text).map_err(|_| SessionIdError)?);
        let bytes = <[u8; 32]>::try_from(&bytes[..]).map_err(|_| SessionIdError)?;
        Ok(Self(Zeroizing::new(bytes)))
    }
}

impl fmt::Debug for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SessionId([redacted])")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_reads_back_and_its_form_token_is_its_own() {
        let id = SessionId::generate(&Entropy::scripted(0..32)).unwrap();
        let other = SessionId::generate(&Entropy::scripted(1..33)).unwrap();
        let same: SessionId = id.expose().parse().unwrap();
        assert_eq!(same.digest(), id.digest());
        assert!(id.has_form_token(&same.form_token()));
        assert!(!id.has_form_token(&other.form_token()));
        assert!(!id.has_form_token(""));
        assert_ne!(id.digest(), other.digest());
        for bad in ["", "AAAA", &format!("{}A", *id.expose()), &id.digest().replace('A', "!")] {
            assert!(bad.len() == 43 || bad.parse::<SessionId>().is_err(), "{bad}");
        }
        assert_eq!(format!("{id:?}"), "SessionId([redacted])");
    }
}
