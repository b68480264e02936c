//! The form that creates and edits a key: its input and its errors.

use serde_json::{Map, Value, json};

use crate::base::clock::Timestamp;
use crate::console::explain::{explain, read};
use crate::console::fields::Fields;
use crate::console::problem::sentence;
use crate::domain::cidr::Cidrs;
use crate::domain::key::{ApiKey, labels};
use crate::domain::scope::{Scope, Scopes};
use crate::use_cases::management::{ApiError, InvalidRequest};

const DAY: i64 = 86_400;

/// The input of a key's form.
#[derive(Clone, Debug, Default)]
pub(super) struct KeyForm {
    pub(super) name: String,
    pub(super) note: String,
    pub(super) project: String,
    pub(super) environment: String,
    /// `never`, `30d` and so on, `date`; or `keep`.
    pub(super) ends: String,
    pub(super) date: String,
    /// `full_access`, `query_only` or `scopes`.
    pub(super) access: String,
    pub(super) rows: Vec<ScopeRow>,
    pub(super) cidrs: String,
    /// `optional` or `required`.
    pub(super) dpop: String,
    /// The field to focus after a button inside the form was pressed.
    pub(super) focus: &'static str,
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

/// A scope as typed.
#[derive(Clone, Debug)]
pub(super) struct ScopeRow {
    pub(super) action: String,
    pub(super) resource: String,
    /// The explanation of the scope, or its error.
    pub(super) words: String,
    pub(super) is_wrong: bool,
    /// Whether to focus this row after a button inside the form was pressed.
    pub(super) is_focused: bool,
}

impl ScopeRow {
    pub(super) fn new(action: &str, resource: &str) -> Self {
        let (action, resource) = (action.to_owned(), resource.trim().to_owned());
        let words = if resource.is_empty() {
            Ok(String::new())
        } else {
            read(&action, &resource).map(|scope| explain(&scope))
        };
        let is_wrong = words.is_err();
        Self { action, resource, words: words.unwrap_or_else(|why| why), is_wrong, is_focused: false }
    }

    fn is_blank(&self) -> bool {
        self.resource.is_empty()
    }
}

impl KeyForm {
    /// The form for a new key.
    pub(super) fn empty(project: String, environment: String) -> Self {
        Self {
            project,
            environment,
            ends: "90d".into(),
            access: "scopes".into(),
            rows: vec![ScopeRow::new("read", "")],
            ..Self::default()
        }
    }

    /// The form filled from a key.
    pub(super) fn of(key: &ApiKey) -> Self {
        let row = |scope: &Scope| ScopeRow::new(scope.action().as_str(), scope.filter().as_str());
        Self {
            name: key.name.clone(),
            note: key.note.clone().unwrap_or_default(),
            project: key.project.to_string(),
            environment: key.environment.to_string(),
            ends: "keep".into(),
            access: "scopes".into(),
            rows: key.scopes.iter().map(row).collect(),
            cidrs: key.cidrs.to_string().replace(' ', "\n"),
            dpop: key.dpop.to_string(),
            ..Self::default()
        }
    }

    /// The form filled from a submission.
    pub(super) fn sent(fields: &Fields) -> Self {
        let text = |name| fields.text(name).to_owned();
        let rows = fields.all("action").zip(fields.all("resource"));
        let mut rows: Vec<_> = rows.map(|(action, resource)| ScopeRow::new(action, resource)).collect();
        if rows.is_empty() {
            rows.push(ScopeRow::new("read", ""));
        }
        Self {
            name: text("name"),
            note: text("note"),
            project: text("project"),
            environment: text("environment"),
            ends: text("ends"),
            date: text("date"),
            access: text("access"),
            cidrs: text("cidrs"),
            dpop: text("dpop"),
            rows,
            ..Self::default()
        }
    }

    /// Handles a button inside the form, if one was pressed: adds or removes a row, adds the visitor's address, or
    /// loads the environments of another project. The next page focuses the place where the button was.
    pub(super) fn edited(&mut self, fields: &Fields, address: Option<&str>) -> bool {
        if fields.has("more") {
            self.access = "scopes".into();
            self.rows.push(ScopeRow { is_focused: true, ..ScopeRow::new("read", "") });
            return true;
        }
        if fields.has("drop") {
            let at = fields.text("drop").parse::<usize>().ok().and_then(|number| number.checked_sub(1));
            if let Some(at) = at.filter(|at| *at < self.rows.len() && self.rows.len() > 1) {
                self.rows.remove(at);
                let next = at.min(self.rows.len() - 1);
                self.rows[next].is_focused = true;
            }
            return true;
        }
        if fields.has("choose") {
            self.focus = "environment";
            return true;
        }
        if fields.has("mine")
            && let Some(address) = address
        {
            let line_end = if self.cidrs.is_empty() || self.cidrs.ends_with('\n') { "" } else { "\n" };
            self.cidrs.push_str(&format!("{line_end}{address}"));
            self.focus = "cidrs";
            return true;
        }
        false
    }

    /// The error of a field.
    pub(super) fn error(&self, field: &str) -> Option<&str> {
        self.mistakes.iter().find(|mistake| mistake.field == field).map(|mistake| mistake.text.as_str())
    }

    /// All errors.
    pub(super) fn mistakes(&self) -> &[Mistake] {
        &self.mistakes
    }

    /// Adds an error of the use case: to the field that its message names, or else to the form as a whole.
    pub(super) fn refuse(&mut self, error: &ApiError) {
        let field = match error {
            ApiError::InvalidRequest(reason) => field_of(reason),
            _ => WHOLE,
        };
        self.wrong(field, error.message());
    }

    /// Whether the address ranges allow every address.
    pub(super) fn is_open(&self) -> bool {
        Cidrs::parse(self.entries()).is_ok_and(|cidrs| cidrs.has_wildcard())
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
        // A form from before this field existed changes nothing about it.
        if !self.dpop.is_empty() {
            set("dpop", json!(self.dpop));
        }
        match self.access.as_str() {
            preset @ ("full_access" | "query_only") => set("preset", json!(preset)),
            _ => set("scopes", json!(self.scopes())),
        }
        match self.ends.as_str() {
            "keep" => {}
            "never" => set("expires_at", Value::Null),
            "date" => set("expires_at", json!(self.end_of_day(now).map(Timestamp::rfc3339))),
            span => set("expires_in", json!(span)),
        }
        self.mistakes.is_empty().then_some(members)
    }

    fn entries(&self) -> impl Iterator<Item = &str> {
        self.cidrs
            .split(|character: char| character.is_whitespace() || character == ',')
            .filter(|entry| !entry.is_empty())
    }

    fn scopes(&mut self) -> Vec<Scope> {
        let typed = self.rows.iter().filter(|row| !row.is_blank());
        let read: Vec<_> = typed.map(|row| read(&row.action, &row.resource)).collect();
        if read.is_empty() {
            self.wrong("scopes", "enter at least one resource, or choose a preset");
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

    /// A key that expires on a day is valid until the end of that day in UTC.
    fn end_of_day(&mut self, now: Timestamp) -> Option<Timestamp> {
        let Some(day) = Timestamp::parse_rfc3339(&format!("{}T00:00:00Z", self.date)) else {
            self.wrong("date", "enter the last day on which the key works");
            return None;
        };
        let end = day.plus(DAY);
        if end <= now {
            self.wrong("date", "the last day must not be in the past");
        }
        Some(end)
    }

    fn wrong(&mut self, field: &'static str, why: impl ToString) {
        let target = match field {
            WHOLE => String::new(),
            "scopes" if self.access != "scopes" => "permissions".into(),
            "scopes" => {
                let wrong = self.rows.iter().position(|row| row.is_wrong).unwrap_or_default();
                format!("resource-{}", wrong + 1)
            }
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
