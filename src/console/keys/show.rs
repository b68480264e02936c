//! The page with everything about a key.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::http::request::Parts;
use axum::response::Response;

use super::row::{Mark, marks};
use super::ways_in::{Replaced, WayIn, ways_in};
use crate::base::clock::Timestamp;
use crate::console::events::EventRow;
use crate::console::explain::explain;
use crate::console::notice;
use crate::console::page::page;
use crate::console::shell::{Section, Shell};
use crate::console::usage_over_time::{Span, UseOverTime};
use crate::console::visitor::Visitor;
use crate::console::when::When;
use crate::domain::api_key::display_prefix;
use crate::domain::audit::EventFilter;
use crate::domain::key::{ApiKey, KeyStatus};
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
    ways_in: Vec<WayIn>,
    has_secret: bool,
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
    let has_secret = key.live_secrets(now).next().is_some();
    let taken = notice::take(&node, &parts.headers, Some(&visitor.session), &visitor.shell.key(&path));
    let shown = page(&KeyPage {
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
        ways_in: ways_in(&key, &href, now),
        has_secret,
        used: UseOverTime::of(span, &used),
        events: events(&node, caller, &path, &root, now).await?,
        may_write: may_write(caller, &key),
        is_own: caller.is_key(&key.id),
        done: taken.text(),
        root,
        href,
        key,
    })?;
    Ok(taken.shown_on(shown))
}

/// Whether the caller may change the key.
pub(super) fn may_write(caller: &Caller, key: &ApiKey) -> bool {
    let path = ["projects", key.project.as_str(), "keys", &key.id.to_string()];
    caller.may_in(&key.organization, Verb::Write, &path).is_ok()
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
