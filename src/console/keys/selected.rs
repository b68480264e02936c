//! Acts on keys that are selected in the list. A page lists them by name and asks, and another one says what was done.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::response::Response;

use super::list::grouped;
use super::selected_act::SelectedAct;
use super::selection::Selection;
use crate::console::fields::Fields;
use crate::console::page::{is_mendable, page, refused};
use crate::console::problem::sentence;
use crate::console::shell::{Section, Shell};
use crate::console::step_up;
use crate::console::submitted_form::SubmittedForm;
use crate::console::visitor::Visitor;
use crate::domain::key::ApiKey;
use crate::domain::names::OrganizationId;
use crate::http::failure::Failure;
use crate::http::path::InOrganization;
use crate::node::Node;
use crate::use_cases::management::keys::{self, Chosen, ChosenAct, Kept, KeySearch};
use crate::use_cases::management::{
    ApiError, Force, IfMatch, InvalidRequest, Terms, Versioned as _, carry_out,
};

/// The most names that a page lists. It says how many others there are.
const MOST_NAMED: usize = 200;

#[derive(Template)]
#[template(path = "keys_selected.html")]
struct AskPage {
    shell: Shell,
    /// The path above the organization's pages.
    root: String,
    act: SelectedAct,
    /// The selection, as the form carries it.
    carried: Vec<(&'static str, String)>,
    able: Named,
    kept: Named,
    /// Whether the visitor's own key is among them.
    has_own: bool,
    version: String,
    tag: String,
    reason: String,
    number: String,
    /// Whether the keys have changed since the page was shown before.
    is_overtaken: bool,
    error: Option<String>,
}

#[derive(Template)]
#[template(path = "keys_done.html")]
struct DonePage {
    shell: Shell,
    root: String,
    act: SelectedAct,
    changed: usize,
    able: Named,
    kept: Named,
}

/// Keys by name, as far as a page lists them.
struct Named {
    number: usize,
    rows: Vec<NamedKey>,
}

struct NamedKey {
    id: String,
    name: String,
    href: String,
    place: String,
    /// Why it stays as it is.
    reason: String,
}

/// `POST /console/orgs/{org}/keys/selected`: asks before anything is done to the selected keys.
pub(in crate::console) async fn ask(
    State(node): State<Arc<Node>>,
    InOrganization(organization): InOrganization,
    submitted: SubmittedForm,
) -> Result<Response, Failure> {
    page(&AskPage::of(&node, &submitted, &organization).await?)
}

/// `POST /console/orgs/{org}/keys/selected/act`.
pub(in crate::console) async fn act(
    State(node): State<Arc<Node>>,
    InOrganization(organization): InOrganization,
    submitted: SubmittedForm,
) -> Result<Response, Failure> {
    if submitted.is_resumed() {
        return page(&AskPage::of(&node, &submitted, &organization).await?);
    }
    if let Some(asked) = asked_again(&node, &submitted, &organization).await? {
        return Ok(asked);
    }
    match done(&node, &submitted, &organization).await {
        Ok(done) => page(&done),
        Err(ApiError::PreconditionFailed) => {
            let again = AskPage::of(&node, &submitted, &organization).await?;
            Err(refused(&AskPage { is_overtaken: true, ..again }, ApiError::PreconditionFailed))
        }
        Err(error) if is_mendable(&error) => {
            let Ok(again) = AskPage::of(&node, &submitted, &organization).await else {
                return Err(error.into());
            };
            let said = Some(sentence(&error.message()));
            Err(refused(&AskPage { error: said, ..again }, error))
        }
        Err(error) => Err(error.into()),
    }
}

/// What to answer instead of revoking several keys. Nothing is revoked unless the number in the form is the right one, so it
/// says whether there are several.
async fn asked_again(
    node: &Arc<Node>,
    submitted: &SubmittedForm,
    organization: &OrganizationId,
) -> Result<Option<Response>, Failure> {
    let SubmittedForm { visitor, fields, .. } = submitted;
    let is_of_several = fields.text("number").parse().is_ok_and(|number: usize| number > 1);
    if SelectedAct::read(fields.text("act"))? != SelectedAct::Revoke || !is_of_several {
        return Ok(None);
    }
    let list = format!("{}/keys", visitor.shell.root(organization));
    step_up::required(node, submitted, &list).await
}

async fn done(
    node: &Arc<Node>,
    submitted: &SubmittedForm,
    organization: &OrganizationId,
) -> Result<DonePage, ApiError> {
    let SubmittedForm { visitor, fields, .. } = submitted;
    let act = SelectedAct::read(fields.text("act"))?;
    let typed = act.typed(fields)?;
    if act.needs_tag() && fields.text("tag").is_empty() {
        return Err(InvalidRequest::FormField.into());
    }
    let search = Selection::read(fields)?.search(organization, node.clock.now())?;
    let would = acted(node, visitor, &search, &typed, Terms { dry_run: true, ..Terms::default() }).await?;
    if would.changed == 0 {
        return Ok(DonePage::of(visitor, organization, act, would));
    }
    if act == SelectedAct::Revoke && fields.text("number") != would.able.len().to_string() {
        // Whoever typed the number of another selection has to see this one first.
        IfMatch::parse([fields.text("version").as_bytes()])?.check(&would)?;
        return Err(InvalidRequest::NumberMismatch.into());
    }
    let if_match = Some(IfMatch::parse([fields.text("version").as_bytes()])?);
    let terms = Terms { dry_run: false, force: Force::No, if_match };
    let done = acted(node, visitor, &search, &typed, terms).await?;
    Ok(DonePage::of(visitor, organization, act, done))
}

async fn acted(
    node: &Arc<Node>,
    visitor: &Visitor,
    search: &KeySearch,
    act: &ChosenAct,
    terms: Terms,
) -> Result<Chosen, ApiError> {
    let (server, caller) = (Arc::clone(node), visitor.caller.clone());
    let (search, act) = (search.clone(), act.clone());
    carry_out(async move { keys::act_on_chosen(&server.records, &caller, &search, &act, &terms).await }).await
}

impl AskPage {
    /// The page with what was typed into its form. What was typed may be wrong, and decides nothing here.
    async fn of(
        node: &Arc<Node>,
        submitted: &SubmittedForm,
        organization: &OrganizationId,
    ) -> Result<Self, ApiError> {
        let SubmittedForm { visitor, fields, .. } = submitted;
        let act = SelectedAct::read(fields.text("act"))?;
        let selection = Selection::read(fields)?;
        let search = selection.search(organization, node.clock.now())?;
        let empty = act.typed(&Fields::default())?;
        let terms = Terms { dry_run: true, ..Terms::default() };
        let would = acted(node, visitor, &search, &empty, terms).await?;
        let root = visitor.shell.root(organization);
        let text = |name| fields.text(name).to_owned();
        Ok(Self {
            shell: visitor.shell_at(organization, Section::Keys),
            has_own: would.able.iter().any(|key| visitor.caller.is_key(&key.id)),
            version: would.etag().to_string(),
            able: Named::able(&would.able, &root),
            kept: Named::kept(&would.kept, act, &root),
            root,
            act,
            carried: selection.carried(),
            tag: text("tag"),
            reason: text("reason"),
            number: text("number"),
            is_overtaken: false,
            error: None,
        })
    }

    /// The error, if it is about the field for this.
    fn wrong(&self) -> Option<&str> {
        self.error.as_deref()
    }

    /// The field that an error leads to.
    fn field(&self) -> &'static str {
        match self.act {
            SelectedAct::AddTag | SelectedAct::RemoveTag => "tag",
            SelectedAct::Revoke => "number",
            SelectedAct::Disable | SelectedAct::Enable => "",
        }
    }
}

impl DonePage {
    fn of(visitor: &Visitor, organization: &OrganizationId, act: SelectedAct, done: Chosen) -> Self {
        let root = visitor.shell.root(organization);
        Self {
            shell: visitor.shell_at(organization, Section::Keys),
            changed: done.changed,
            able: Named::able(&done.able, &root),
            kept: Named::kept(&done.kept, act, &root),
            root,
            act,
        }
    }
}

impl Named {
    fn able(keys: &[ApiKey], root: &str) -> Self {
        let rows = keys.iter().take(MOST_NAMED).map(|key| NamedKey::of(key, root, String::new()));
        Self { number: keys.len(), rows: rows.collect() }
    }

    fn kept(keys: &[(ApiKey, Kept)], act: SelectedAct, root: &str) -> Self {
        let row = |(key, kept): &(ApiKey, Kept)| NamedKey::of(key, root, reason(kept, act));
        Self { number: keys.len(), rows: keys.iter().take(MOST_NAMED).map(row).collect() }
    }

    /// How many keys there are besides those that are listed, in words.
    fn others(&self) -> Option<String> {
        let others = self.number - self.rows.len();
        (others > 0).then(|| in_words(others))
    }

    /// How many there are, in words.
    fn in_words(&self) -> String {
        in_words(self.number)
    }
}

/// `1 key` or `1,234 keys`.
fn in_words(number: usize) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{} key{plural}", grouped(number as u64))
}

fn reason(kept: &Kept, act: SelectedAct) -> String {
    match kept {
        Kept::Revoked if act == SelectedAct::Revoke => act.already().to_owned(),
        Kept::Revoked => "It is revoked.".to_owned(),
        Kept::AsItIs => act.already().to_owned(),
        Kept::Refused(error) => sentence(&error.message()),
    }
}

impl NamedKey {
    fn of(key: &ApiKey, root: &str, reason: String) -> Self {
        Self {
            id: key.id.to_string(),
            name: key.name.clone(),
            href: format!("{root}/keys/{}", key.id),
            place: format!("{} / {}", key.project, key.environment),
            reason,
        }
    }
}
