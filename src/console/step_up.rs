//! Asks a member to sign in at the provider again before a dangerous act. A browser that somebody left open, or a session
//! that somebody stole, is then not enough to take over an organization.

use std::sync::Arc;

use askama::Template;
use axum::response::{IntoResponse as _, Response};

use super::page;
use super::shell::Shell;
use super::sign_in_attempt::{attempt, unreachable, way};
use super::submitted_form::SubmittedForm;
use super::unsent_form::Unsent;
use crate::base::clock::{NODE_SKEW_SECONDS, Timestamp};
use crate::http::failure::Failure;
use crate::node::{Again, Node};
use crate::store::ConsoleSession;
use crate::use_cases::access::Identity;
use crate::use_cases::management::ApiError;

/// How long a sign-in at the provider is enough for dangerous acts, in seconds.
const FRESH_SECONDS: i64 = 600;

#[derive(Template)]
#[template(path = "step_up.html")]
struct StepUpPage {
    shell: Shell,
    /// The label of the provider.
    provider: String,
    /// The address at the provider.
    to: String,
    /// The page before the act.
    back: String,
    is_form_kept: bool,
}

#[derive(Template)]
#[template(path = "step_up_refused.html")]
struct RefusedPage {
    shell: Shell,
    message: String,
    back: String,
}

/// What to answer instead of a dangerous act: the page that leads a member to the provider, unless they have signed in there
/// within ten minutes. The form waits in the browser, and appears again afterwards. If it is too long for that, `back`, the
/// page before the act, appears in its place. `None` for everybody who may act now. Nobody can be asked about the session of
/// a key, or about one of the portal: they have no provider.
///
/// # Errors
/// [`Failure`] when the provider can't be asked. Then the act must not be done either.
pub(super) async fn required(
    node: &Arc<Node>,
    submitted: &SubmittedForm,
    back: &str,
) -> Result<Option<Response>, Failure> {
    let visitor = &submitted.visitor;
    let Identity::Member(member) = &visitor.caller.identity else { return Ok(None) };
    if is_fresh(visitor.in_console()?, node.clock.now()) {
        return Ok(None);
    }
    let (identity, provider) = match (&member.identity, node.sign_in.provider(&member.provider)) {
        (Some(identity), Some(provider)) => (identity, provider),
        _ => return Err(refused(visitor.shell.clone(), back, NO_PROVIDER.into())),
    };
    let mut attempt = attempt(node, provider, back.to_owned())?;
    attempt.earlier = Some(visitor.session.expose().to_string());
    attempt.again = Some(Again {
        member: member.id.to_string(),
        issuer: identity.issuer.clone(),
        subject: identity.subject.clone(),
    });
    let unsent = Unsent::new(&visitor.shell.base, &submitted.path, submitted.fields.clone());
    attempt.form = unsent.map(Unsent::into_carried);
    let Some(way) = way(node, provider, attempt).await? else {
        return Err(refused(visitor.shell.clone(), back, unreachable(provider)));
    };
    let asked = StepUpPage {
        shell: visitor.shell.clone(),
        provider: provider.settings.label.clone(),
        to: way.url.clone(),
        back: back.to_owned(),
        is_form_kept: way.is_form_kept,
    };
    let asked = page::refused(&asked, ApiError::Unauthenticated { presented: false });
    Ok(Some(way.kept_on(node, asked.into_response())))
}

const NO_PROVIDER: &str =
    "The provider at which you signed in is not set up here any more. Ask an administrator.";

/// Whether the member has signed in at the provider lately, by the provider's word.
fn is_fresh(session: &ConsoleSession, now: Timestamp) -> bool {
    let is_lately = |at| (-NODE_SKEW_SECONDS..=FRESH_SECONDS).contains(&now.since(at));
    session.authenticated_at.is_some_and(is_lately)
}

/// The page for a member who is not confirmed. It leads to `back`, the page before the act.
pub(super) fn refused(shell: Shell, back: &str, message: String) -> Failure {
    let page = RefusedPage { shell, message, back: back.to_owned() };
    page::refused(&page, ApiError::Unauthenticated { presented: false })
}
