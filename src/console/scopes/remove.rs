//! Removes an entry of a catalogue, after a confirmation.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::response::Response;

use super::edit::found;
use super::{href, list_path, shell_of};
use crate::console::notice::Notice;
use crate::console::page::{is_mendable, page, refused};
use crate::console::problem::sentence;
use crate::console::shell::Shell;
use crate::console::submitted_form::SubmittedForm;
use crate::console::visitor::Visitor;
use crate::http::failure::Failure;
use crate::http::path::OfNamedScope;
use crate::node::Node;
use crate::use_cases::management::scopes::{self, NamedScopePath};
use crate::use_cases::management::{ApiError, carry_out};

#[derive(Template)]
#[template(path = "scope_remove.html")]
struct RemovePage {
    shell: Shell,
    list: String,
    href: String,
    name: String,
    scope: String,
    error: Option<String>,
}

/// `GET …/scopes/{scope}/remove`.
pub(in crate::console) async fn ask(
    State(node): State<Arc<Node>>,
    visitor: Visitor,
    OfNamedScope(path): OfNamedScope,
) -> Result<Response, Failure> {
    page(&RemovePage::of(&node, &visitor, &path).await?)
}

/// `POST …/scopes/{scope}/remove`.
pub(in crate::console) async fn remove(
    State(node): State<Arc<Node>>,
    OfNamedScope(path): OfNamedScope,
    submitted: SubmittedForm,
) -> Result<Response, Failure> {
    let visitor = &submitted.visitor;
    let asked = RemovePage::of(&node, visitor, &path).await?;
    if submitted.is_resumed() {
        return page(&asked);
    }
    let (server, caller, of) = (Arc::clone(&node), visitor.caller.clone(), path.clone());
    match carry_out(async move { scopes::delete(&server.records, &caller, &of).await }).await {
        Ok(()) => Ok(Notice::ScopeRemoved.at(&node, Some(&visitor.session), &asked.list)),
        Err(error) if is_mendable(&error) => {
            let said = Some(sentence(&error.message()));
            Err(refused(&RemovePage { error: said, ..asked }, error))
        }
        Err(error) => Err(error.into()),
    }
}

impl RemovePage {
    async fn of(node: &Arc<Node>, visitor: &Visitor, path: &NamedScopePath) -> Result<Self, ApiError> {
        let entry = found(node, visitor, path).await?;
        Ok(Self {
            shell: shell_of(visitor, &path.catalogue),
            list: list_path(&visitor.shell, &path.catalogue),
            href: href(&visitor.shell, path),
            name: entry.name,
            scope: entry.scope.to_string(),
            error: None,
        })
    }
}
