//! Creates a key.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::http::request::Parts;
use axum::response::Response;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;

use super::form::{KeyForm, Until};
use super::form_parts::{FormParts, Offers};
use super::list::Choices;
use crate::console::made_key;
use crate::console::new_secrets::CreationKind;
use crate::console::page::{is_mendable, page, refused};
use crate::console::shell::{Section, Shell};
use crate::console::submitted_form::SubmittedForm;
use crate::console::visitor::Visitor;
use crate::console::wrong::malformed;
use crate::domain::names::OrganizationId;
use crate::domain::scope::Verb;
use crate::http::failure::Failure;
use crate::http::path::InOrganization;
use crate::http::query::Query;
use crate::node::Node;
use crate::use_cases::management::keys::{KeyPath, NewKeyRequest};
use crate::use_cases::management::{ApiError, Idempotent, InvalidRequest, keys};

#[derive(Template)]
#[template(path = "key_new.html")]
struct NewKeyPage {
    shell: Shell,
    root: String,
    form: KeyForm,
    /// Identifies this form, so that a second submission is recognized.
    form_id: String,
    parts: FormParts,
    /// The name of the key that this one begins like.
    like: Option<String>,
}

/// `GET /console/orgs/{org}/keys/new`. With `from`, the form begins with what that key has.
pub(in crate::console) async fn form(
    State(node): State<Arc<Node>>,
    visitor: Visitor,
    InOrganization(organization): InOrganization,
    parts: Parts,
) -> Result<Response, Failure> {
    keys::may_begin(&visitor.caller, &organization)?;
    let query = Query::of_page(&parts, &["project", "environment", "from"])?;
    let text = |name| query.text(name).unwrap_or_default();
    let offers = Offers::to(&node, &visitor.caller, &organization).await?;
    let choices = offers.projects(&node, &visitor.caller, &organization).await?;
    let (form, like) = match query.text("from") {
        Some(id) => {
            let key = id.parse().map_err(|_| ApiError::NotFound)?;
            let path = KeyPath { organization: organization.clone(), key };
            let key = keys::find(&node.records, &visitor.caller, &path, Verb::Read).await?;
            (KeyForm::like(&key, &offers.scopes, node.clock.now()), Some(key.name))
        }
        None => {
            let (project, environment) = beginning(&choices, text("project"), text("environment"));
            (KeyForm::empty(project, environment), None)
        }
    };
    let shown = shown(&visitor, &organization, (&offers, choices), form, fresh_id(&node)?);
    page(&NewKeyPage { like, ..shown })
}

/// `POST /console/orgs/{org}/keys/new`. Only this response shows the key.
pub(in crate::console) async fn create(
    State(node): State<Arc<Node>>,
    InOrganization(organization): InOrganization,
    submitted: SubmittedForm,
) -> Result<Response, Failure> {
    let SubmittedForm { visitor, fields, .. } = &submitted;
    let mut form = KeyForm::sent(fields);
    let offers = Offers::to(&node, &visitor.caller, &organization).await?;
    if submitted.is_resumed() {
        let choices = offers.projects(&node, &visitor.caller, &organization).await?;
        return page(&shown(visitor, &organization, (&offers, choices), form, fresh_id(&node)?));
    }
    let form_id = fields.text("form").to_owned();
    if form.edited(fields, offers.address()) {
        let choices = offers.projects(&node, &visitor.caller, &organization).await?;
        if fields.has("choose") {
            (form.project, form.environment) = beginning(&choices, &form.project, &form.environment);
        }
        return page(&shown(visitor, &organization, (&offers, choices), form, form_id));
    }
    let Some(mut members) = form.members(node.clock.now()) else {
        let choices = offers.projects(&node, &visitor.caller, &organization).await?;
        let again = shown(visitor, &organization, (&offers, choices), form, form_id);
        return Err(refused(&again, InvalidRequest::FormField.into()));
    };
    members.insert("project".into(), form.project.clone().into());
    members.insert("environment".into(), form.environment.clone().into());
    // The management API creates a key without an end when the member is absent.
    members.retain(|name, value| name != "expires_at" || !value.is_null());
    let made = match serde_json::from_value::<NewKeyRequest>(Value::Object(members)) {
        Ok(request) => {
            let (server, caller, home) = (Arc::clone(&node), visitor.caller.clone(), organization.clone());
            let create = |idempotent| async move {
                let makers = (&server.minter, &*server.authenticator);
                keys::create(&server.records, makers, &caller, home, request, idempotent).await
            };
            submitted.once(CreationKind::Key, create).await
        }
        Err(error) => Err(malformed(error)),
    };
    match made {
        Ok(Idempotent::New(shown)) => made_key::page(&node, Some(visitor), &shown).await,
        Ok(Idempotent::Replayed(answer)) => Ok(made_key::before(&node, visitor, &organization, &answer)),
        Err(error) if is_mendable(&error) => {
            form.refuse(&error);
            // A new form id, because the earlier one may already have created a key.
            let choices = offers.projects(&node, &visitor.caller, &organization).await?;
            let again = shown(visitor, &organization, (&offers, choices), form, fresh_id(&node)?);
            Err(refused(&again, error))
        }
        Err(error) => Err(error.into()),
    }
}

fn shown(
    visitor: &Visitor,
    organization: &OrganizationId,
    (offers, choices): (&Offers, Choices),
    mut form: KeyForm,
    form_id: String,
) -> NewKeyPage {
    NewKeyPage {
        shell: visitor.shell_at(organization, Section::Keys),
        root: visitor.shell.root(organization),
        parts: offers.for_new(&mut form, choices),
        form,
        form_id,
        like: None,
    }
}

/// The initial project and environment: those of the list's filters if they exist, or may exist.
fn beginning(choices: &Choices, project: &str, environment: &str) -> (String, String) {
    let chosen = choices.projects.iter().find(|choice| choice.id == project);
    if chosen.is_none() && choices.are_some && !project.is_empty() {
        return (project.into(), environment.into());
    }
    let Some(chosen) = chosen.or(choices.projects.first()) else {
        return (project.into(), environment.into());
    };
    let is_there = chosen.environments.iter().any(|slug| slug == environment);
    (chosen.id.clone(), if is_there { environment } else { chosen.first() }.to_owned())
}

/// A new form id.
pub(super) fn fresh_id(node: &Node) -> Result<String, ApiError> {
    node.records.entropy.identifier().map(|id| URL_SAFE_NO_PAD.encode(id)).map_err(ApiError::internal)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::console::keys::list::Choice;

    #[test]
    fn a_key_begins_in_production_only_where_there_is_nothing_else() {
        let choice = |id: &str, slugs: &[&str]| Choice {
            id: id.into(),
            environments: slugs.iter().map(ToString::to_string).collect(),
        };
        let of = |projects, are_some| Choices { projects, are_some };
        let choices = of(vec![choice("a", &["prd", "stg"]), choice("b", &["live"])], false);
        for (project, environment, begun) in [
            ("", "", ("a", "stg")),
            ("a", "prd", ("a", "prd")),
            ("a", "live", ("a", "stg")),
            ("b", "stg", ("b", "live")),
            ("none", "", ("a", "stg")),
        ] {
            let (project, environment) = beginning(&choices, project, environment);
            assert_eq!((&*project, &*environment), begun);
        }
        assert_eq!(beginning(&of(Vec::new(), false), "x", "y"), ("x".into(), "y".into()));
        let some = of(choices.projects, true);
        assert_eq!(beginning(&some, "unlisted", "qa"), ("unlisted".into(), "qa".into()));
    }
}
