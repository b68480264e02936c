//! One transaction for each mutation: it takes a change number, reads and writes, records what was done and by
//! whom, and commits.

use std::io;
use std::sync::Arc;
use std::time::Instant;

use serde_json::Value;
use sqlx::QueryBuilder;

use super::Store;
use super::calls::{CallKind, StoreCalls, is_failure};
use super::change_kind::ChangeKind;
use super::db::{BATCH, Either, Tx, begin, either, in_time, on, stays_prepared};
use super::error::StoreError;
use super::fault::Fault;
use crate::base::clock::{Timestamp, monotonic_now};
use crate::domain::audit::{Actor, AuditEvent, PastEvent, Who};
use crate::domain::principal::Principal;
use crate::sharing::fair_queue::Permit;

/// Where a mutation is measured, and since when. `None` in a transaction of somebody else.
type Measured = Option<(Arc<StoreCalls>, Instant)>;

/// A mutation in progress, with its actor. Dropping it without [`Write::commit`] rolls everything back.
#[derive(Debug)]
pub struct Write {
    pub(super) tx: Tx,
    pub(super) at: Timestamp,
    actor: Actor,
    /// A change number that this transaction has taken and no record has used yet.
    unused_number: Option<i64>,
    touched: Vec<(ChangeKind, String)>,
    measured: Measured,
    /// The organization's permit, held until the transaction ends.
    _permit: Option<Permit>,
}

impl Store {
    /// Opens a mutation at `at`. The first statement takes the change number. It locks the row of the sequence, so the
    /// next writer waits, and what a mutation reads stays true until it commits, on PostgreSQL as on SQLite.
    ///
    /// # Errors
    /// When the store fails, when an earlier writer takes too long, or when too many requests of the actor's
    /// organization are waiting.
    pub async fn write(&self, at: Timestamp, actor: &Actor) -> Result<Write, StoreError> {
        let permit = self.writing(&actor.principal()).await?;
        let (tx, number, measured) = self.begin_write(1).await?;
        Ok(Write {
            tx,
            at,
            actor: actor.clone(),
            unused_number: Some(number),
            touched: Vec::new(),
            measured,
            _permit: Some(permit),
        })
    }

    /// Waits among the writers for work that is not a mutation. It takes no change number unless something is recorded
    /// after all.
    pub(super) async fn write_unnumbered(&self, at: Timestamp) -> Result<Write, StoreError> {
        let permit = self.writing(&Principal::default()).await?;
        let (tx, _, measured) = self.begin_write(0).await?;
        Ok(Write {
            tx,
            at,
            actor: Actor::server(Who::Schedule),
            unused_number: None,
            touched: Vec::new(),
            measured,
            _permit: Some(permit),
        })
    }

    /// Checks that the store accepts writes, by a write that changes nothing.
    pub(super) async fn try_to_write(&self, at: Timestamp) -> Result<(), StoreError> {
        self.write_unnumbered(at).await?.commit().await
    }

    /// Opens a transaction, waits until it holds the row of the sequence, and takes `count` numbers. Returns the last
    /// of them. If the connection fails, it tries another one once: a failed attempt has changed nothing.
    async fn begin_write(&self, count: i64) -> Result<(Tx, i64, Measured), StoreError> {
        let begun = monotonic_now();
        let opened = match self.try_to_begin(count).await {
            Err(error) if is_of_the_connection(&error) => self.try_to_begin(count).await,
            tried => tried,
        };
        let calls = either!(&self.db, |pool, DB| Arc::clone(pool.calls()));
        let (tx, last) = opened.inspect_err(|error| {
            calls.ended(CallKind::Write, begun.elapsed(), true);
            self.writes().failed(error);
        })?;
        Ok((tx, last, Some((calls, begun))))
    }

    async fn try_to_begin(&self, count: i64) -> sqlx::Result<(Tx, i64)> {
        let mut tx = begin(self.admission.db()).await?;
        let last = take_numbers(&mut tx, count).await?;
        either!(&mut tx, |tx, DB| tx.watch());
        Ok((tx, last))
    }
}

/// An event that is about to enter the audit trail.
struct Entry<'e> {
    at: Timestamp,
    actor: &'e Actor,
    event: &'e AuditEvent,
}

impl<'e> From<&'e PastEvent> for Entry<'e> {
    fn from(past: &'e PastEvent) -> Self {
        Self { at: past.at, actor: &past.actor, event: &past.event }
    }
}

impl Write {
    /// The most new rows that one statement inserts.
    pub const AT_ONCE: usize = BATCH;

    /// Turns an open transaction into a mutation.
    pub(super) async fn begin_in(mut tx: Tx, at: Timestamp, actor: &Actor) -> Result<Self, StoreError> {
        let unused_number = Some(take_numbers(&mut tx, 1).await?);
        let (actor, touched) = (actor.clone(), Vec::new());
        Ok(Self { tx, at, actor, unused_number, touched, measured: None, _permit: None })
    }

    /// The time of the mutation, which its records carry.
    pub fn at(&self) -> Timestamp {
        self.at
    }

    /// What has been recorded so far. Once the mutation is committed, copies of these in memory are outdated.
    pub fn touched(&self) -> &[(ChangeKind, String)] {
        &self.touched
    }

    /// Records one change and its audit event.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn record(&mut self, kind: ChangeKind, event: AuditEvent) -> Result<(), StoreError> {
        self.record_all(kind, &[event]).await
    }

    /// Records changes of one kind and their audit events.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn record_all(&mut self, kind: ChangeKind, events: &[AuditEvent]) -> Result<(), StoreError> {
        let (at, actor) = (self.at, self.actor.clone());
        let entries: Vec<_> = events.iter().map(|event| Entry { at, actor: &actor, event }).collect();
        self.enter(kind, &entries).await
    }

    /// Records earlier refusals, each with its own time and actor.
    pub(super) async fn record_refusals(&mut self, refusals: &[PastEvent]) -> Result<(), StoreError> {
        let entries: Vec<_> = refusals.iter().map(Entry::from).collect();
        self.enter(ChangeKind::Refusal, &entries).await
    }

    async fn enter(&mut self, kind: ChangeKind, entries: &[Entry<'_>]) -> Result<(), StoreError> {
        for batch in entries.chunks(BATCH) {
            let first = self.use_numbers(batch.len()).await?;
            let numbered: Vec<_> = (first..).zip(batch).collect();
            self.insert_changes(kind, &numbered).await?;
            self.insert_events(&numbered).await?;
            self.touched.extend(batch.iter().map(|entry| (kind, entry.event.subject.clone())));
        }
        Ok(())
    }

    /// Commits. `Ok` means that the mutation is on disk. An error means that it is not, unless only the answer to
    /// the commit was lost. A dry run rolls back and returns `Ok`.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn commit(mut self) -> Result<(), StoreError> {
        let measured = self.measured.take().filter(|_| !self.actor.dry_run);
        let committed = in_time(self.commit_unhurried()).await;
        if let Some((calls, begun)) = measured {
            calls.ended(CallKind::Write, begun.elapsed(), committed.as_ref().is_err_and(is_failure));
        }
        Ok(committed?)
    }

    /// Commits without a time limit, for mutations of any size.
    pub(super) async fn commit_unhurried(mut self) -> sqlx::Result<()> {
        if self.actor.dry_run {
            return Ok(());
        }
        if let Either::Postgres(tx) = &mut self.tx
            && !self.touched.is_empty()
        {
            // PostgreSQL delivers this at the commit. It is only a hint, since nodes also poll.
            sqlx::query("NOTIFY claviger_changes").execute(&mut **tx).await?;
        }
        either!(self.tx, |tx, DB| tx.commit().await)
    }

    /// The number that the next record will have, for the rows that this record is about.
    pub(super) async fn number(&mut self) -> Result<i64, StoreError> {
        let number = match self.unused_number {
            Some(number) => number,
            None => take_numbers(&mut self.tx, 1).await?,
        };
        self.unused_number = Some(number);
        Ok(number)
    }

    /// Uses `count` consecutive numbers, and returns the first.
    async fn use_numbers(&mut self, count: usize) -> Result<i64, StoreError> {
        let first = self.number().await?;
        self.unused_number = None;
        let further = i64::try_from(count).unwrap_or(i64::MAX) - 1;
        if further > 0 {
            // They are consecutive, because this mutation holds the row of the sequence.
            take_numbers(&mut self.tx, further).await?;
        }
        Ok(first)
    }

    async fn insert_changes(
        &mut self,
        kind: ChangeKind,
        numbered: &[(i64, &Entry<'_>)],
    ) -> Result<(), StoreError> {
        let at = self.at.unix();
        on!(&mut self.tx, |tx, DB| {
            let mut sql = QueryBuilder::<DB>::new("INSERT INTO changes (seq, kind, subject, at) ");
            sql.push_values(numbered, |mut row, (seq, Entry { event, .. })| {
                row.push_bind(seq).push_bind(kind.as_str()).push_bind(&event.subject).push_bind(at);
            });
            sql.build().persistent(stays_prepared(numbered.len())).execute(&mut **tx).await.map(drop)
        })?;
        Ok(())
    }

    async fn insert_events(&mut self, numbered: &[(i64, &Entry<'_>)]) -> Result<(), StoreError> {
        let text = |value: &Option<Value>| value.as_ref().map(Value::to_string);
        on!(&mut self.tx, |tx, DB| {
            let mut sql = QueryBuilder::<DB>::new(
                "INSERT INTO audit_events (seq, at, actor, actor_name, operator_id, address, request_id, action, family, organization,
                                           key_id, subject, before, after) ",
            );
            sql.push_values(numbered, |mut row, (seq, Entry { at, actor, event })| {
                row.push_bind(seq).push_bind(at.unix()).push_bind(actor.who.to_string());
                row.push_bind(actor.name_for(event.organization.as_ref()));
                row.push_bind(actor.deployment_member().map(|id| id.to_string()));
                row.push_bind(actor.address.map(|address| address.to_string())).push_bind(&actor.request_id);
                row.push_bind(event.action).push_bind(event.family());
                row.push_bind(event.organization.as_ref().map(|id| id.as_str()));
                row.push_bind(event.key.map(|key| key.to_string())).push_bind(&event.subject);
                row.push_bind(text(&event.before)).push_bind(text(&event.after));
            });
            sql.build().persistent(stays_prepared(numbered.len())).execute(&mut **tx).await.map(drop)
        })?;
        Ok(())
    }
}

/// Whether another connection is worth an immediate try: the connection failed, and no time limit has passed on
/// it.
fn is_of_the_connection(error: &sqlx::Error) -> bool {
    let was_waited_for = matches!(error, sqlx::Error::Io(error) if error.kind() == io::ErrorKind::TimedOut);
    Fault::of(error) != Fault::Statement && !was_waited_for
}

/// Takes the next `count` change numbers, and returns the last of them. With a `count` of 0, it only locks the
/// row.
async fn take_numbers(tx: &mut Tx, count: i64) -> sqlx::Result<i64> {
    on!(tx, |tx, DB| {
        sqlx::query_scalar::<DB, i64>(
            "UPDATE sequences SET value = value + $1 WHERE name = 'changes' RETURNING value",
        )
        .bind(count)
        .fetch_one(&mut **tx)
        .await
    })
}
