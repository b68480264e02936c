//! Actions on a key, some of which can't be undone. Each asks for confirmation first.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::response::Response;

use super::new::fresh_id;
use super::ways_in::{Replaced, WayIn, ways_in};
use crate::base::clock::Timestamp;
use crate::console::confirm;
use crate::console::fields::Fields;
use crate::console::made_key;
use crate::console::new_secrets::CreationKind;
use crate::console::notice::Notice;
use crate::console::page::{is_mendable, page, refused, see_other};
use crate::console::problem::sentence;
use crate::console::shell::{Section, Shell};
use crate::console::submitted_form::SubmittedForm;
use crate::console::visitor::Visitor;
use crate::console::when::When;
use crate::domain::key::{ApiKey, KeyStatus};
use crate::domain::scope::Verb;
use crate::http::failure::Failure;
use crate::http::path::{OfKey, OfSecret};
use crate::node::Node;
use crate::use_cases::management::keys::KeyPath;
use crate::use_cases::management::{ApiError, Force, Idempotent, InvalidRequest, KeyAct, carry_out, keys};

/// The default overlap in seconds: one week.
const OVERLAP: &str = "604800";

/// An action on a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum KeyAction {
    Disable,
    Enable,
    Rotate,
    Revoke,
    Delete,
    Retire,
    RemovePublicKey,
    RemoveTrustRule,
}

impl KeyAction {
    /// What it does to the key.
    const fn act(self) -> KeyAct {
        match self {
            Self::Disable | Self::Enable => KeyAct::Suspend,
            Self::Rotate | Self::Retire => KeyAct::Rotate,
            Self::Revoke => KeyAct::Revoke,
            Self::Delete => KeyAct::Delete,
            Self::RemovePublicKey | Self::RemoveTrustRule => KeyAct::ChangeWaysIn,
        }
    }

    /// The field that an error is about.
    const fn field(self) -> &'static str {
        match self {
            Self::Revoke | Self::Delete => "name",
            Self::Disable
            | Self::Enable
            | Self::Rotate
            | Self::Retire
            | Self::RemovePublicKey
            | Self::RemoveTrustRule => "",
        }
    }
}

/// The visitor's input.
#[derive(Debug)]
pub(super) struct Typed {
    name: String,
    reason: String,
    overlap: String,
}

#[derive(Template)]
#[template(path = "key_act.html")]
struct ActPage {
    shell: Shell,
    href: String,
    act: KeyAction,
    action: String,
    form_id: String,
    key: ApiKey,
    status: KeyStatus,
    last_used: Option<When>,
    is_own: bool,
    typed: Typed,
    /// The way in to take away, if the action is about one.
    way: Option<WayIn>,
    /// Whether the secret to retire is the replacement of another one.
    undoes_rotation: bool,
    error: Option<String>,
}

/// `GET …/rotate`.
pub(in crate::console) async fn ask_rotate(
    node: State<Arc<Node>>,
    visitor: Visitor,
    OfKey(path): OfKey,
) -> Result<Response, Failure> {
    ask(&node, &visitor, &path, KeyAction::Rotate, "rotate").await
}

/// `GET …/revoke`.
pub(in crate::console) async fn ask_revoke(
    node: State<Arc<Node>>,
    visitor: Visitor,
    OfKey(path): OfKey,
) -> Result<Response, Failure> {
    ask(&node, &visitor, &path, KeyAction::Revoke, "revoke").await
}

/// `GET …/delete`.
pub(in crate::console) async fn ask_delete(
    node: State<Arc<Node>>,
    visitor: Visitor,
    OfKey(path): OfKey,
) -> Result<Response, Failure> {
    ask(&node, &visitor, &path, KeyAction::Delete, "delete").await
}

/// `GET …/secrets/{secret}/retire`.
pub(in crate::console) async fn ask_retire(
    node: State<Arc<Node>>,
    visitor: Visitor,
    OfSecret(path, secret): OfSecret,
) -> Result<Response, Failure> {
    ask(&node, &visitor, &path, KeyAction::Retire, &format!("secrets/{secret}/retire")).await
}

/// `POST …/rotate`. Only this response shows the new secret.
pub(in crate::console) async fn rotate(
    State(node): State<Arc<Node>>,
    OfKey(path): OfKey,
    submitted: SubmittedForm,
) -> Result<Response, Failure> {
    let SubmittedForm { visitor, fields, .. } = &submitted;
    if submitted.is_resumed() {
        return once_more(&node, &submitted, &path, KeyAction::Rotate, "rotate").await;
    }
    let rotation =
        serde_json::json!({ "overlap_seconds": fields.text("overlap").parse::<i64>().unwrap_or(-1) });
    let rotation = serde_json::from_value(rotation)
        .map_err(|error| ApiError::from(InvalidRequest::FormMembers(error.to_string())))?;
    let (server, caller, of) = (Arc::clone(&node), visitor.caller.clone(), path.clone());
    let rotate = |idempotent| async move {
        keys::rotate(&server.records, &server.minter, &caller, &of, &rotation, idempotent).await
    };
    match submitted.once(CreationKind::Secret, rotate).await {
        Ok(Idempotent::New(shown)) => made_key::page(&node, Some(visitor), &shown).await,
        Ok(Idempotent::Replayed(answer)) => Ok(made_key::before(&node, visitor, &path.organization, &answer)),
        Err(error) => again(&node, &submitted, &path, KeyAction::Rotate, "rotate", error).await,
    }
}

/// `POST …/revoke`.
pub(in crate::console) async fn revoke(
    State(node): State<Arc<Node>>,
    OfKey(path): OfKey,
    submitted: SubmittedForm,
) -> Result<Response, Failure> {
    let SubmittedForm { visitor, fields, .. } = &submitted;
    if submitted.is_resumed() {
        return once_more(&node, &submitted, &path, KeyAction::Revoke, "revoke").await;
    }
    let reason = Some(fields.text("reason").to_owned()).filter(|reason| !reason.is_empty());
    let (server, caller, of) = (Arc::clone(&node), visitor.caller.clone(), path.clone());
    let done = match named(&node, visitor, &path, fields.text("name")).await {
        Ok(()) => {
            carry_out(async move { keys::revoke(&server.records, &caller, &of, reason, Force::No).await })
                .await
                .map(drop)
        }
        Err(error) => Err(error),
    };
    match done {
        Ok(()) => Ok(Notice::Revoked.at(&node, Some(&visitor.session), &visitor.shell.key(&path))),
        Err(error) => again(&node, &submitted, &path, KeyAction::Revoke, "revoke", error).await,
    }
}

/// `POST …/delete`.
pub(in crate::console) async fn delete(
    State(node): State<Arc<Node>>,
    OfKey(path): OfKey,
    submitted: SubmittedForm,
) -> Result<Response, Failure> {
    let SubmittedForm { visitor, fields, .. } = &submitted;
    if submitted.is_resumed() {
        return once_more(&node, &submitted, &path, KeyAction::Delete, "delete").await;
    }
    let (server, caller, of) = (Arc::clone(&node), visitor.caller.clone(), path.clone());
    let done = match named(&node, visitor, &path, fields.text("name")).await {
        Ok(()) => {
            carry_out(async move { keys::delete(&server.records, &caller, &of, Force::No).await }).await
        }
        Err(error) => Err(error),
    };
    match done {
        Ok(()) => Ok(see_other(&format!("{}/orgs/{}/keys", visitor.shell.base, path.organization))),
        Err(error) => again(&node, &submitted, &path, KeyAction::Delete, "delete", error).await,
    }
}

/// `POST …/secrets/{secret}/retire`.
pub(in crate::console) async fn retire(
    State(node): State<Arc<Node>>,
    OfSecret(path, secret): OfSecret,
    submitted: SubmittedForm,
) -> Result<Response, Failure> {
    let (visitor, action) = (&submitted.visitor, format!("secrets/{secret}/retire"));
    if submitted.is_resumed() {
        return once_more(&node, &submitted, &path, KeyAction::Retire, &action).await;
    }
    let (server, caller, of) = (Arc::clone(&node), visitor.caller.clone(), path.clone());
    match carry_out(async move { keys::retire(&server.records, &caller, &of, secret).await }).await {
        Ok(retired) => {
            let done = if retired.kept.is_some() { Notice::Kept } else { Notice::Retired };
            Ok(done.at(&node, Some(&visitor.session), &visitor.shell.key(&path)))
        }
        Err(error) => again(&node, &submitted, &path, KeyAction::Retire, &action, error).await,
    }
}

/// Checks that the typed name is the key's.
async fn named(node: &Arc<Node>, visitor: &Visitor, path: &KeyPath, typed: &str) -> Result<(), ApiError> {
    let key = keys::find(&node.records, &visitor.caller, path, Verb::Write).await?;
    if confirm::names(typed, &key.name, &key.id.to_string()) {
        return Ok(());
    }
    Err(InvalidRequest::NameMismatch.into())
}

pub(super) async fn ask(
    node: &Arc<Node>,
    visitor: &Visitor,
    path: &KeyPath,
    act: KeyAction,
    action: &str,
) -> Result<Response, Failure> {
    page(&asked(node, visitor, path, act, action).await?)
}

/// Shows the confirmation again with the visitor's input.
pub(super) async fn once_more(
    node: &Arc<Node>,
    submitted: &SubmittedForm,
    path: &KeyPath,
    act: KeyAction,
    action: &str,
) -> Result<Response, Failure> {
    page(&asked_again(node, submitted, path, act, action).await?)
}

/// Shows the confirmation again with the error. An error that other input can't fix gets a page of its own.
pub(super) async fn again(
    node: &Arc<Node>,
    submitted: &SubmittedForm,
    path: &KeyPath,
    act: KeyAction,
    action: &str,
    error: ApiError,
) -> Result<Response, Failure> {
    if !is_mendable(&error) {
        return Err(error.into());
    }
    let said = Some(sentence(&error.message()));
    Err(refused(&ActPage { error: said, ..asked_again(node, submitted, path, act, action).await? }, error))
}

async fn asked_again(
    node: &Arc<Node>,
    submitted: &SubmittedForm,
    path: &KeyPath,
    act: KeyAction,
    action: &str,
) -> Result<ActPage, ApiError> {
    let asked = asked(node, &submitted.visitor, path, act, action).await?;
    Ok(ActPage { typed: Typed::sent(&submitted.fields), ..asked })
}

async fn asked(
    node: &Arc<Node>,
    visitor: &Visitor,
    path: &KeyPath,
    act: KeyAction,
    action: &str,
) -> Result<ActPage, ApiError> {
    let key = keys::find_for(&node.records, &visitor.caller, path, act.act()).await?;
    let (now, href) = (node.clock.now(), visitor.shell.key(path));
    Ok(ActPage {
        shell: visitor.shell_at(&path.organization, Section::Keys),
        way: ways_in(&key, &href, now)
            .into_iter()
            .find(|way| way.take_away == format!("{href}/{action}"))
            .map(|way| WayIn { issuer: None, ..way }),
        action: format!("{href}/{action}"),
        href,
        act,
        form_id: fresh_id(node)?,
        status: key.status(now),
        last_used: key.last_used_at.map(|at| When::new(at, now)),
        is_own: visitor.caller.is_key(&key.id),
        typed: Typed::none(),
        undoes_rotation: act == KeyAction::Retire && undoes_rotation(&key, action, now),
        key,
        error: None,
    })
}

impl Typed {
    fn none() -> Self {
        Self { name: String::new(), reason: String::new(), overlap: OVERLAP.into() }
    }

    fn sent(fields: &Fields) -> Self {
        let text = |name| fields.text(name).to_owned();
        let overlap = if fields.has("overlap") { text("overlap") } else { OVERLAP.into() };
        Self { name: text("name"), reason: text("reason"), overlap }
    }
}

/// Whether every secret except the one named in `action` has an end.
fn undoes_rotation(key: &ApiKey, action: &str, now: Timestamp) -> bool {
    let left = || key.live_secrets(now).filter(|secret| !action.contains(&secret.id.to_string()));
    left().count() > 0 && left().all(|secret| secret.expires_at.is_some())
}
