//! The page with everything about a key.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::http::request::Parts;
use axum::response::Response;

use super::owners::{OwnerShown, Owners};
use super::refusals::{self, Refusal, counted, latest};
use super::row::{Mark, marks};
use super::ways_in::{Replaced, WayIn, ways_in};
use crate::base::clock::Timestamp;
use crate::console::events::{EventRow, rows};
use crate::console::explain::explain;
use crate::console::named::{Copied, Named, Names};
use crate::console::notice;
use crate::console::page::page;
use crate::console::shell::{Section, Shell};
use crate::console::usage_over_time::{Span, UseOverTime};
use crate::console::visitor::Visitor;
use crate::console::when::When;
use crate::domain::api_key::display_prefix;
use crate::domain::audit::EventFilter;
use crate::domain::key::{ApiKey, KeyStatus};
use crate::domain::named_scope::NamedScope;
use crate::domain::portal::PortalAct;
use crate::domain::scope::{Scope, Verb};
use crate::http::failure::Failure;
use crate::http::path::OfKey;
use crate::http::query::Query;
use crate::node::Node;
use crate::use_cases::access::Caller;
use crate::use_cases::management::audit::Trail;
use crate::use_cases::management::keys::KeyPath;
use crate::use_cases::management::{ApiError, KeyAct, PageRequest, keys, scopes, usage};

/// The number of the key's latest events that the page looks at. Refusals among them stand apart.
const EVENTS_READ: u16 = 100;

/// The number of events on the page. The audit log has all of them.
const EVENTS_SHOWN: usize = 20;

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
    scopes: Vec<ScopeShown>,
    owner: Option<OwnerShown>,
    tags: Vec<(String, String)>,
    id: Copied,
    created: When,
    created_by: Named,
    expires: Option<When>,
    disabled: Option<When>,
    revoked: Option<(When, Option<String>)>,
    last_used: Option<When>,
    /// The address of the last use by the client itself, and when that was.
    last_seen: Option<(String, When)>,
    ways_in: Vec<WayIn>,
    has_secret: bool,
    /// `None` if the visitor may not see it.
    used: Option<UseOverTime>,
    reasons: Vec<(&'static str, String)>,
    /// The audit log and the refusals in it, if the visitor may read it.
    log: Option<Log>,
    may: Vec<KeyAct>,
    is_own: bool,
    done: Option<&'static str>,
}

/// A scope, with its name in the catalogue if it has one, and what it allows in words.
struct ScopeShown {
    scope: String,
    name: Option<String>,
    words: String,
}

/// What the audit trail has about the key.
struct Log {
    events: Vec<EventRow>,
    refusals: Vec<Refusal>,
    /// The key's page of the audit log.
    href: String,
}

impl KeyPage {
    fn only_reads(&self) -> bool {
        self.marks.contains(&Mark::QueryOnly)
    }

    fn may(&self, act: KeyAct) -> bool {
        self.may.contains(&act)
    }

    fn may_take_away(&self, way: &WayIn) -> bool {
        self.may(if way.verb == "Retire" { KeyAct::Rotate } else { KeyAct::ChangeWaysIn })
    }
}

impl ScopeShown {
    fn of(scope: &Scope, offered: &[NamedScope]) -> Self {
        let entry = offered.iter().find(|entry| entry.scope.scope() == scope);
        let name = entry.map(|entry| entry.name.clone());
        Self { scope: scope.to_string(), name, words: explain(scope) }
    }
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
    let sees_use = caller.portal().is_none_or(|granted| granted.allows(PortalAct::Usage));
    let used = match sees_use {
        true => Some(usage::of_key(&node.records, caller, &path, span.request(&node)).await?),
        false => None,
    };
    let used = used.map(|used| UseOverTime::of(span, &used));
    let root = visitor.shell.root(&key.organization);
    let href = format!("{root}/keys/{}", key.id);
    let when = |at| When::new(at, now);
    let offered = scopes::offered(&node.records, caller, &key.organization).await?;
    let names = Names::read(&node, caller, &visitor.shell.base, [&*key.created_by.id]).await?;
    let here = (&*visitor.shell.base, &key.organization);
    let owners = Owners::read(&node, caller, here, &key.owner).await?;
    let has_secret = key.live_secrets(now).next().is_some();
    let taken = notice::take(&node, &parts.headers, Some(&visitor.session), &visitor.shell.key(&path));
    let shown = page(&KeyPage {
        shell: visitor.shell_at(&key.organization, Section::Keys),
        prefix: display_prefix(&key.brand, &key.environment, &key.id),
        status: key.status(now),
        marks: marks(&key, now),
        scopes: key.scopes.iter().map(|scope| ScopeShown::of(scope, &offered)).collect(),
        owner: key.owner.as_ref().map(|owner| owners.shown(owner)),
        tags: key.tags.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect(),
        id: Copied::new(key.id),
        created: when(key.created_at),
        created_by: names.of(&key.created_by.id, key.created_by.name.clone()),
        expires: key.expires_at.map(when),
        disabled: key.disabled_at.map(when),
        revoked: key.revoked.as_ref().map(|revoked| (when(revoked.at), revoked.reason.clone())),
        last_used: key.last_used_at.map(when),
        last_seen: key.last_seen.map(|seen| (seen.address.to_string(), when(seen.at))),
        ways_in: shown_ways(caller, &key, (&root, &href), now),
        has_secret,
        reasons: used.as_ref().map(|used| counted(&used.reasons)).unwrap_or_default(),
        used,
        log: log(&node, caller, &path, &visitor.shell.base).await?,
        may: KeyAct::ALL.into_iter().filter(|act| keys::permits(caller, *act, &key, now)).collect(),
        is_own: caller.is_key(&key.id),
        done: taken.text(),
        root,
        href,
        key,
    })?;
    Ok(taken.shown_on(shown))
}

/// The key's ways in. Those that name a trusted issuer lead to its page, if the caller may read it.
fn shown_ways(caller: &Caller, key: &ApiKey, (root, href): (&str, &str), now: Timestamp) -> Vec<WayIn> {
    let mut ways = ways_in(key, href, now);
    for way in &mut ways {
        let page = way.issuer.take().filter(|page| {
            let path: Vec<&str> = page.split('/').collect();
            caller.may_in(&key.organization, Verb::Read, &path).is_ok()
        });
        way.issuer = page.map(|page| format!("{root}/{page}"));
    }
    ways
}

/// What the audit trail has about the key, if the caller may read it.
async fn log(node: &Arc<Node>, caller: &Caller, path: &KeyPath, base: &str) -> Result<Option<Log>, ApiError> {
    if caller.may_in(&path.organization, Verb::Read, &["audit"]).is_err() {
        return Ok(None);
    }
    let filter = EventFilter { key: Some(path.key), ..EventFilter::default() };
    let trail = Trail::of_organization(&node.records, caller, path.organization.clone(), filter).await?;
    let (mut events, _) = trail.page(&PageRequest { limit: EVENTS_READ, cursor: None }).await?;
    let refusals = latest(&events, node.clock.now());
    events.retain(|event| event.action != refusals::ACTION);
    events.truncate(EVENTS_SHOWN);
    let href = format!("{base}/orgs/{}/audit?key={}", path.organization, path.key);
    Ok(Some(Log { events: rows(node, caller, base, &events).await?, refusals, href }))
}
