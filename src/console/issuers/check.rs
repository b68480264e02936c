//! Checks a trusted issuer, and a token of it.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::http::request::Parts;
use axum::response::Response;
use serde_json::json;

use super::show::href;
use crate::console::fields::WORKLOAD_TOKEN;
use crate::console::page::{is_mendable, page, refused};
use crate::console::problem::sentence;
use crate::console::shell::{Section, Shell};
use crate::console::submitted_form::SubmittedForm;
use crate::console::visitor::Visitor;
use crate::console::when::counted;
use crate::domain::api_key::KeyId;
use crate::http::failure::Failure;
use crate::http::path::OfIssuer;
use crate::http::query::Query;
use crate::node::Node;
use crate::use_cases::management::issuers::{
    self, CheckOutcome, IssuerCheck, IssuerCheckRequest, IssuerPath,
};
use crate::use_cases::management::{ApiError, InvalidRequest, ParameterError};

#[derive(Template)]
#[template(path = "issuer_check.html")]
struct CheckPage {
    shell: Shell,
    href: String,
    name: String,
    /// The id of the key whose rules are tried, as typed.
    key: String,
    found: Option<Found>,
    error: Option<String>,
}

/// What a check found, for people.
struct Found {
    outcomes: Vec<Outcome>,
    /// Whether the key that was named has no rule for the issuer.
    has_no_rule: bool,
}

struct Outcome {
    what: String,
    is_good: bool,
    said: String,
}

/// `GET /console/orgs/{org}/issuers/{issuer}/check`.
pub(in crate::console) async fn form(
    State(node): State<Arc<Node>>,
    visitor: Visitor,
    OfIssuer(path): OfIssuer,
    parts: Parts,
) -> Result<Response, Failure> {
    let query = Query::of_page(&parts, &["key"])?;
    page(&CheckPage::of(&node, &visitor, &path, query.text("key").unwrap_or_default()).await?)
}

/// `POST /console/orgs/{org}/issuers/{issuer}/check`. The token is neither kept nor sent back.
pub(in crate::console) async fn check(
    State(node): State<Arc<Node>>,
    OfIssuer(path): OfIssuer,
    submitted: SubmittedForm,
) -> Result<Response, Failure> {
    let SubmittedForm { visitor, fields, .. } = &submitted;
    let (typed, token) = (fields.text("key"), fields.text(WORKLOAD_TOKEN));
    let asked = CheckPage::of(&node, visitor, &path, typed).await?;
    if submitted.is_resumed() {
        return page(&asked);
    }
    match checked(&node, visitor, &path, typed, token).await {
        Ok(found) => {
            let has_no_rule = !typed.is_empty() && found.token_is_good() && found.rules.is_empty();
            let found = Found { outcomes: outcomes(&found), has_no_rule };
            page(&CheckPage { found: Some(found), ..asked })
        }
        Err(error @ ApiError::NotFound) if !typed.is_empty() => {
            let said = Some("The organization has no such key, or you may not see it.".to_owned());
            Err(refused(&CheckPage { error: said, ..asked }, error))
        }
        Err(error) if is_mendable(&error) => {
            let said = Some(sentence(&error.message()));
            Err(refused(&CheckPage { error: said, ..asked }, error))
        }
        Err(error) => Err(error.into()),
    }
}

async fn checked(
    node: &Arc<Node>,
    visitor: &Visitor,
    path: &IssuerPath,
    key: &str,
    token: &str,
) -> Result<IssuerCheck, ApiError> {
    let given = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
    let key = given(key).map(|key| key.parse::<KeyId>()).transpose();
    let key = key.map_err(|error| InvalidRequest::Value(ParameterError::KeyId(error)))?;
    let request = json!({ "token": given(token), "key": key.map(|key| key.to_string()) });
    let request: IssuerCheckRequest = serde_json::from_value(request).map_err(ApiError::internal)?;
    let federation = &node.authenticator.federation;
    issuers::check(&node.records, federation, &visitor.caller, path, request).await
}

fn outcomes(found: &IssuerCheck) -> Vec<Outcome> {
    let outcome = |what: String, outcome: &CheckOutcome, good: String| Outcome {
        what,
        is_good: outcome.ok,
        said: outcome.reason.as_ref().map_or(good, |reason| sentence(reason)),
    };
    let usable = counted(i64::try_from(found.keys.usable).unwrap_or_default(), "usable key");
    let keys = outcome("Keys of the issuer".into(), &found.keys.outcome, format!("The issuer has {usable}."));
    let token = found.token.as_ref();
    let token =
        token.map(|token| outcome("Token".into(), token, "The issuer signed it, and it is valid.".into()));
    let rules = found.rules.iter().map(|rule| {
        outcome(format!("Trust rule {}", rule.id), &rule.outcome, "The token fulfils it.".into())
    });
    [keys].into_iter().chain(token).chain(rules).collect()
}

impl CheckPage {
    async fn of(node: &Arc<Node>, visitor: &Visitor, path: &IssuerPath, key: &str) -> Result<Self, ApiError> {
        let issuer = issuers::read(&node.records, &visitor.caller, path).await?;
        Ok(Self {
            shell: visitor.shell_at(&path.organization, Section::Issuers),
            href: href(visitor, path),
            name: issuer.name,
            key: key.to_owned(),
            found: None,
            error: None,
        })
    }
}
