//! The form that creates and edits a key: its input and its errors.

mod bounds;
mod end;
mod picker;
mod rows;
mod summary;

use serde_json::{Map, Value, json};

pub(super) use self::bounds::FormBounds;
use self::end::{End, Meaning, USUAL};
pub(super) use self::end::{EndChoice, choices};
pub(super) use self::picker::Picker;
pub(super) use self::rows::{RangeRow, ScopeRow, TagRow};
use self::rows::{add_row, drop_row, or_one};
pub(super) use self::summary::{May, Summary, Until};
use crate::base::clock::Timestamp;
use crate::console::explain::read;
use crate::console::fields::Fields;
use crate::console::problem::sentence;
use crate::domain::cidr::Cidrs;
use crate::domain::key::{ApiKey, Owner, Tags, labels};
use crate::domain::named_scope::NamedScope;
use crate::domain::scope::{Preset, Scope, Scopes};
use crate::use_cases::management::{ApiError, Forbidden, InvalidRequest};

/// The input of a key's form.
#[derive(Clone, Debug, Default)]
pub(super) struct KeyForm {
    pub(super) name: String,
    pub(super) note: String,
    pub(super) owner: String,
    pub(super) tags: Vec<TagRow>,
    pub(super) project: String,
    pub(super) environment: String,
    pub(super) end: End,
    /// `full_access`, `query_only` or `scopes`.
    pub(super) access: String,
    /// The ticked scopes of the catalogue.
    pub(super) picked: Vec<String>,
    pub(super) rows: Vec<ScopeRow>,
    pub(super) ranges: Vec<RangeRow>,
    /// `optional` or `required`.
    pub(super) dpop: String,
    /// The field to focus after a button inside the form was pressed.
    pub(super) focus: &'static str,
    /// Whether the form has the fields for the owner and the tags. One from before they existed changes neither.
    has_labels: bool,
    mistakes: Vec<Mistake>,
}

/// An error in the form.
#[derive(Clone, Debug)]
pub(super) struct Mistake {
    /// The field; `form` stands for the form as a whole.
    field: &'static str,
    /// The id of the HTML element at fault, if there is one.
    pub(super) target: String,
    pub(super) text: String,
}

/// Stands for all of a form, where no field is named.
const WHOLE: &str = "form";

impl KeyForm {
    /// The form for a new key.
    pub(super) fn empty(project: String, environment: String) -> Self {
        Self {
            project,
            environment,
            end: End::choice(USUAL),
            access: "scopes".into(),
            rows: vec![ScopeRow::new("read", "")],
            ranges: vec![RangeRow::default()],
            tags: vec![TagRow::default()],
            has_labels: true,
            ..Self::default()
        }
    }

    /// The form filled from a key. Scopes that are `offered` are ticked, and others have rows.
    pub(super) fn of(key: &ApiKey, offered: &[NamedScope]) -> Self {
        let is_offered = |scope: &&Scope| offered.iter().any(|entry| entry.scope.scope() == *scope);
        let (picked, rest): (Vec<&Scope>, Vec<&Scope>) = key.scopes.iter().partition(is_offered);
        let row = |scope: &Scope| ScopeRow::new(scope.action().as_str(), scope.filter().as_str());
        let tags = key.tags.iter().map(|(name, value)| TagRow::new(name, value)).collect();
        Self {
            name: key.name.clone(),
            note: key.note.clone().unwrap_or_default(),
            owner: key.owner.as_ref().map(ToString::to_string).unwrap_or_default(),
            tags: or_one(tags, TagRow::default),
            project: key.project.to_string(),
            environment: key.environment.to_string(),
            end: End::choice("keep"),
            access: "scopes".into(),
            picked: picked.into_iter().map(ToString::to_string).collect(),
            rows: or_one(rest.into_iter().map(row).collect(), || ScopeRow::new("read", "")),
            ranges: RangeRow::of(&key.cidrs),
            dpop: key.dpop.to_string(),
            has_labels: true,
            ..Self::default()
        }
    }

    /// The form for a new key that is like another one.
    pub(super) fn like(key: &ApiKey, offered: &[NamedScope], now: Timestamp) -> Self {
        let name = format!("Copy of {}", key.name).chars().take(labels::MAX_NAME).collect();
        Self { name, end: End::same_as(key.expires_at, now), ..Self::of(key, offered) }
    }

    /// The form filled from a submission.
    pub(super) fn sent(fields: &Fields) -> Self {
        let text = |name| fields.text(name).to_owned();
        let end =
            End { choice: text("ends"), date: text("date"), time: text("time"), offset: text("offset") };
        Self {
            name: text("name"),
            note: text("note"),
            owner: Some(text("owner-member")).filter(|id| !id.is_empty()).unwrap_or_else(|| text("owner")),
            tags: TagRow::sent(fields),
            project: text("project"),
            environment: text("environment"),
            end,
            access: text("access"),
            picked: fields.all("scope").map(str::to_owned).collect(),
            rows: ScopeRow::sent(fields),
            ranges: RangeRow::sent(fields),
            dpop: text("dpop"),
            has_labels: fields.has("owner"),
            ..Self::default()
        }
    }

    /// Gives a ticked scope a row if the form does not offer it any more, so that nothing disappears.
    pub(super) fn settle(&mut self, offered: &[NamedScope]) {
        let is_offered = |text: &String| offered.iter().any(|entry| entry.scope.to_string() == *text);
        let (picked, gone): (Vec<_>, Vec<_>) =
            std::mem::take(&mut self.picked).into_iter().partition(is_offered);
        self.picked = picked;
        for text in gone {
            let (action, resource) = text.split_once(':').unwrap_or((&text, ""));
            self.rows.push(ScopeRow::new(action, resource));
        }
    }

    /// Replaces the choice of a preset and that of an end that the form does not offer.
    pub(super) fn offer(&mut self, bounds: &FormBounds, now: Timestamp) {
        if let Some(longest) = bounds.longest {
            self.end.offer(longest, now);
        }
        let preset = match &*self.access {
            "query_only" => Preset::QueryOnly,
            "full_access" => Preset::FullAccess,
            _ => return,
        };
        if !bounds.offer_preset(preset) {
            self.access = "scopes".into();
        }
    }

    /// Handles a button inside the form, if one was pressed: adds or removes a row, adds the visitor's address, loads
    /// the environments of another project, or shows the summary. The next page focuses the place where the button was.
    pub(super) fn edited(&mut self, fields: &Fields, address: Option<&str>) -> bool {
        if fields.has("more") {
            self.access = "scopes".into();
            add_row(&mut self.rows, ScopeRow::new("read", ""));
        } else if fields.has("drop") {
            drop_row(&mut self.rows, fields.text("drop"), || ScopeRow::new("read", ""));
        } else if fields.has("more-ranges") {
            add_row(&mut self.ranges, RangeRow::default());
        } else if fields.has("drop-range") {
            drop_row(&mut self.ranges, fields.text("drop-range"), RangeRow::default);
        } else if fields.has("more-tags") {
            add_row(&mut self.tags, TagRow::default());
        } else if fields.has("drop-tag") {
            drop_row(&mut self.tags, fields.text("drop-tag"), TagRow::default);
        } else if fields.has("choose") {
            self.focus = "environment";
        } else if fields.has("summary") {
            self.focus = "summary";
        } else if fields.has("mine")
            && let Some(address) = address
        {
            self.ranges.retain(|row| !row.text.is_empty());
            add_row(&mut self.ranges, RangeRow::new(address));
        } else {
            return false;
        }
        true
    }

    /// The error of a field.
    pub(super) fn error(&self, field: &str) -> Option<&str> {
        self.mistakes.iter().find(|mistake| mistake.field == field).map(|mistake| mistake.text.as_str())
    }

    /// The error of the ranges together, if no row says what is wrong with it.
    pub(super) fn ranges_error(&self) -> Option<&str> {
        let is_said = self.ranges.iter().any(|row| row.is_wrong);
        self.error("cidrs").filter(|_| !is_said)
    }

    /// All errors.
    pub(super) fn mistakes(&self) -> &[Mistake] {
        &self.mistakes
    }

    /// Adds an error of the use case: to the field that its message names, or else to the form as a whole.
    pub(super) fn refuse(&mut self, error: &ApiError) {
        let field = match error {
            ApiError::InvalidRequest(reason) => field_of(reason),
            ApiError::Forbidden(Forbidden::BeyondPortalEnd) => "ends",
            _ => WHOLE,
        };
        self.wrong(field, error.message());
    }

    /// Whether the address ranges allow every address.
    pub(super) fn is_open(&self) -> bool {
        Cidrs::parse(self.entries()).is_ok_and(|cidrs| cidrs.has_wildcard())
    }

    /// The ranges that are typed so far.
    fn ranges_so_far(&self) -> Vec<String> {
        let right = self.ranges.iter().filter(|row| !row.is_wrong && !row.text.is_empty());
        right.map(|row| row.text.clone()).collect()
    }

    /// The scopes that are chosen and typed so far, without those that are not valid.
    fn scopes_so_far(&self) -> Scopes {
        match self.access.as_str() {
            "full_access" => Scope::full_access().into(),
            "query_only" => Scope::query_only().into(),
            _ => self.read_scopes().into_iter().filter_map(Result::ok).collect(),
        }
    }

    fn read_scopes(&self) -> Vec<Result<Scope, String>> {
        let picked = self.picked.iter().map(|text| text.parse::<Scope>().map_err(|error| error.to_string()));
        let typed = self.rows.iter().filter(|row| !row.is_blank());
        picked.chain(typed.map(|row| read(&row.action, &row.resource))).collect()
    }

    /// The key in words. `kept` is the present end of a key that is edited.
    pub(super) fn summary(&self, offered: &[NamedScope], kept: Option<Timestamp>, now: Timestamp) -> Summary {
        Summary::of(self, offered, kept, now)
    }

    /// The key's members in the management API's JSON. `None` when a field is invalid; the form then has the errors.
    pub(super) fn members(&mut self, now: Timestamp) -> Option<Map<String, Value>> {
        let mut members = Map::new();
        let mut set = |name: &str, value: Value| drop(members.insert(name.to_owned(), value));
        if let Err(why) = labels::name(self.name.clone()) {
            self.wrong("name", why);
        }
        if let Err(why) = labels::note(self.note.clone()) {
            self.wrong("note", why);
        }
        if let Err(why) = Cidrs::parse(self.entries()) {
            self.wrong("cidrs", why);
        }
        set("name", json!(self.name));
        set("note", if self.note.is_empty() { Value::Null } else { json!(self.note) });
        set("cidrs", json!(self.entries().collect::<Vec<_>>()));
        if self.has_labels {
            set("owner", self.owner().map_or(Value::Null, |owner| json!(owner)));
            set("tags", json!(self.tags()));
        }
        // A form without this field changes nothing about it.
        if !self.dpop.is_empty() {
            set("dpop", json!(self.dpop));
        }
        match self.access.as_str() {
            preset @ ("full_access" | "query_only") => set("preset", json!(preset)),
            _ => set("scopes", json!(self.scopes())),
        }
        match self.end.meaning(now) {
            Ok(Meaning::Kept) => {}
            Ok(Meaning::Never) => set("expires_at", Value::Null),
            Ok(Meaning::At(end)) => set("expires_at", json!(end.rfc3339())),
            Ok(Meaning::Other) => set("expires_in", json!(self.end.choice)),
            Err((field, why)) => self.wrong(field, why),
        }
        self.mistakes.is_empty().then_some(members)
    }

    fn owner(&mut self) -> Option<Owner> {
        if self.owner.is_empty() {
            return None;
        }
        self.owner.parse().map_err(|why| self.wrong("owner", why)).ok()
    }

    fn tags(&mut self) -> Tags {
        let typed = self.tags.iter().filter(|row| !row.is_blank());
        let pairs: Vec<_> = typed.map(|row| (row.name.clone(), row.value.clone())).collect();
        Tags::new(pairs).map_err(|why| self.wrong("tags", why)).unwrap_or_default()
    }

    fn entries(&self) -> impl Iterator<Item = &str> {
        self.ranges.iter().map(|row| row.text.as_str()).filter(|text| !text.is_empty())
    }

    fn scopes(&mut self) -> Vec<Scope> {
        let read = self.read_scopes();
        if read.is_empty() {
            self.wrong("scopes", "choose a scope, enter a resource, or choose a preset");
        }
        if read.iter().any(Result::is_err) {
            self.wrong("scopes", "one of the scopes is not valid");
        }
        let scopes: Vec<Scope> = read.into_iter().filter_map(Result::ok).collect();
        if self.error("scopes").is_none()
            && let Err(why) = Scopes::for_key(scopes.clone())
        {
            self.wrong("scopes", why);
        }
        scopes
    }

    fn wrong(&mut self, field: &'static str, why: impl ToString) {
        let first = |wrong: Option<usize>| wrong.unwrap_or_default() + 1;
        let target = match field {
            WHOLE => String::new(),
            "scopes" if self.access != "scopes" => "permissions".into(),
            "scopes" => format!("resource-{}", first(self.rows.iter().position(|row| row.is_wrong))),
            "cidrs" => format!("range-{}", first(self.ranges.iter().position(|row| row.is_wrong))),
            "tags" => "tag-1".into(),
            "ends" => "expires".into(),
            field => field.to_owned(),
        };
        self.mistakes.push(Mistake { field, target, text: sentence(&why.to_string()) });
    }
}

/// The field that a reason is about.
fn field_of(reason: &InvalidRequest) -> &'static str {
    match reason {
        InvalidRequest::Name(_) => "name",
        InvalidRequest::Note(_) => "note",
        InvalidRequest::Cidrs(_) => "cidrs",
        InvalidRequest::Scopes(_) | InvalidRequest::ScopesOrPreset => "scopes",
        InvalidRequest::ExpiryTwice
        | InvalidRequest::ExpiresIn
        | InvalidRequest::ExpiresInThePast
        | InvalidRequest::ExpiresTooLate
        | InvalidRequest::NotAMoment("expires_at") => "ends",
        InvalidRequest::NoSuchProject => "project",
        InvalidRequest::NoSuchEnvironment(_) => "environment",
        _ => WHOLE,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn form(text: &str) -> KeyForm {
        KeyForm::sent(&Fields::parse(text.as_bytes()).unwrap())
    }

    #[test]
    fn ticked_scopes_and_rows_are_one_list() {
        let text = "name=a&ends=never&access=scopes&scope=read:invoices/**&action=write&resource=a&owner=&tag=team&tag-value=x";
        let members = form(text).members(Timestamp::from_unix(0)).unwrap();
        let scope = |action, resource| json!({ "action": action, "resource": resource });
        assert_eq!(members["scopes"], json!([scope("read", "invoices/**"), scope("write", "a")]));
        assert_eq!((&members["tags"], &members["owner"]), (&json!({ "team": "x" }), &Value::Null));
    }

    #[test]
    fn a_form_from_before_changes_neither_owner_nor_tags() {
        let members = form("name=a&ends=never&access=query_only").members(Timestamp::from_unix(0)).unwrap();
        assert!(!members.contains_key("owner") && !members.contains_key("tags"));
    }

    #[test]
    fn a_ticked_scope_that_is_not_offered_becomes_a_row() {
        let mut form = form("scope=read:invoices/**");
        form.settle(&[]);
        assert!(form.picked.is_empty());
        let rows: Vec<_> = form.rows.iter().map(|row| (&*row.action, &*row.resource)).collect();
        assert_eq!(rows, [("read", ""), ("read", "invoices/**")]);
    }

    #[test]
    fn each_mistake_is_at_its_row() {
        let text = "name=a&ends=7d&access=scopes&action=read&resource=a&cidrs=10.0.0.0/8&cidrs=10.1&owner=x&tag=A&tag-value=";
        let mut form = form(text);
        assert!(form.members(Timestamp::from_unix(0)).is_none());
        let targets: Vec<_> = form.mistakes().iter().map(|mistake| mistake.target.as_str()).collect();
        assert_eq!(targets, ["range-2", "tag-1"]);
    }
}
