//! The page with everything about a key.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::http::header::SET_COOKIE;
use axum::http::request::Parts;
use axum::response::Response;

use super::row::{Mark, marks};
use crate::base::clock::Timestamp;
use crate::console::events::EventRow;
use crate::console::explain::explain;
use crate::console::notice::{self, Notice};
use crate::console::page::page;
use crate::console::shell::{Section, Shell};
use crate::console::usage_over_time::{Span, UseOverTime};
use crate::console::visitor::Visitor;
use crate::console::when::{Age, When};
use crate::domain::api_key::display_prefix;
use crate::domain::audit::EventFilter;
use crate::domain::key::{ApiKey, KeySecret, KeyStatus, RegisteredKey};
use crate::domain::scope::Verb;
use crate::http::failure::Failure;
use crate::http::path::OfKey;
use crate::http::query::Query;
use crate::node::Node;
use crate::use_cases::access::Caller;
use crate::use_cases::management::audit::Trail;
use crate::use_cases::management::keys::KeyPath;
use crate::use_cases::management::{ApiError, PageRequest, keys, usage};

/// The number of events on the page. The audit log has all of them.
const EVENTS_SHOWN: u16 = 20;

/// Seconds without use after which an older secret may be safe to retire: one day.
const SAFE_SECONDS: i64 = 86_400;

#[derive(Template)]
#[template(path = "key.html")]
struct KeyPage {
    shell: Shell,
    root: String,
    href: String,
    key: ApiKey,
    prefix: String,
    status: KeyStatus,
    marks: Vec<Mark>,
    scopes: Vec<(String, String)>,
    created: When,
    expires: Option<When>,
    disabled: Option<When>,
    revoked: Option<(When, Option<String>)>,
    last_used: Option<When>,
    secrets: Vec<SecretRow>,
    public_keys: Vec<PublicKeyRow>,
    used: UseOverTime,
    events: Option<Vec<EventRow>>,
    may_write: bool,
    is_own: bool,
    done: Option<&'static str>,
}

impl KeyPage {
    fn only_reads(&self) -> bool {
        self.marks.contains(&Mark::QueryOnly)
    }
}

/// A secret of the key.
struct SecretRow {
    id: String,
    age: Age,
    ends: Option<When>,
    last_used: Option<When>,
    /// Whether a newer secret exists.
    is_older: bool,
    /// Whether the client seems to have switched to the newer secret: it has used the newer one, and nobody has used
    /// this one for a day.
    is_safe: bool,
    retire: String,
}

/// A registered public key.
struct PublicKeyRow {
    id: String,
    kid: String,
    algorithm: String,
    age: Age,
    last_used: Option<When>,
    remove: String,
}

/// `GET /console/orgs/{org}/keys/{key}`.
pub(in crate::console) async fn show(
    State(node): State<Arc<Node>>,
    visitor: Visitor,
    OfKey(path): OfKey,
    parts: Parts,
) -> Result<Response, Failure> {
    let query = Query::of_page(&parts, &["span"])?;
    let (caller, now) = (&visitor.caller, node.clock.now());
    let key = keys::find(&node.records, caller, &path, Verb::Read).await?;
    let span = Span::read(query.text("span"));
    let used = usage::of_key(&node.records, caller, &path, span.request(&node)).await?;
    let root = visitor.shell.root(&key.organization);
    let href = format!("{root}/keys/{}", key.id);
    let when = |at| When::new(at, now);
    let (said, taken) =
        notice::take(&node, &parts.headers, Some(&visitor.session), &visitor.shell.key(&path));
    let mut response = page(&KeyPage {
        shell: visitor.shell_at(&key.organization, Section::Keys),
        prefix: display_prefix(&key.brand, &key.environment, &key.id),
        status: key.status(now),
        marks: marks(&key, now),
        scopes: key.scopes.iter().map(|scope| (scope.to_string(), explain(scope))).collect(),
        created: when(key.created_at),
        expires: key.expires_at.map(when),
        disabled: key.disabled_at.map(when),
        revoked: key.revoked.as_ref().map(|revoked| (when(revoked.at), revoked.reason.clone())),
        last_used: key.last_used_at.map(when),
        secrets: secrets(&key, &href, now),
        public_keys: public_keys(&key, &href, now),
        used: UseOverTime::of(span, &used),
        events: events(&node, caller, &path, &root, now).await?,
        may_write: may_write(caller, &key),
        is_own: caller.key.key.id == key.id,
        done: said.map(Notice::text),
        root,
        href,
        key,
    })?;
    if let Some(taken) = taken {
        response.headers_mut().append(SET_COOKIE, taken);
    }
    Ok(response)
}

/// Whether the caller may change the key.
pub(super) fn may_write(caller: &Caller, key: &ApiKey) -> bool {
    let path = ["projects", key.project.as_str(), "keys", &key.id.to_string()];
    caller.may_in(&key.organization, Verb::Write, &path).is_ok()
}

fn secrets(key: &ApiKey, href: &str, now: Timestamp) -> Vec<SecretRow> {
    let live: Vec<&KeySecret> = key.live_secrets(now).collect();
    let newest = live.last().map(|secret| secret.id);
    let is_taken_up = live.last().is_some_and(|secret| secret.last_used_at.is_some());
    let row = |secret: &&KeySecret| SecretRow {
        id: secret.id.to_string(),
        age: When::new(secret.created_at, now).age(),
        ends: secret.expires_at.map(|end| When::new(end, now)),
        last_used: secret.last_used_at.map(|at| When::new(at, now)),
        is_older: newest != Some(secret.id),
        is_safe: is_taken_up && secret.last_used_at.is_none_or(|at| now.since(at) >= SAFE_SECONDS),
        retire: format!("{href}/secrets/{}/retire", secret.id),
    };
    live.iter().rev().map(row).collect()
}

fn public_keys(key: &ApiKey, href: &str, now: Timestamp) -> Vec<PublicKeyRow> {
    let row = |registered: &RegisteredKey| PublicKeyRow {
        id: registered.id.to_string(),
        kid: registered.kid.clone(),
        algorithm: registered.algorithm.clone(),
        age: When::new(registered.created_at, now).age(),
        last_used: registered.last_used_at.map(|at| When::new(at, now)),
        remove: format!("{href}/public-keys/{}/remove", registered.id),
    };
    key.public_keys.iter().rev().map(row).collect()
}

/// The key's audit events, if the caller may read them.
async fn events(
    node: &Arc<Node>,
    caller: &Caller,
    path: &KeyPath,
    root: &str,
    now: Timestamp,
) -> Result<Option<Vec<EventRow>>, ApiError> {
    if caller.may_in(&path.organization, Verb::Read, &["audit"]).is_err() {
        return Ok(None);
    }
    let filter = EventFilter { key: Some(path.key), ..EventFilter::default() };
    let trail = Trail::of_organization(&node.records, caller, path.organization.clone(), filter).await?;
    let (events, _) = trail.page(&PageRequest { limit: EVENTS_SHOWN, cursor: None }).await?;
    Ok(Some(events.iter().map(|event| EventRow::of(event, root, now)).collect()))
}
