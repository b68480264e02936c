//! The overview of an organization: keys by their state, and what needs attention. Each number leads to what it counts.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::response::Response;

use super::page::page;
use super::shell::{Section, Shell};
use super::visitor::Visitor;
use super::when::{When, grouped};
use crate::domain::scope::Verb;
use crate::http::failure::Failure;
use crate::http::path::InOrganization;
use crate::node::Node;
use crate::store::{BoundedCount, KeyCounts};
use crate::use_cases::management::overview::{Overview, overview};

const DAY: i64 = 86_400;

#[derive(Template)]
#[template(path = "overview.html")]
struct OverviewPage {
    shell: Shell,
    organization: String,
    /// The page that renames and deletes the organization, if the visitor may.
    edit: Option<String>,
    states: Vec<Tile>,
    attention: Vec<Tile>,
    refusals: Option<Tile>,
    rotation: Option<Rotation>,
}

/// When the next signing key takes over.
struct Rotation {
    when: When,
    is_overdue: bool,
    href: String,
}

/// A number with what it counts, and the page that lists it.
struct Tile {
    label: &'static str,
    /// `None` if the visitor may not count all keys.
    count: Option<String>,
    is_some: bool,
    href: String,
}

/// `GET /console/orgs/{org}`.
pub(super) async fn show(
    State(node): State<Arc<Node>>,
    visitor: Visitor,
    InOrganization(organization): InOrganization,
) -> Result<Response, Failure> {
    let (caller, now) = (&visitor.caller, node.clock.now());
    let Overview { keys, refusals, rotation } =
        overview(&node.records, &node.signer, caller, &organization).await?;
    let root = visitor.shell.root(&organization);
    let may_see_log = caller.may_in(&organization, Verb::Read, &["audit"]).is_ok();
    let refused_at = if may_see_log {
        let yesterday = now.plus(-DAY).rfc3339();
        format!("{root}/audit?action=key.refused&from={}", &yesterday[..10])
    } else {
        format!("{root}/usage?span=hours")
    };
    let refusals = refusals.map(|number| Tile {
        label: "Refusals in the last day",
        count: Some(grouped(number)),
        is_some: number > 0,
        href: refused_at,
    });
    let next = |at| Rotation {
        when: When::new(at, now),
        is_overdue: at <= now,
        href: format!("{}/signing-keys", visitor.shell.base),
    };
    page(&OverviewPage {
        shell: visitor.shell_at(&organization, Section::Overview),
        states: states(keys.as_ref(), &root),
        attention: attention(keys.as_ref(), &root),
        refusals,
        rotation: rotation.map(next),
        edit: caller.may_in(&organization, Verb::Admin, &[]).is_ok().then(|| format!("{root}/edit")),
        organization: organization.to_string(),
    })
}

fn states(keys: Option<&KeyCounts>, root: &str) -> Vec<Tile> {
    vec![
        Tile::of("Active", keys.map(|keys| keys.active), format!("{root}/keys")),
        Tile::of("Disabled", keys.map(|keys| keys.disabled), format!("{root}/keys?status=disabled")),
        Tile::of("Expired", keys.map(|keys| keys.expired), format!("{root}/keys?status=expired")),
        Tile::of("Revoked", keys.map(|keys| keys.revoked), format!("{root}/keys?status=revoked")),
    ]
}

fn attention(keys: Option<&KeyCounts>, root: &str) -> Vec<Tile> {
    vec![
        Tile::of("Expire within 30 days", keys.map(|keys| keys.ending), format!("{root}/keys?soon=yes")),
        Tile::of("Not used for 90 days", keys.map(|keys| keys.idle), format!("{root}/keys?stale=yes")),
        Tile::of("Open to every address", keys.map(|keys| keys.open), format!("{root}/keys?open=yes")),
    ]
}

impl Tile {
    fn of(label: &'static str, count: Option<BoundedCount>, href: String) -> Self {
        let text = |count: BoundedCount| {
            let more = if count.or_more { "+" } else { "" };
            format!("{}{more}", grouped(count.number))
        };
        let is_some = count.is_some_and(|count| count.number > 0 || count.or_more);
        Self { label, count: count.map(text), is_some, href }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_count_that_stopped_says_so() {
        let shown = |number, or_more| {
            let tile = Tile::of("Active", Some(BoundedCount { number, or_more }), String::new());
            (tile.count.unwrap(), tile.is_some)
        };
        assert_eq!(shown(10_000, true), ("10\u{202f}000+".to_owned(), true));
        assert_eq!(shown(7, false), ("7".to_owned(), true));
        assert_eq!(shown(0, false), ("0".to_owned(), false));
        assert_eq!(shown(0, true), ("0+".to_owned(), true));
    }
}
