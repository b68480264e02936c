//! The page of a trusted issuer.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::http::request::Parts;
use axum::response::Response;

use super::source_of;
use crate::console::named::Copied;
use crate::console::notice;
use crate::console::page::page;
use crate::console::shell::{Section, Shell};
use crate::console::visitor::Visitor;
use crate::console::when::When;
use crate::domain::scope::Verb;
use crate::domain::trusted_issuer::TrustedIssuer;
use crate::http::failure::Failure;
use crate::http::path::OfIssuer;
use crate::node::Node;
use crate::use_cases::management::issuers::{self, IssuerPath};

#[derive(Template)]
#[template(path = "issuer.html")]
struct IssuerPage {
    shell: Shell,
    root: String,
    href: String,
    id: Copied,
    issuer: TrustedIssuer,
    keys: String,
    created: When,
    disabled: Option<When>,
    may_change: bool,
    done: Option<&'static str>,
}

/// `GET /console/orgs/{org}/issuers/{issuer}`.
pub(in crate::console) async fn show(
    State(node): State<Arc<Node>>,
    visitor: Visitor,
    OfIssuer(path): OfIssuer,
    parts: Parts,
) -> Result<Response, Failure> {
    let issuer = issuers::read(&node.records, &visitor.caller, &path).await?;
    let (now, href) = (node.clock.now(), href(&visitor, &path));
    let taken = notice::take(&node, &parts.headers, Some(&visitor.session), &href);
    let shown = page(&IssuerPage {
        shell: visitor.shell_at(&path.organization, Section::Issuers),
        root: visitor.shell.root(&path.organization),
        href,
        id: Copied::new(&issuer.id),
        keys: source_of(&issuer),
        created: When::new(issuer.created_at, now),
        disabled: issuer.disabled_at.map(|at| When::new(at, now)),
        may_change: may_change(&visitor, &path),
        done: taken.text(),
        issuer,
    })?;
    Ok(taken.shown_on(shown))
}

/// The path of an issuer's page.
pub(super) fn href(visitor: &Visitor, path: &IssuerPath) -> String {
    format!("{}/issuers/{}", visitor.shell.root(&path.organization), path.issuer)
}

/// Whether the visitor may change the issuer.
fn may_change(visitor: &Visitor, path: &IssuerPath) -> bool {
    let below = ["issuers", path.issuer.as_str()];
    visitor.caller.may_in(&path.organization, Verb::Admin, &below).is_ok()
}
