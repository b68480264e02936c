//! The members of an organization, or of the deployment: the list with the form that invites somebody, and the pages of
//! one member.

pub(super) mod act;
mod face;
mod form;
mod projects;
pub(super) mod show;

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::http::request::Parts;
use axum::response::Response;

use self::form::MemberForm;
use self::projects::ProjectPicker;
use super::notice;
use super::page::{is_mendable, page, refused};
use super::problem::sentence;
use super::shell::{DeploymentSection, Section, Shell};
use super::step_up;
use super::submitted_form::SubmittedForm;
use super::visitor::Visitor;
use super::when::{Age, When};
use crate::domain::member::{Member, MemberSource, Role};
use crate::domain::names::OrganizationId;
use crate::http::failure::Failure;
use crate::http::path::OfPlace;
use crate::http::query::Query;
use crate::node::Node;
use crate::use_cases::management::members::{self, Invited};
use crate::use_cases::management::{ApiError, Idempotent, PageRequest, carry_out};

const PER_PAGE: u16 = 50;

#[derive(Template)]
#[template(path = "members.html")]
struct MembersPage {
    shell: Shell,
    /// The path of the list.
    list: String,
    is_of_deployment: bool,
    rows: Vec<Row>,
    next: Option<String>,
    /// Whether the visitor may invite somebody.
    may_invite: bool,
    providers: Vec<String>,
    roles: Vec<Role>,
    form: MemberForm,
    projects: ProjectPicker,
    error: Option<String>,
    done: Option<&'static str>,
}

struct Row {
    id: String,
    name: String,
    email: String,
    role: Role,
    status: &'static str,
    /// Whether a group at the provider made the person a member.
    is_by_groups: bool,
    seen: Option<Age>,
}

/// The page that shows the link of an invitation, once.
#[derive(Template)]
#[template(path = "member_invited.html")]
struct InvitedPage {
    shell: Shell,
    href: String,
    name: String,
    email: String,
    provider: String,
    link: String,
    until: When,
}

/// `GET /console/members` and `GET /console/orgs/{org}/members`.
pub(super) async fn list(
    State(node): State<Arc<Node>>,
    visitor: Visitor,
    OfPlace(organization): OfPlace,
    parts: Parts,
) -> Result<Response, Failure> {
    let query = Query::of_page(&parts, &["cursor"])?;
    let cursor = query.text("cursor").map(str::to_owned);
    let listed =
        MembersPage::of(&node, &visitor, organization.as_ref(), MemberForm::default(), cursor).await?;
    let taken = notice::take(&node, &parts.headers, Some(&visitor.session), &listed.list);
    let shown = page(&MembersPage { done: taken.text(), ..listed })?;
    Ok(taken.shown_on(shown))
}

/// `POST /console/members` and `POST /console/orgs/{org}/members`.
pub(super) async fn invite(
    State(node): State<Arc<Node>>,
    OfPlace(organization): OfPlace,
    submitted: SubmittedForm,
) -> Result<Response, Failure> {
    let SubmittedForm { visitor, fields, .. } = &submitted;
    let form = MemberForm::sent(fields);
    if submitted.is_resumed() {
        return page(&MembersPage::of(&node, visitor, organization.as_ref(), form, None).await?);
    }
    let list = list_path(&visitor.shell, organization.as_ref());
    if let Some(asked) = step_up::required(&node, &submitted, &list).await? {
        return Ok(asked);
    }
    match invited(&node, visitor, organization.clone(), &form).await {
        Ok(invited) => page(&InvitedPage::of(&node, visitor, &invited)),
        Err(error) if is_mendable(&error) => {
            let said = Some(sentence(&error.message()));
            let again = MembersPage::of(&node, visitor, organization.as_ref(), form, None).await?;
            Err(refused(&MembersPage { error: said, ..again }, error))
        }
        Err(error) => Err(error.into()),
    }
}

async fn invited(
    node: &Arc<Node>,
    visitor: &Visitor,
    organization: Option<OrganizationId>,
    form: &MemberForm,
) -> Result<Invited, ApiError> {
    let request = form.new_member()?;
    let (server, caller) = (Arc::clone(node), visitor.caller.clone());
    let made = carry_out(async move {
        let (records, providers) = (&server.records, &server.deployment.sign_in);
        members::invite(records, providers, &caller, organization, request, None).await
    });
    match made.await? {
        Idempotent::New(invited) => Ok(invited),
        Idempotent::Replayed(_) => Err(ApiError::internal("a form without an id was replayed")),
    }
}

/// The path of the list that a member is in.
fn list_path(shell: &Shell, organization: Option<&OrganizationId>) -> String {
    let root = organization.map_or_else(|| shell.base.clone(), |organization| shell.root(organization));
    format!("{root}/members")
}

/// The shell of the pages of members.
fn shell_of(visitor: &Visitor, organization: Option<&OrganizationId>) -> Shell {
    match organization {
        Some(organization) => visitor.shell_at(organization, Section::Members),
        None => visitor.shell.at_deployment(&visitor.caller, DeploymentSection::Members),
    }
}

impl MembersPage {
    async fn of(
        node: &Arc<Node>,
        visitor: &Visitor,
        organization: Option<&OrganizationId>,
        form: MemberForm,
        cursor: Option<String>,
    ) -> Result<Self, ApiError> {
        let now = node.clock.now();
        let request = PageRequest { limit: PER_PAGE, cursor };
        let (found, next) = members::list(&node.records, &visitor.caller, organization, request).await?;
        let row = |member: &Member| Row {
            id: member.id.to_string(),
            name: member.name.clone(),
            email: member.email.clone(),
            role: member.role,
            status: member.status(now).as_str(),
            is_by_groups: member.source == MemberSource::Groups,
            seen: member.last_seen_at.map(|at| When::new(at, now).age()),
        };
        let shell = shell_of(visitor, organization);
        let list = list_path(&shell, organization);
        Ok(Self {
            is_of_deployment: organization.is_none(),
            rows: found.iter().map(row).collect(),
            next: next.map(|cursor| format!("{list}?cursor={cursor}")),
            may_invite: members::may_invite(&visitor.caller, organization).is_ok(),
            providers: node.deployment.sign_in.names().to_vec(),
            roles: roles(organization),
            projects: ProjectPicker::read(node, &visitor.caller, organization, &form).await?,
            form,
            error: None,
            done: None,
            list,
            shell,
        })
    }
}

/// The roles that a member of this place can have.
fn roles(organization: Option<&OrganizationId>) -> Vec<Role> {
    match organization {
        Some(_) => Role::OF_ORGANIZATIONS.to_vec(),
        None => vec![Role::Operator],
    }
}

impl InvitedPage {
    fn of(node: &Node, visitor: &Visitor, invited: &Invited) -> Self {
        let (member, now) = (&invited.member, node.clock.now());
        let shell = shell_of(visitor, member.organization.as_ref());
        Self {
            href: format!("{}/{}", list_path(&shell, member.organization.as_ref()), member.id),
            name: member.name.clone(),
            email: member.email.clone(),
            provider: member.provider.clone(),
            link: invited.code.link(&node.deployment.issuer),
            until: When::new(member.invitation_expires_at.unwrap_or(now), now),
            shell,
        }
    }
}
