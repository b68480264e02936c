//! The sessions of the console.

use sqlx::QueryBuilder;

use super::db::{BATCH, on, row, stays_prepared};
use super::write::Write;
use super::{Store, StoreError};
use crate::base::clock::{NODE_SKEW_SECONDS, Timestamp};
use crate::domain::api_key::KeyId;
use crate::domain::key::SecretId;

/// A session, without the id that its browser holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConsoleSession {
    /// The key that opened the session.
    pub key: KeyId,
    /// The secret of that key.
    pub secret: SecretId,
    /// When the session was opened.
    pub created_at: Timestamp,
    /// When the session was last used, to within a minute.
    pub last_seen_at: Timestamp,
}

impl ConsoleSession {
    /// The number of seconds after which an unused session ends: 30 minutes.
    pub const IDLE_SECONDS: i64 = 1_800;

    /// The maximum duration of a session in seconds: 12 hours.
    pub const LONGEST_SECONDS: i64 = 43_200;

    /// The maximum number of sessions of one key.
    pub const MOST_OF_A_KEY: i64 = 50;

    /// Whether the session is still open at `now`.
    pub fn is_open(&self, now: Timestamp) -> bool {
        // A session from the future was dated by a clock that was ahead. Without this bound, it would stay open until
        // then.
        (-NODE_SKEW_SECONDS..Self::IDLE_SECONDS).contains(&now.since(self.last_seen_at))
            && (-NODE_SKEW_SECONDS..Self::LONGEST_SECONDS).contains(&now.since(self.created_at))
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
    /// Stores a new session under the digest of its id. If the key then has more than
    /// [`ConsoleSession::MOST_OF_A_KEY`] sessions, its oldest ones end.
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
        on!(&mut self.tx, |tx, DB| {
            sqlx::query::<DB>(
                "DELETE FROM console_sessions WHERE digest IN
                 (SELECT digest FROM console_sessions WHERE key_id = $1 AND digest <> $2
                  ORDER BY created_at DESC, digest LIMIT $3 OFFSET $4)",
            )
            .bind(session.key.to_string())
            .bind(digest)
            .bind(i64::from(u32::MAX))
            .bind(ConsoleSession::MOST_OF_A_KEY - 1)
            .execute(&mut **tx)
            .await
            .map(drop)
        })?;
        Ok(())
    }

    /// Ends a session. Returns whether it existed.
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

impl Write {
    /// Ends all sessions of these keys.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn delete_console_sessions_of(&mut self, keys: &[KeyId]) -> Result<(), StoreError> {
        for batch in keys.chunks(BATCH) {
            on!(&mut self.tx, |tx, DB| {
                let mut sql = QueryBuilder::<DB>::new("DELETE FROM console_sessions WHERE key_id IN (");
                let mut ids = sql.separated(", ");
                for key in batch {
                    ids.push_bind(key.to_string());
                }
                sql.push(")");
                sql.build().persistent(stays_prepared(batch.len())).execute(&mut **tx).await.map(drop)
            })?;
        }
        Ok(())
    }
}

impl Store {
    /// The session whose id has this digest.
    ///
    /// # Errors
    /// When the store fails.
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

    /// Records that a session was used at `now`.
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

    /// Deletes the sessions that have ended by `now`. Returns how many.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn delete_expired_console_sessions(&self, now: Timestamp) -> Result<u64, StoreError> {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_that_a_clock_ahead_has_dated_is_closed_when_the_clock_is_corrected() {
        let at = Timestamp::from_unix;
        let session = |created: i64, seen: i64| ConsoleSession {
            key: "key_0123456789abcdef".parse().unwrap(),
            secret: "sec_0123456789abcdef".parse().unwrap(),
            created_at: at(created),
            last_seen_at: at(seen),
        };
        let now = at(100_000);
        for (created, seen, is_open) in [
            (100_000, 100_000, true),
            (100_004, 100_004, true),
            (100_006, 100_006, false),
            (99_000, 100_006, false),
            (100_000 - 43_199, 98_201, true),
            (100_000 - 43_200, 100_000, false),
            (99_000 - 1_800, 98_200, false),
        ] {
            assert_eq!(session(created, seen).is_open(now), is_open, "{created} {seen}");
        }
    }
}
