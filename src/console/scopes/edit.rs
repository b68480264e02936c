//! Changes an entry of a catalogue.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use serde_json::json;

use super::form::{self, ScopeForm};
use super::{href, list_path, shell_of};
use crate::console::notice::Notice;
use crate::console::page::{is_mendable, page, refused};
use crate::console::problem::sentence;
use crate::console::review::{Item, Review, ReviewedChange};
use crate::console::shell::Shell;
use crate::console::submitted_form::SubmittedForm;
use crate::console::visitor::Visitor;
use crate::console::wrong::Wrong;
use crate::domain::named_scope::NamedScope;
use crate::domain::scope::Verb;
use crate::http::failure::Failure;
use crate::http::path::OfNamedScope;
use crate::node::Node;
use crate::use_cases::management::scopes::{self, NamedScopePatch, NamedScopePath};
use crate::use_cases::management::{ApiError, Force, IfMatch, Terms, Versioned as _, carry_out};

#[derive(Template)]
#[template(path = "scope_edit.html")]
struct EditPage {
    shell: Shell,
    list: String,
    href: String,
    name: String,
    form: ScopeForm,
    /// No group is proposed but the present one.
    groups: Vec<String>,
    /// The entry's state when the form was first shown. It reveals a change by somebody else in the meantime.
    base: String,
    /// Changes by somebody else since then.
    changed: Review,
    field: &'static str,
    error: Option<String>,
}

/// `GET …/scopes/{scope}/edit`.
pub(in crate::console) async fn form(
    State(node): State<Arc<Node>>,
    visitor: Visitor,
    OfNamedScope(path): OfNamedScope,
) -> Result<Response, Failure> {
    let entry = found(&node, &visitor, &path).await?;
    page(&EditPage::of(&visitor, &path, &entry, ScopeForm::of(&entry)))
}

/// `POST …/scopes/{scope}/edit`.
pub(in crate::console) async fn change(
    State(node): State<Arc<Node>>,
    OfNamedScope(path): OfNamedScope,
    submitted: SubmittedForm,
) -> Result<Response, Failure> {
    let SubmittedForm { visitor, fields, .. } = &submitted;
    let entry = found(&node, visitor, &path).await?;
    let (form, began) = (ScopeForm::sent(fields), fields.text("base"));
    if submitted.is_resumed() {
        let again = EditPage::of(visitor, &path, &entry, form);
        return page(&EditPage { base: began.to_owned(), ..again });
    }
    if !began.is_empty() && began != base(&entry) {
        return Err(overtaken(visitor, &path, form, began, &entry));
    }
    let done = match form.patch(&entry) {
        Ok(Some(patch)) => changed(&node, visitor, &path, &entry, patch)
            .await
            .map(|()| Notice::ScopeChanged)
            .map_err(form::wrong),
        Ok(None) => Ok(Notice::Unchanged),
        Err(wrong) => Err(wrong),
    };
    match done {
        Ok(done) => {
            let list = list_path(&visitor.shell, &path.catalogue);
            Ok(done.at(&node, Some(&visitor.session), &list))
        }
        Err(Wrong { error: ApiError::PreconditionFailed, .. }) => {
            let now = found(&node, visitor, &path).await?;
            Err(overtaken(visitor, &path, form, &base(&entry), &now))
        }
        Err(Wrong { field, error }) if is_mendable(&error) => {
            let said = Some(sentence(&error.message()));
            let again = EditPage::of(visitor, &path, &entry, form);
            Err(refused(&EditPage { field, error: said, ..again }, error))
        }
        Err(Wrong { error, .. }) => Err(error.into()),
    }
}

async fn changed(
    node: &Arc<Node>,
    visitor: &Visitor,
    path: &NamedScopePath,
    before: &NamedScope,
    patch: NamedScopePatch,
) -> Result<(), ApiError> {
    let terms = Terms {
        dry_run: false,
        force: Force::No,
        if_match: Some(IfMatch::parse([before.etag().to_string().as_bytes()])?),
    };
    let (server, caller, of) = (Arc::clone(node), visitor.caller.clone(), path.clone());
    carry_out(async move { scopes::change(&server.records, &caller, &of, patch, &terms).await.map(drop) })
        .await
}

/// The entry, if the visitor may change it.
pub(super) async fn found(
    node: &Arc<Node>,
    visitor: &Visitor,
    path: &NamedScopePath,
) -> Result<NamedScope, ApiError> {
    scopes::may(&visitor.caller, path, Verb::Write)?;
    scopes::read(&node.records, &visitor.caller, path).await
}

/// The members of an entry that the form edits, as JSON.
fn base(entry: &NamedScope) -> String {
    json!({
        "scope": entry.scope,
        "name": entry.name,
        "description": entry.description,
        "group": entry.group,
    })
    .to_string()
}

/// The form again, with the changes by somebody else since it was first shown.
fn overtaken(
    visitor: &Visitor,
    path: &NamedScopePath,
    form: ScopeForm,
    began: &str,
    now: &NamedScope,
) -> Failure {
    let again = EditPage::of(visitor, path, now, form);
    let changed = Review::between(began, &again.base);
    refused(&EditPage { changed, ..again }, ApiError::PreconditionFailed)
}

impl EditPage {
    fn of(visitor: &Visitor, path: &NamedScopePath, entry: &NamedScope, form: ScopeForm) -> Self {
        Self {
            shell: shell_of(visitor, &path.catalogue),
            list: list_path(&visitor.shell, &path.catalogue),
            href: href(&visitor.shell, path),
            name: entry.name.clone(),
            // The form of another entry is not sent back with this one's id.
            form: ScopeForm { id: entry.id.to_string(), ..form },
            groups: entry.group.iter().cloned().collect(),
            base: base(entry),
            changed: Review::default(),
            field: "",
            error: None,
        }
    }

    /// The error, if it is about this field.
    fn wrong(&self, field: &str) -> Option<&str> {
        self.error.as_deref().filter(|_| self.field == field)
    }
}
