//! Adds a trust rule to a key, and removes one.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::http::request::Parts;
use axum::response::Response;

use super::act::{KeyAction, again, ask, once_more};
use super::rule_form::{IssuerChoice, OTHER, PlatformForm, RuleForm};
use crate::console::issuers::readable;
use crate::console::notice::Notice;
use crate::console::page::{address, is_mendable, page, refused};
use crate::console::problem::sentence;
use crate::console::shell::{Section, Shell};
use crate::console::submitted_form::SubmittedForm;
use crate::console::visitor::Visitor;
use crate::domain::scope::Verb;
use crate::http::failure::Failure;
use crate::http::path::{OfKey, OfTrustRule};
use crate::http::query::Query;
use crate::node::Node;
use crate::use_cases::management::keys::{self, KeyPath};
use crate::use_cases::management::{ApiError, Force, carry_out};

#[derive(Template)]
#[template(path = "key_trust_rule.html")]
struct TrustRulePage {
    shell: Shell,
    href: String,
    name: String,
    form: RuleForm,
    platforms: Vec<PlatformForm>,
    issuers: Vec<IssuerChoice>,
    /// Whether these are all issuers of the organization, so that one can be chosen.
    are_all: bool,
    /// The page on which the visitor may create an issuer.
    create_issuer: Option<String>,
    /// The audience of a rule that names none.
    own_issuer: String,
    field: String,
    error: Option<String>,
}

/// `GET …/trust-rules/new`.
pub(in crate::console) async fn form(
    State(node): State<Arc<Node>>,
    visitor: Visitor,
    OfKey(path): OfKey,
    parts: Parts,
) -> Result<Response, Failure> {
    let query = Query::of_page(&parts, &["platform"])?;
    let form = RuleForm::empty(query.text("platform").unwrap_or_default());
    page(&TrustRulePage::of(&node, &visitor, &path, form).await?)
}

/// `POST …/trust-rules/new`.
pub(in crate::console) async fn add(
    State(node): State<Arc<Node>>,
    OfKey(path): OfKey,
    submitted: SubmittedForm,
) -> Result<Response, Failure> {
    let SubmittedForm { visitor, fields, .. } = &submitted;
    let form = RuleForm::sent(fields);
    if submitted.is_resumed() {
        return page(&TrustRulePage::of(&node, visitor, &path, form).await?);
    }
    let (server, caller, of) = (Arc::clone(&node), visitor.caller.clone(), path.clone());
    let added = match form.rule() {
        Ok(rule) => carry_out(async move { keys::add_rule(&server.records, &caller, &of, rule).await }).await,
        Err(reason) => Err(reason.into()),
    };
    match added {
        Ok(_) => Ok(Notice::Trusted.at(&node, Some(&visitor.session), &visitor.shell.key(&path))),
        Err(error) if is_mendable(&error) => {
            let (field, said) = (form.field_of(&error), Some(sentence(&error.message())));
            let again = TrustRulePage::of(&node, visitor, &path, form).await?;
            Err(refused(&TrustRulePage { field, error: said, ..again }, error))
        }
        Err(error) => Err(error.into()),
    }
}

/// `GET …/trust-rules/{trust_rule}/remove`.
pub(in crate::console) async fn ask_remove(
    node: State<Arc<Node>>,
    visitor: Visitor,
    OfTrustRule(path, rule): OfTrustRule,
) -> Result<Response, Failure> {
    ask(&node, &visitor, &path, KeyAction::RemoveTrustRule, &format!("trust-rules/{rule}/remove")).await
}

/// `POST …/trust-rules/{trust_rule}/remove`.
pub(in crate::console) async fn remove(
    State(node): State<Arc<Node>>,
    OfTrustRule(path, rule): OfTrustRule,
    submitted: SubmittedForm,
) -> Result<Response, Failure> {
    let (visitor, action) = (&submitted.visitor, format!("trust-rules/{rule}/remove"));
    if submitted.is_resumed() {
        return once_more(&node, &submitted, &path, KeyAction::RemoveTrustRule, &action).await;
    }
    let (server, caller, of) = (Arc::clone(&node), visitor.caller.clone(), path.clone());
    let removed =
        carry_out(async move { keys::remove_rule(&server.records, &caller, &of, rule, Force::No).await });
    match removed.await {
        Ok(()) => Ok(Notice::Distrusted.at(&node, Some(&visitor.session), &visitor.shell.key(&path))),
        Err(error) => again(&node, &submitted, &path, KeyAction::RemoveTrustRule, &action, error).await,
    }
}

impl TrustRulePage {
    async fn of(
        node: &Arc<Node>,
        visitor: &Visitor,
        path: &KeyPath,
        form: RuleForm,
    ) -> Result<Self, ApiError> {
        let (caller, organization) = (&visitor.caller, &path.organization);
        let key = keys::find(&node.records, caller, path, Verb::Write).await?;
        let may_create = caller.may_all_in(organization, Verb::Admin, &["issuers", "*"]).is_ok();
        let issuers: Vec<_> = readable(node, visitor, organization).await?;
        let issuers: Vec<_> = issuers.iter().map(IssuerChoice::of).collect();
        let page = format!("{}/issuers", visitor.shell.root(organization));
        let wanted = if form.platform == OTHER { "" } else { form.platform };
        Ok(Self {
            shell: visitor.shell_at(organization, Section::Keys),
            href: visitor.shell.key(path),
            name: key.name,
            create_issuer: may_create.then(|| address(&page, [("platform", wanted)])),
            platforms: PlatformForm::all(&form),
            form: form.with_issuer_among(&issuers),
            issuers,
            are_all: caller.may_all_in(organization, Verb::Read, &["issuers", "*"]).is_ok(),
            own_issuer: node.deployment.issuer.to_string(),
            field: String::new(),
            error: None,
        })
    }

    /// The error, if it is about this field.
    fn wrong(&self, field: &str) -> Option<&str> {
        self.error.as_deref().filter(|_| self.field == field)
    }
}
