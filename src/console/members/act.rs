//! Changes and removes a member, and makes a new link for somebody who is invited.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::response::Response;

use super::face::MemberFace;
use super::form::MemberForm;
use super::show::MemberPage;
use super::{InvitedPage, list_path};
use crate::console::fields::Fields;
use crate::console::notice::Notice;
use crate::console::page::{is_mendable, page, refused};
use crate::console::problem::sentence;
use crate::console::shell::Shell;
use crate::console::step_up;
use crate::console::submitted_form::SubmittedForm;
use crate::console::visitor::Visitor;
use crate::domain::scope::Verb;
use crate::http::failure::Failure;
use crate::http::path::OfMember;
use crate::node::Node;
use crate::use_cases::management::keys::{self, KeyPath};
use crate::use_cases::management::members::{self, MemberPath};
use crate::use_cases::management::{ApiError, Force, IfMatch, Terms, Versioned as _, carry_out};

#[derive(Template)]
#[template(path = "member_remove.html")]
struct RemovePage {
    shell: Shell,
    member: MemberPage,
    /// The keys that are ticked, as the form sends them.
    ticked: Vec<String>,
    error: Option<String>,
}

impl RemovePage {
    async fn of(
        node: &Arc<Node>,
        visitor: &Visitor,
        path: &MemberPath,
        fields: &Fields,
    ) -> Result<Self, ApiError> {
        let member = MemberPage::of(node, visitor, path, None).await?;
        let ticked = fields.all("revoke").map(str::to_owned).collect();
        Ok(Self { shell: member.shell.clone(), member, ticked, error: None })
    }
}

/// `POST …/members/{usr}`: the form of the page changes name, role and projects.
pub(in crate::console) async fn change(
    State(node): State<Arc<Node>>,
    OfMember(path): OfMember,
    submitted: SubmittedForm,
) -> Result<Response, Failure> {
    let SubmittedForm { visitor, fields, .. } = &submitted;
    let (form, began) = (MemberForm::sent(fields), fields.text("base"));
    if submitted.is_resumed() {
        let again = MemberPage::of(&node, visitor, &path, Some(form)).await?;
        return page(&MemberPage { base: began.to_owned(), ..again });
    }
    let href = page_path(visitor, &path);
    if let Some(asked) = step_up::required(&node, &submitted, &href).await? {
        return Ok(asked);
    }
    match changed(&node, visitor, &path, &form, began).await {
        Ok(()) => Ok(Notice::MemberChanged.at(&node, Some(&visitor.session), &href)),
        Err(ApiError::PreconditionFailed) => {
            let again = MemberPage::of(&node, visitor, &path, Some(form)).await?;
            let changed = MemberFace::read(began).review(&MemberFace::read(&again.base));
            Err(refused(&MemberPage { changed, ..again }, ApiError::PreconditionFailed))
        }
        Err(error) => Err(again(&node, visitor, &path, Some(form), error).await?),
    }
}

/// `POST …/members/{usr}/invitation`.
pub(in crate::console) async fn renew(
    State(node): State<Arc<Node>>,
    OfMember(path): OfMember,
    submitted: SubmittedForm,
) -> Result<Response, Failure> {
    let visitor = &submitted.visitor;
    if submitted.is_resumed() {
        return page(&MemberPage::of(&node, visitor, &path, None).await?);
    }
    if let Some(asked) = step_up::required(&node, &submitted, &page_path(visitor, &path)).await? {
        return Ok(asked);
    }
    let (server, caller, of) = (Arc::clone(&node), visitor.caller.clone(), path.clone());
    match carry_out(async move { members::renew(&server.records, &caller, &of).await }).await {
        Ok(invited) => page(&InvitedPage::of(&node, visitor, &invited)),
        Err(error) => Err(again(&node, visitor, &path, None, error).await?),
    }
}

/// `GET …/members/{usr}/remove`.
pub(in crate::console) async fn ask_remove(
    State(node): State<Arc<Node>>,
    visitor: Visitor,
    OfMember(path): OfMember,
) -> Result<Response, Failure> {
    members::may(&visitor.caller, &path, Verb::Write)?;
    page(&RemovePage::of(&node, &visitor, &path, &Fields::default()).await?)
}

/// `POST …/members/{usr}/remove`: removes the member first, and then revokes the keys that are ticked.
pub(in crate::console) async fn remove(
    State(node): State<Arc<Node>>,
    OfMember(path): OfMember,
    submitted: SubmittedForm,
) -> Result<Response, Failure> {
    let SubmittedForm { visitor, fields, .. } = &submitted;
    if submitted.is_resumed() {
        return page(&RemovePage::of(&node, visitor, &path, fields).await?);
    }
    let back = format!("{}/remove", page_path(visitor, &path));
    if let Some(asked) = step_up::required(&node, &submitted, &back).await? {
        return Ok(asked);
    }
    let keys: Vec<KeyPath> = fields.all("revoke").filter_map(key_path).collect();
    let (server, caller, of) = (Arc::clone(&node), visitor.caller.clone(), path.clone());
    let removed = carry_out(async move {
        members::remove(&server.records, &caller, &of).await?;
        for key in &keys {
            let reason = Some("its maker was removed".to_owned());
            keys::revoke(&server.records, &caller, key, reason, Force::No).await?;
        }
        Ok(())
    });
    match removed.await {
        Ok(()) => {
            let list = list_path(&visitor.shell, path.organization.as_ref());
            Ok(Notice::MemberRemoved.at(&node, Some(&visitor.session), &list))
        }
        Err(error) if is_mendable(&error) => {
            // If the member is gone, what failed is about a key, and the error has a page of its own.
            let asked = RemovePage::of(&node, visitor, &path, fields).await;
            let Ok(asked) = asked else { return Err(error.into()) };
            let said = Some(sentence(&error.message()));
            Err(refused(&RemovePage { error: said, ..asked }, error))
        }
        Err(error) => Err(error.into()),
    }
}

/// The path of the member's page.
fn page_path(visitor: &Visitor, path: &MemberPath) -> String {
    format!("{}/{}", list_path(&visitor.shell, path.organization.as_ref()), path.member)
}

async fn changed(
    node: &Arc<Node>,
    visitor: &Visitor,
    path: &MemberPath,
    form: &MemberForm,
    began: &str,
) -> Result<(), ApiError> {
    let patch = form.patch()?;
    let now = members::read(&node.records, &visitor.caller, path).await?;
    if !began.is_empty() && MemberFace::of(&now).text() != began {
        return Err(ApiError::PreconditionFailed);
    }
    // Somebody may still be faster.
    let if_match = Some(IfMatch::parse([now.etag().as_str().as_bytes()])?);
    let terms = Terms { if_match, ..Terms::default() };
    let (server, caller, of) = (Arc::clone(node), visitor.caller.clone(), path.clone());
    carry_out(async move { members::change(&server.records, &caller, &of, patch, &terms).await.map(drop) })
        .await
}

/// The page again with the error, if the visitor can do something about it.
async fn again(
    node: &Arc<Node>,
    visitor: &Visitor,
    path: &MemberPath,
    form: Option<MemberForm>,
    error: ApiError,
) -> Result<Failure, ApiError> {
    if !is_mendable(&error) {
        return Ok(error.into());
    }
    let said = Some(sentence(&error.message()));
    let member = MemberPage::of(node, visitor, path, form).await?;
    Ok(refused(&MemberPage { error: said, ..member }, error))
}

fn key_path(value: &str) -> Option<KeyPath> {
    let (organization, key) = value.split_once('/')?;
    Some(KeyPath { organization: organization.parse().ok()?, key: key.parse().ok()? })
}
