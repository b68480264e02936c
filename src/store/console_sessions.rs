//! Who is signed in to the console.

use super::db::{on, row};
use super::write::Write;
use super::{Store, StoreError};
use crate::api_key::KeyId;
use crate::clock::Timestamp;
use crate::key::SecretId;

/// A session, without the id that its browser has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConsoleSession {
    /// The key that it was opened with.
    pub key: KeyId,
    /// The secret of that key.
    pub secret: SecretId,
    /// When it was opened.
    pub created_at: Timestamp,
    /// When it was last used, to within a minute.
    pub last_seen_at: Timestamp,
}

impl ConsoleSession {
    /// For how many seconds a session may go unused: 30 minutes.
    pub const IDLE_SECONDS: i64 = 1_800;

    /// For how many seconds a session lasts at most: 12 hours.
    pub const LONGEST_SECONDS: i64 = 43_200;

    /// Whether the session has come to neither of its ends at `now`.
    pub fn is_open(&self, now: Timestamp) -> bool {
        now.since(self.last_seen_at) < Self::IDLE_SECONDS
            && now.since(self.created_at) < Self::LONGEST_SECONDS
    }
}

row! {
    struct SessionRow {
        key_id: String,
        secret_id: String,
        created_at: i64,
        last_seen_at: i64,
    }
}

impl Write {
    /// Keeps a session that was opened, under the digest of its id.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn insert_console_session(
        &mut self,
        digest: &str,
        session: &ConsoleSession,
    ) -> Result<(), StoreError> {
        on!(&mut self.tx, |tx, DB| {
            sqlx::query::<DB>(
                "INSERT INTO console_sessions (digest, key_id, secret_id, created_at, last_seen_at)
                 VALUES ($1, $2, $3, $4, $5)",
            )
            .bind(digest)
            .bind(session.key.to_string())
            .bind(session.secret.to_string())
            .bind(session.created_at.unix())
            .bind(session.last_seen_at.unix())
            .execute(&mut **tx)
            .await
            .map(drop)
        })?;
        Ok(())
    }

    /// Ends a session; whether there was one.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn delete_console_session(&mut self, digest: &str) -> Result<bool, StoreError> {
        Ok(on!(&mut self.tx, |tx, DB| {
            let delete = sqlx::query::<DB>("DELETE FROM console_sessions WHERE digest = $1").bind(digest);
            delete.execute(&mut **tx).await.map(|done| done.rows_affected() > 0)
        })?)
    }
}

impl Store {
    /// The session whose id has this digest.
    ///
    /// # Errors
    /// When the store cannot be asked.
    pub async fn console_session(&self, digest: &str) -> Result<Option<ConsoleSession>, StoreError> {
        let row = on!(&self.db, |pool, DB| {
            sqlx::query_as::<DB, SessionRow>(
                "SELECT key_id, secret_id, created_at, last_seen_at FROM console_sessions WHERE digest = $1",
            )
            .bind(digest)
            .fetch_optional(pool)
            .await
        })?;
        row.map(ConsoleSession::try_from).transpose()
    }

    /// Notes that a session was used at `now`.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn touch_console_session(&self, digest: &str, now: Timestamp) -> Result<(), StoreError> {
        on!(&self.db, |pool, DB| {
            sqlx::query::<DB>(
                "UPDATE console_sessions SET last_seen_at = $2 WHERE digest = $1 AND last_seen_at < $2",
            )
            .bind(digest)
            .bind(now.unix())
            .execute(pool)
            .await
            .map(drop)
        })?;
        Ok(())
    }

    /// Forgets the sessions that are over at `now`.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn forget_console_sessions(&self, now: Timestamp) -> Result<u64, StoreError> {
        Ok(on!(&self.db, |pool, DB| {
            sqlx::query::<DB>("DELETE FROM console_sessions WHERE last_seen_at <= $1 OR created_at <= $2")
                .bind(now.plus(-ConsoleSession::IDLE_SECONDS).unix())
                .bind(now.plus(-ConsoleSession::LONGEST_SECONDS).unix())
                .execute(pool)
                .await
                .map(|done| done.rows_affected())
        })?)
    }
}

impl TryFrom<SessionRow> for ConsoleSession {
    type Error = StoreError;

    fn try_from(row: SessionRow) -> Result<Self, StoreError> {
        let corrupt = || StoreError::corrupt("console session", "not the id of a key or of a secret");
        Ok(Self {
            key: row.key_id.parse().map_err(|_| corrupt())?,
            secret: row.secret_id.parse().map_err(|_| corrupt())?,
            created_at: Timestamp::from_unix(row.created_at),
            last_seen_at: Timestamp::from_unix(row.last_seen_at),
        })
    }
}
