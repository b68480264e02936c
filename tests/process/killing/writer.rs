//! An administrator who makes, changes and ends things of all kinds, and writes down what was acknowledged.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use reqwest::Method;
use serde_json::{Value, json};

use super::journal::{Fact, Journal, Unanswered, essence, less, with};
use crate::support::Client;

pub(super) const KEYS: &str = "/v1/orgs/default/keys";

pub(super) struct Writer {
    admin: Client,
    /// What all that it makes is called, up to a number.
    name: String,
    /// How many names it has given.
    named: usize,
    /// Counts what was acknowledged to all writers.
    acknowledged: Arc<AtomicUsize>,
    journal: Journal,
}

/// The server is gone.
struct CutOff;

impl Writer {
    pub(super) fn new(admin: &Client, name: String, acknowledged: Arc<AtomicUsize>) -> Self {
        let admin = admin.with("content-type", "application/json");
        Self { admin, name, named: 0, acknowledged, journal: Journal::default() }
    }

    /// Goes on until there is no answer any more, beginning with one kind of thing or another. Returns what it
    /// knows.
    pub(super) async fn write_until_cut_off(mut self, first: usize) -> Journal {
        for kind in first.. {
            let done = match kind % 4 {
                0 => self.life_of_a_key().await,
                1 => self.keys_revoked_together().await,
                2 => self.life_of_a_tenant("/v1/orgs").await,
                _ => self.life_of_a_tenant("/v1/orgs/default/projects").await,
            };
            if done.is_err() {
                break;
            }
        }
        self.journal
    }

    async fn life_of_a_key(&mut self) -> Result<(), CutOff> {
        let name = json!({ "name": self.next() });
        let made = self.make(KEYS, name).await?;
        let (path, first) = (path_of(&made), text(&made["key"]));
        let key = essence(&made);
        self.know(Fact::one(&path, key.clone(), &[(&first, true)]));

        let name = json!({ "name": self.next() });
        let key = with(&key, name.clone());
        self.change(Method::PATCH, &path, name, key.clone()).await?;
        let rotate = format!("{path}/rotate");
        let both = with(&key, json!({ "secrets": 2 }));
        let rotated =
            self.change(Method::POST, &rotate, json!({ "overlap_seconds": 1_000 }), both.clone()).await?;
        let second = text(&rotated["key"]);
        self.know(Fact::one(&path, both, &[(&first, true), (&second, true)]));

        let retire = format!("{path}/secrets/{}", text(&made["secrets"][0]["id"]));
        let key = less(&key, json!({ "secrets": 1 }));
        self.change(Method::DELETE, &retire, Value::Null, key.clone()).await?;
        self.know(Fact::one(&path, key.clone(), &[(&first, false), (&second, true)]));
        let key = less(&key, json!({}));
        let rotated =
            self.change(Method::POST, &rotate, json!({ "overlap_seconds": 0 }), key.clone()).await?;
        let third = text(&rotated["key"]);
        self.know(Fact::one(&path, key.clone(), &[(&second, false), (&third, true)]));

        let key = less(&key, json!({ "status": "revoked", "revoked_reason": "x" }));
        self.change(Method::POST, &format!("{path}/revoke"), json!({ "reason": "x" }), key.clone()).await?;
        self.know(Fact::one(&path, key, &[(&third, false)]));
        if self.named.is_multiple_of(4) {
            self.change(Method::DELETE, &path, Value::Null, Value::Null).await?;
            self.know(Fact::one(&path, Value::Null, &[(&third, false)]));
        }
        Ok(())
    }

    async fn keys_revoked_together(&mut self) -> Result<(), CutOff> {
        let name = self.next();
        let mut all = Fact { paths: Vec::new(), possible: vec![Vec::new()], opens: Vec::new() };
        for at in 0..3 {
            let made = self.make(KEYS, json!({ "name": format!("{name}-{at}") })).await?;
            all.paths.push(path_of(&made));
            all.possible[0].push(essence(&made));
            all.opens.push((text(&made["key"]), true));
            self.know(Fact::one(&path_of(&made), essence(&made), &[]));
        }
        self.journal.facts.truncate(self.journal.facts.len() - 3);
        let revoked = |key| less(key, json!({ "status": "revoked", "revoked_reason": "y" }));
        let after = all.possible[0].iter().map(revoked).collect();
        let bulk = json!({ "filter": { "q": format!("{name}-") }, "reason": "y" });
        self.know(all);
        self.change_all(Method::POST, &format!("{KEYS}/revoke"), bulk, after).await?;
        Ok(())
    }

    /// An organization or a project is made, changed and perhaps deleted.
    async fn life_of_a_tenant(&mut self, collection: &str) -> Result<(), CutOff> {
        let id = self.next();
        let made = self.make(collection, json!({ "id": id })).await?;
        let path = format!("{collection}/{id}");
        self.know(Fact::one(&path, made.clone(), &[]));
        let name = json!({ "name": "x" });
        self.change(Method::PATCH, &path, name.clone(), with(&made, name)).await?;
        if self.named.is_multiple_of(2) {
            self.change(Method::DELETE, &path, Value::Null, Value::Null).await?;
        }
        Ok(())
    }

    /// A name for one thing.
    fn next(&mut self) -> String {
        self.named += 1;
        format!("{}n{}", self.name, self.named)
    }

    /// Writes down how things are, instead of what was last written of the same things.
    fn know(&mut self, fact: Fact) {
        if self.journal.facts.last().is_some_and(|last| last.paths == fact.paths) {
            self.journal.facts.pop();
        }
        self.journal.facts.push(fact);
    }

    /// Makes a thing from what is special about it.
    async fn make(&mut self, collection: &str, special: Value) -> Result<Value, CutOff> {
        let usual = json!({ "project": "default", "environment": "prd", "preset": "query_only" });
        let body = if collection == KEYS { with(&usual, special) } else { special };
        let name = body.to_string();
        let unanswered = Unanswered { name: name.clone(), path: collection.to_owned(), body: body.clone() };
        self.journal.unanswered = Some(unanswered);
        let naming = self.admin.with("idempotency-key", &name);
        let made = self.ask(&naming, Method::POST, collection, body).await?;
        self.journal.unanswered = None;
        Ok(made)
    }

    /// Changes the last thing, so that it is as it is `after`.
    async fn change(
        &mut self,
        method: Method,
        path: &str,
        body: Value,
        after: Value,
    ) -> Result<Value, CutOff> {
        self.change_all(method, path, body, vec![after]).await
    }

    /// Changes the last things. Until that is acknowledged they are as they were, or as they are `after`.
    async fn change_all(
        &mut self,
        method: Method,
        path: &str,
        body: Value,
        after: Vec<Value>,
    ) -> Result<Value, CutOff> {
        let Some(last) = self.journal.facts.last_mut() else { panic!("something to change") };
        last.possible.push(after.clone());
        last.opens.clear();
        let answer = self.ask(&self.admin.clone(), method, path, body).await?;
        let paths = self.journal.facts.last().map(|last| last.paths.clone()).unwrap_or_default();
        self.know(Fact { paths, possible: vec![after], opens: Vec::new() });
        Ok(answer)
    }

    async fn ask(&self, as_whom: &Client, method: Method, path: &str, body: Value) -> Result<Value, CutOff> {
        let body = (!body.is_null()).then(|| body.to_string());
        let answer = as_whom.try_send(method.clone(), path, body).await.map_err(|_| CutOff)?;
        assert!(answer.status < 300, "{method} {path}: {} {}", answer.status, answer.text);
        self.acknowledged.fetch_add(1, Ordering::Relaxed);
        Ok(serde_json::from_str(&answer.text).unwrap_or_default())
    }
}

fn path_of(key: &Value) -> String {
    format!("{KEYS}/{}", text(&key["id"]))
}

fn text(value: &Value) -> String {
    value.as_str().expect("text").to_owned()
}
