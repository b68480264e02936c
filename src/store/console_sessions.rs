//! The sessions of the console.

use sqlx::QueryBuilder;

use super::db::{BATCH, on, row, stays_prepared};
use super::error::read;
use super::write::Write;
use super::{Reading, Store, StoreError};
use crate::base::clock::{NODE_SKEW_SECONDS, Timestamp};
use crate::domain::api_key::KeyId;
use crate::domain::key::SecretId;
use crate::domain::person::{ConsoleSessionId, MemberId};

/// A session, without the id that its browser holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConsoleSession {
    /// The id by which people tell the session from others. It is no credential.
    pub id: ConsoleSessionId,
    /// Whose session it is.
    pub holder: SessionHolder,
    /// When a member last signed in at the provider. `None` for the session of a key.
    pub authenticated_at: Option<Timestamp>,
    /// The address that opened the session, if it is known.
    pub address: Option<String>,
    /// The browser that opened the session, as it names itself.
    pub user_agent: Option<String>,
    /// When the session was opened.
    pub created_at: Timestamp,
    /// When the session was last used, to within a minute.
    pub last_seen_at: Timestamp,
}

/// Whose session it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SessionHolder {
    /// A key, and the secret of it that opened the session. The session ends with either.
    Key(KeyId, SecretId),
    /// A member.
    Member(MemberId),
}

impl ConsoleSession {
    /// The number of seconds after which an unused session ends: 30 minutes.
    pub const IDLE_SECONDS: i64 = 1_800;

    /// The maximum duration of a session in seconds: 12 hours.
    pub const LONGEST_SECONDS: i64 = 43_200;

    /// The maximum number of sessions of one key or member.
    pub const MOST_OF_ONE: i64 = 50;

    /// Whether the session is still open at `now`.
    pub fn is_open(&self, now: Timestamp) -> bool {
        // A session from the future was dated by a clock that was ahead. Without this bound, it would stay open until
        // then.
        (-NODE_SKEW_SECONDS..Self::IDLE_SECONDS).contains(&now.since(self.last_seen_at))
            && (-NODE_SKEW_SECONDS..Self::LONGEST_SECONDS).contains(&now.since(self.created_at))
    }
}

impl SessionHolder {
    fn key(&self) -> Option<String> {
        match self {
            Self::Key(key, _) => Some(key.to_string()),
            Self::Member(_) => None,
        }
    }

    fn secret(&self) -> Option<String> {
        match self {
            Self::Key(_, secret) => Some(secret.to_string()),
            Self::Member(_) => None,
        }
    }

    fn member(&self) -> Option<String> {
        match self {
            Self::Key(..) => None,
            Self::Member(member) => Some(member.to_string()),
        }
    }

    /// The condition on sessions of this key or member, and the id that it compares with `$1`.
    fn condition(&self) -> (&'static str, String) {
        match self {
            Self::Key(key, _) => ("key_id = ", key.to_string()),
            Self::Member(member) => ("member_id = ", member.to_string()),
        }
    }
}

row! {
    struct SessionRow {
        id: String,
        key_id: Option<String>,
        secret_id: Option<String>,
        member_id: Option<String>,
        authenticated_at: Option<i64>,
        address: Option<String>,
        user_agent: Option<String>,
        created_at: i64,
        last_seen_at: i64,
    }
}

const SELECT: &str =
    "SELECT id, key_id, secret_id, member_id, authenticated_at, address, user_agent, created_at, last_seen_at
     FROM console_sessions WHERE ";

impl Write {
    /// Stores a new session under the digest of the id that its browser holds. If the key or member then has more than
    /// [`ConsoleSession::MOST_OF_ONE`] sessions, the oldest ones end.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn insert_console_session(
        &mut self,
        digest: &str,
        session: &ConsoleSession,
    ) -> Result<(), StoreError> {
        let holder = &session.holder;
        on!(&mut self.tx, |tx, DB| {
            sqlx::query::<DB>(
                "INSERT INTO console_sessions (digest, id, key_id, secret_id, member_id, authenticated_at, address,
                     user_agent, created_at, last_seen_at)
                 VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
            )
            .bind(digest)
            .bind(session.id.to_string())
            .bind(holder.key())
            .bind(holder.secret())
            .bind(holder.member())
            .bind(session.authenticated_at.map(Timestamp::unix))
            .bind(&session.address)
            .bind(&session.user_agent)
            .bind(session.created_at.unix())
            .bind(session.last_seen_at.unix())
            .execute(&mut **tx)
            .await
            .map(drop)
        })?;
        let (condition, id) = holder.condition();
        on!(&mut self.tx, |tx, DB| {
            let mut sql = QueryBuilder::<DB>::new(
                "DELETE FROM console_sessions WHERE digest IN (SELECT digest FROM console_sessions WHERE ",
            );
            sql.push(condition).push_bind(&id).push(" AND digest <> ").push_bind(digest);
            sql.push(" ORDER BY created_at DESC, digest LIMIT ").push_bind(i64::from(u32::MAX));
            sql.push(" OFFSET ").push_bind(ConsoleSession::MOST_OF_ONE - 1).push(")");
            sql.build().execute(&mut **tx).await.map(drop)
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

    /// Ends the session with this public id, if it belongs to the same key or member as `holder`. Returns whether it did.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn delete_console_session_of(
        &mut self,
        holder: &SessionHolder,
        session: &ConsoleSessionId,
    ) -> Result<bool, StoreError> {
        let (condition, id) = holder.condition();
        Ok(on!(&mut self.tx, |tx, DB| {
            let mut sql = QueryBuilder::<DB>::new("DELETE FROM console_sessions WHERE ");
            sql.push(condition).push_bind(id).push(" AND id = ").push_bind(session.to_string());
            sql.build().execute(&mut **tx).await.map(|done| done.rows_affected() > 0)
        })?)
    }

    /// Ends all sessions of a member.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn delete_console_sessions_of_member(&mut self, member: &MemberId) -> Result<(), StoreError> {
        on!(&mut self.tx, |tx, DB| {
            let delete = sqlx::query::<DB>("DELETE FROM console_sessions WHERE member_id = $1");
            delete.bind(member.to_string()).execute(&mut **tx).await.map(drop)
        })?;
        Ok(())
    }

    /// The session whose id has this digest, as this mutation sees it.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn console_session(&mut self, digest: &str) -> Result<Option<ConsoleSession>, StoreError> {
        let row = on!(&mut self.tx, |tx, DB| {
            let mut sql = QueryBuilder::<DB>::new(SELECT);
            sql.push("digest = ").push_bind(digest);
            sql.build_query_as::<SessionRow>().fetch_optional(&mut **tx).await
        })?;
        row.map(ConsoleSession::try_from).transpose()
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

impl Reading {
    /// The sessions of the same key or member, the one that was used last first. Some may have ended.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn console_sessions_of(
        &self,
        holder: &SessionHolder,
    ) -> Result<Vec<ConsoleSession>, StoreError> {
        let (condition, id) = holder.condition();
        let rows = on!(&self.db, |pool, DB| {
            let mut sql = QueryBuilder::<DB>::new(SELECT);
            sql.push(condition).push_bind(id).push(" ORDER BY last_seen_at DESC, id LIMIT ");
            sql.push_bind(ConsoleSession::MOST_OF_ONE).build_query_as::<SessionRow>().fetch_all(pool).await
        })?;
        rows.into_iter().map(ConsoleSession::try_from).collect()
    }
}

impl Store {
    /// The session whose id has this digest.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn console_session(&self, digest: &str) -> Result<Option<ConsoleSession>, StoreError> {
        let row = on!(&self.db, |pool, DB| {
            let mut sql = QueryBuilder::<DB>::new(SELECT);
            sql.push("digest = ").push_bind(digest);
            sql.build_query_as::<SessionRow>().fetch_optional(pool).await
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
        let holder = match (&row.key_id, &row.secret_id, &row.member_id) {
            (Some(key), Some(secret), None) => SessionHolder::Key(read("key", key)?, read("secret", secret)?),
            (None, None, Some(member)) => SessionHolder::Member(read("member", member)?),
            _ => return Err(StoreError::corrupt("console session", "neither of a key nor of a member")),
        };
        Ok(Self {
            id: read("session", &row.id)?,
            holder,
            authenticated_at: row.authenticated_at.map(Timestamp::from_unix),
            address: row.address,
            user_agent: row.user_agent,
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
            id: "ses_0123456789abcdef".parse().unwrap(),
            holder: SessionHolder::Key(
                "key_0123456789abcdef".parse().unwrap(),
                "sec_0123456789abcdef".parse().unwrap(),
            ),
            authenticated_at: None,
            address: None,
            user_agent: None,
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
