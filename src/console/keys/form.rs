//! The form that a key is made and changed with: what was typed, and what is wrong with it.

use serde_json::{Map, Value, json};

use crate::cidr::Cidrs;
use crate::clock::Timestamp;
use crate::console::explain::{explain, read};
use crate::console::fields::Fields;
use crate::console::problem::sentence;
use crate::key::{ApiKey, words};
use crate::management::ApiError;
use crate::scope::{Scope, Scopes};

const DAY: i64 = 86_400;

/// What a key's form holds.
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
    errors: Vec<(&'static str, String)>,
}

/// A scope as it is typed.
#[derive(Clone, Debug)]
pub(super) struct ScopeRow {
    pub(super) action: String,
    pub(super) resource: String,
    /// What it covers, or what is wrong with it.
    pub(super) words: String,
    pub(super) is_wrong: bool,
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
        Self { action, resource, words: words.unwrap_or_else(|why| why), is_wrong }
    }

    fn is_blank(&self) -> bool {
        self.resource.is_empty()
    }
}

impl KeyForm {
    /// The form as it is first seen.
    pub(super) fn blank(project: String, environment: String) -> Self {
        Self {
            project,
            environment,
            ends: "90d".into(),
            access: "scopes".into(),
            rows: vec![ScopeRow::new("read", "")],
            ..Self::default()
        }
    }

    /// The form with a key as it is.
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
            ..Self::default()
        }
    }

    /// The form as it was sent.
    pub(super) fn sent(fields: &Fields) -> Self {
        let text = |name| fields.text(name).to_owned();
        let rows = fields.all("action").zip(fields.all("resource"));
        let mut rows: Vec<_> =
            rows.take(Scopes::MAX_COUNT).map(|(action, resource)| ScopeRow::new(action, resource)).collect();
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
            rows,
            errors: Vec::new(),
        }
    }

    /// Carries out what a button inside the form asks for, if one was pressed: another row, or one's own address.
    pub(super) fn edited(&mut self, fields: &Fields, address: Option<&str>) -> bool {
        if fields.has("more") {
            self.access = "scopes".into();
            self.rows.push(ScopeRow::new("read", ""));
            return true;
        }
        if fields.has("mine")
            && let Some(address) = address
        {
            let line_end = if self.cidrs.is_empty() || self.cidrs.ends_with('\n') { "" } else { "\n" };
            self.cidrs.push_str(&format!("{line_end}{address}"));
            return true;
        }
        false
    }

    /// What is wrong with a field.
    pub(super) fn error(&self, field: &str) -> Option<&str> {
        self.errors.iter().find(|(named, _)| *named == field).map(|(_, why)| why.as_str())
    }

    /// What is wrong with the whole, as the use case says.
    pub(super) fn refuse(&mut self, error: &ApiError) {
        self.wrong("form", error.message());
    }

    /// Whether the ranges let anybody in.
    pub(super) fn is_open(&self) -> bool {
        Cidrs::parse(self.entries()).is_ok_and(|cidrs| cidrs.has_wildcard())
    }

    /// The members of a key, as the management API takes them; `None` when a field is wrong.
    pub(super) fn members(&mut self, now: Timestamp) -> Option<Map<String, Value>> {
        let mut members = Map::new();
        let mut set = |name: &str, value: Value| drop(members.insert(name.to_owned(), value));
        if let Err(why) = words::name(self.name.clone()) {
            self.wrong("name", why);
        }
        if let Err(why) = words::note(self.note.clone()) {
            self.wrong("note", why);
        }
        if let Err(why) = Cidrs::parse(self.entries()) {
            self.wrong("cidrs", why);
        }
        set("name", json!(self.name));
        set("note", if self.note.is_empty() { Value::Null } else { json!(self.note) });
        set("cidrs", json!(self.entries().collect::<Vec<_>>()));
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
        self.errors.is_empty().then_some(members)
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
            self.wrong("scopes", "name at least one resource, or choose a preset");
        }
        if read.iter().any(Result::is_err) {
            self.wrong("scopes", "one of these is no scope; what is wrong stands beside it");
        }
        let scopes: Vec<Scope> = read.into_iter().filter_map(Result::ok).collect();
        if self.error("scopes").is_none()
            && let Err(why) = Scopes::for_key(scopes.clone())
        {
            self.wrong("scopes", why);
        }
        scopes
    }

    /// A key that ends on a day is good for all of it, by UTC.
    fn end_of_day(&mut self, now: Timestamp) -> Option<Timestamp> {
        let Some(day) = Timestamp::parse_rfc3339(&format!("{}T00:00:00Z", self.date)) else {
            self.wrong("ends", "choose the last day on which the key is to work");
            return None;
        };
        let end = day.plus(DAY);
        if end <= now {
            self.wrong("ends", "that day is over");
        }
        Some(end)
    }

    fn wrong(&mut self, field: &'static str, why: impl ToString) {
        self.errors.push((field, sentence(&why.to_string())));
    }
}
