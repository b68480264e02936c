//! Changes a key, after a preview of the differences.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use serde_json::Value;

use super::face::KeyFace;
use super::form::{KeyForm, Until};
use super::form_parts::{FormParts, Offers};
use crate::base::clock::Timestamp;
use crate::console::fields::{Fields, TOKEN};
use crate::console::notice::Notice;
use crate::console::page::{is_mendable, page, refused};
use crate::console::review::{Item, Review, ReviewedChange};
use crate::console::shell::{Section, Shell};
use crate::console::submitted_form::SubmittedForm;
use crate::console::visitor::Visitor;
use crate::console::wrong::malformed;
use crate::domain::key::ApiKey;
use crate::http::failure::Failure;
use crate::http::path::OfKey;
use crate::node::Node;
use crate::use_cases::management::keys::{KeyPatch, KeyPath};
use crate::use_cases::management::{
    ApiError, Changed, Conflict, Force, IfMatch, InvalidRequest, KeyAct, Terms, Versioned as _, carry_out,
    keys,
};

#[derive(Template)]
#[template(path = "key_edit.html")]
struct EditPage {
    shell: Shell,
    href: String,
    name: String,
    form: KeyForm,
    root: String,
    parts: FormParts,
    /// The present end of the key, as RFC 3339. Empty if it has none.
    kept: String,
    /// The key's state when the form was first shown. It reveals a change by somebody else in the meantime.
    base: String,
    /// Changes by somebody else since then.
    changed: Review,
}

#[derive(Template)]
#[template(path = "key_preview.html")]
struct PreviewPage {
    shell: Shell,
    href: String,
    name: String,
    /// The form's input, which the page carries.
    carried: Vec<(String, String)>,
    review: Review,
    base: String,
    /// Whether the change revokes tokens and makes requests fail.
    takes_away: bool,
    /// Whether clients need proofs from now on.
    requires_proofs: bool,
    version: String,
}

/// `GET /console/orgs/{org}/keys/{key}/edit`.
pub(in crate::console) async fn form(
    State(node): State<Arc<Node>>,
    visitor: Visitor,
    OfKey(path): OfKey,
) -> Result<Response, Failure> {
    let key = keys::find_for(&node.records, &visitor.caller, &path, KeyAct::Edit).await?;
    if key.revoked.is_some() {
        return Err(ApiError::from(Conflict::RevokedKeyUnchangeable).into());
    }
    let offers = Offers::to(&node, &visitor.caller, &path.organization).await?;
    let form = KeyForm::of(&key, &offers.scopes);
    page(&EditPage::new(&visitor, &path, &offers, &key, form))
}

/// `POST /console/orgs/{org}/keys/{key}/edit`.
pub(in crate::console) async fn change(
    State(node): State<Arc<Node>>,
    OfKey(path): OfKey,
    submitted: SubmittedForm,
) -> Result<Response, Failure> {
    let is_resumed = submitted.is_resumed();
    let SubmittedForm { visitor, fields, .. } = submitted;
    let mut form = KeyForm::sent(&fields);
    let began = fields.text("base");
    let key = keys::find_for(&node.records, &visitor.caller, &path, KeyAct::Edit).await?;
    let offers = Offers::to(&node, &visitor.caller, &path.organization).await?;
    if form.edited(&fields, offers.address()) || fields.has("back") || is_resumed {
        let again = EditPage::new(&visitor, &path, &offers, &key, form);
        return page(&EditPage { base: began.to_owned(), ..again });
    }
    if !began.is_empty() && began != base(&key) {
        return Err(overtaken(&visitor, &path, &offers, form, (began, &key)));
    }
    let Some(members) = form.members(node.clock.now()) else {
        let again = EditPage::new(&visitor, &path, &offers, &key, form);
        return Err(refused(&again, InvalidRequest::FormField.into()));
    };
    let version = fields.text("version");
    let is_final = !version.is_empty();
    let terms = Terms {
        dry_run: !is_final,
        force: Force::No,
        if_match: is_final.then(|| IfMatch::parse([version.as_bytes()])).transpose()?,
    };
    match changed(&node, &visitor, &path, Value::Object(members), terms).await {
        Ok(_) if is_final => Ok(Notice::Changed.at(&node, Some(&visitor.session), &visitor.shell.key(&path))),
        Ok(done) if done.before.is_as(&done.after) => {
            Ok(Notice::Unchanged.at(&node, Some(&visitor.session), &visitor.shell.key(&path)))
        }
        Ok(done) => page(&PreviewPage::new(&visitor, &path, fields, &done, &offers)),
        Err(ApiError::PreconditionFailed) => {
            let now = keys::find_for(&node.records, &visitor.caller, &path, KeyAct::Edit).await?;
            form.refuse(&Conflict::ChangedMeanwhile.into());
            Err(overtaken(&visitor, &path, &offers, form, (&base(&key), &now)))
        }
        Err(error) if is_mendable(&error) => {
            form.refuse(&error);
            Err(refused(&EditPage::new(&visitor, &path, &offers, &key, form), error))
        }
        Err(error) => Err(error.into()),
    }
}

async fn changed(
    node: &Arc<Node>,
    visitor: &Visitor,
    path: &KeyPath,
    members: Value,
    terms: Terms,
) -> Result<Changed<ApiKey>, ApiError> {
    let patch: KeyPatch = serde_json::from_value(members).map_err(malformed)?;
    let (server, caller, path) = (Arc::clone(node), visitor.caller.clone(), path.clone());
    carry_out(async move { keys::change(&server.records, &caller, &path, patch, &terms).await }).await
}

/// The members of a key that the form edits.
fn base(key: &ApiKey) -> String {
    KeyFace::of(key).text()
}

/// The form again, with the changes by somebody else since it was first shown.
fn overtaken(
    visitor: &Visitor,
    path: &KeyPath,
    offers: &Offers,
    form: KeyForm,
    (began, now): (&str, &ApiKey),
) -> Failure {
    let again = EditPage::new(visitor, path, offers, now, form);
    let changed =
        KeyFace::read(began).review(&KeyFace::of(now), (&offers.scopes, &offers.members), offers.now);
    refused(&EditPage { changed, ..again }, ApiError::PreconditionFailed)
}

impl EditPage {
    fn new(visitor: &Visitor, path: &KeyPath, offers: &Offers, key: &ApiKey, mut form: KeyForm) -> Self {
        Self {
            shell: visitor.shell_at(&path.organization, Section::Keys),
            href: visitor.shell.key(path),
            root: visitor.shell.root(&path.organization),
            name: key.name.clone(),
            parts: offers.for_change(&mut form, key),
            form,
            kept: key.expires_at.map(Timestamp::rfc3339).unwrap_or_default(),
            base: base(key),
            changed: Review::default(),
        }
    }
}

impl PreviewPage {
    fn new(
        visitor: &Visitor,
        path: &KeyPath,
        fields: Fields,
        done: &Changed<ApiKey>,
        offers: &Offers,
    ) -> Self {
        let (before, after) = (KeyFace::of(&done.before), KeyFace::of(&done.after));
        Self {
            shell: visitor.shell_at(&path.organization, Section::Keys),
            href: visitor.shell.key(path),
            name: done.before.name.clone(),
            carried: fields.without(&[TOKEN, "base", "version"]).into_pairs(),
            base: before.text(),
            review: before.review(&after, (&offers.scopes, &offers.members), offers.now),
            takes_away: done.after.generation > done.before.generation,
            requires_proofs: done.after.is_stricter_than(&done.before),
            version: done.before.etag().to_string(),
        }
    }
}
