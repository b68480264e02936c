//! The shape of every mutation: take a change number, do it, record who did it, commit.

use serde_json::Value;

use super::Store;
use super::db::{Either, Tx, begin, in_time, on};
use super::error::StoreError;
use crate::audit::{Actor, AuditEvent};
use crate::clock::Timestamp;

/// What kind of thing a mutation changed, for whoever holds a copy in memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChangeKind {
    /// An API key or a secret of it; the subject is the key's id.
    Key,
    /// A token was revoked; the subject is its `jti`.
    Token,
    /// The signing keys; the subject is the kid.
    SigningKey,
    /// The store was made.
    Bootstrap,
}

impl ChangeKind {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Key => "key",
            Self::Token => "token",
            Self::SigningKey => "signing_key",
            Self::Bootstrap => "bootstrap",
        }
    }

    pub(super) fn from_text(text: &str) -> Option<Self> {
        [Self::Key, Self::Token, Self::SigningKey, Self::Bootstrap]
            .into_iter()
            .find(|kind| kind.as_str() == text)
    }
}

/// A mutation under way. Dropped without [`Write::commit`], none of it has happened.
pub(super) struct Write {
    pub(super) tx: Tx,
    pub(super) seq: i64,
    pub(super) at: Timestamp,
}

impl Store {
    /// Opens a mutation at `at`. Its change number comes first: the row it is taken from makes writers take
    /// turns, so what a mutation reads stays true until it commits, on PostgreSQL as on SQLite.
    pub(super) async fn begin_write(&self, at: Timestamp) -> Result<Write, StoreError> {
        let mut tx = begin(&self.db).await?;
        let seq = on!(&mut tx, |tx, DB| {
            sqlx::query_scalar::<DB, i64>(
                "UPDATE sequences SET value = value + 1 WHERE name = 'changes' RETURNING value",
            )
            .fetch_one(&mut **tx)
            .await
        })?;
        Ok(Write { tx, seq, at })
    }
}

impl Write {
    /// Records the change and who made it, and commits. Once this returns `Ok`, the mutation is on disk.
    pub(super) async fn commit(
        mut self,
        kind: ChangeKind,
        actor: &Actor,
        event: AuditEvent,
    ) -> Result<(), StoreError> {
        self.record_change(kind, &event.subject).await?;
        self.record_event(actor, &event).await?;
        if let Either::Postgres(tx) = &mut self.tx {
            // Delivered at commit; a hint only, since nodes also poll.
            in_time(sqlx::query("NOTIFY claviger_changes").execute(&mut **tx)).await?;
        }
        on!(self.tx, |tx, DB| tx.commit().await)?;
        Ok(())
    }

    async fn record_change(&mut self, kind: ChangeKind, subject: &str) -> Result<(), StoreError> {
        on!(&mut self.tx, |tx, DB| {
            sqlx::query::<DB>("INSERT INTO changes (seq, kind, subject, at) VALUES ($1, $2, $3, $4)")
                .bind(self.seq)
                .bind(kind.as_str())
                .bind(subject)
                .bind(self.at.unix())
                .execute(&mut **tx)
                .await
                .map(drop)
        })?;
        Ok(())
    }

    async fn record_event(&mut self, actor: &Actor, event: &AuditEvent) -> Result<(), StoreError> {
        on!(&mut self.tx, |tx, DB| {
            sqlx::query::<DB>(
                "INSERT INTO audit_events
                     (seq, at, actor, address, request_id, action, organization, subject, before, after)
                 VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
            )
            .bind(self.seq)
            .bind(self.at.unix())
            .bind(actor.who.to_string())
            .bind(actor.address.map(|address| address.to_string()))
            .bind(&actor.request_id)
            .bind(event.action)
            .bind(event.organization.as_ref().map(|id| id.as_str()))
            .bind(&event.subject)
            .bind(event.before.as_ref().map(Value::to_string))
            .bind(event.after.as_ref().map(Value::to_string))
            .execute(&mut **tx)
            .await
            .map(drop)
        })?;
        Ok(())
    }
}
