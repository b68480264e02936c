//! The page of one member.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::http::request::Parts;
use axum::response::Response;

use super::face::MemberFace;
use super::form::MemberForm;
use super::projects::ProjectPicker;
use super::{list_path, roles, shell_of};
use crate::console::named::Copied;
use crate::console::notice;
use crate::console::page::page;
use crate::console::review::{Item, Review, ReviewedChange};
use crate::console::shell::Shell;
use crate::console::visitor::Visitor;
use crate::console::when::{Age, When};
use crate::domain::member::{MemberSource, MemberStatus, Role};
use crate::domain::scope::Verb;
use crate::http::failure::Failure;
use crate::http::path::OfMember;
use crate::http::query::Query;
use crate::node::Node;
use crate::use_cases::management::members::{self, HeldKey, MemberPath};
use crate::use_cases::management::{ApiError, PageRequest};

/// The most keys that the page lists.
const KEYS: u16 = 100;

#[derive(Template)]
#[template(path = "member.html")]
pub(super) struct MemberPage {
    pub(super) shell: Shell,
    pub(super) list: String,
    pub(super) href: String,
    pub(super) id: Copied,
    pub(super) name: String,
    pub(super) email: String,
    pub(super) role: Role,
    pub(super) status: &'static str,
    /// Whether the member has not signed in yet.
    pub(super) is_pending: bool,
    /// Whether a group at the provider made the person a member, and decides about the role.
    pub(super) is_by_groups: bool,
    pub(super) provider: String,
    pub(super) invited: When,
    pub(super) invited_by: String,
    pub(super) seen: Option<Age>,
    pub(super) until: Option<When>,
    pub(super) may_change: bool,
    pub(super) roles: Vec<Role>,
    pub(super) form: MemberForm,
    pub(super) projects: ProjectPicker,
    /// What the form edits, as it was when the page was made. It reveals a change by somebody else in the meantime.
    pub(super) base: String,
    /// Changes by somebody else since the form was first shown.
    pub(super) changed: Review,
    pub(super) keys: Vec<KeyRow>,
    /// Whether there are more keys than the page lists.
    pub(super) has_more_keys: bool,
    pub(super) error: Option<String>,
    pub(super) done: Option<&'static str>,
}

/// A key that the member created or rotated.
pub(super) struct KeyRow {
    /// `organization/key`, as the form of the removal sends it.
    pub(super) value: String,
    pub(super) name: String,
    pub(super) href: String,
}

/// `GET /console/members/{usr}` and `GET /console/orgs/{org}/members/{usr}`.
pub(in crate::console) async fn show(
    State(node): State<Arc<Node>>,
    visitor: Visitor,
    OfMember(path): OfMember,
    parts: Parts,
) -> Result<Response, Failure> {
    Query::of_page(&parts, &[])?;
    let shown = MemberPage::of(&node, &visitor, &path, None).await?;
    let taken = notice::take(&node, &parts.headers, Some(&visitor.session), &shown.href);
    let shown = page(&MemberPage { done: taken.text(), ..shown })?;
    Ok(taken.shown_on(shown))
}

impl MemberPage {
    /// The page, with what was typed into its form.
    ///
    /// # Errors
    /// [`ApiError`].
    pub(super) async fn of(
        node: &Arc<Node>,
        visitor: &Visitor,
        path: &MemberPath,
        form: Option<MemberForm>,
    ) -> Result<Self, ApiError> {
        let (caller, now) = (&visitor.caller, node.clock.now());
        let member = members::read(&node.records, caller, path).await?;
        let all = PageRequest { limit: KEYS, cursor: None };
        let (keys, more) = members::held_keys(&node.records, caller, path, all).await?;
        let organization = path.organization.as_ref();
        let shell = shell_of(visitor, organization);
        let list = list_path(&shell, organization);
        let status = member.status(now);
        let creator = &member.created_by;
        let form = form.unwrap_or_else(|| MemberForm::of(&member));
        Ok(Self {
            href: format!("{list}/{}", member.id),
            id: Copied::new(member.id),
            status: status.as_str(),
            is_pending: matches!(status, MemberStatus::Invited | MemberStatus::Expired),
            is_by_groups: member.source == MemberSource::Groups,
            invited: When::new(member.created_at, now),
            invited_by: creator.name.clone().unwrap_or_else(|| creator.id.clone()),
            seen: member.last_seen_at.map(|at| When::new(at, now).age()),
            until: member.invitation_expires_at.map(|at| When::new(at, now)),
            may_change: members::may(caller, path, Verb::Write).is_ok(),
            roles: roles(organization),
            projects: ProjectPicker::read(node, caller, organization, &form).await?,
            form,
            base: MemberFace::of(&member).text(),
            changed: Review::default(),
            keys: keys.iter().map(|key| KeyRow::of(&shell, key)).collect(),
            has_more_keys: more.is_some(),
            error: None,
            done: None,
            name: member.name,
            email: member.email,
            role: member.role,
            provider: member.provider,
            list,
            shell,
        })
    }
}

impl KeyRow {
    fn of(shell: &Shell, key: &HeldKey) -> Self {
        Self {
            value: format!("{}/{}", key.organization, key.id),
            name: key.name.clone(),
            href: format!("{}/orgs/{}/keys/{}", shell.base, key.organization, key.id),
        }
    }
}
