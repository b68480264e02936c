//! The sessions of the customers' portal, and the codes that open them.

use super::db::{on, row};
use super::error::read;
use super::write::Write;
use super::{Store, StoreError};
use crate::base::clock::{NODE_SKEW_SECONDS, Timestamp};
use crate::domain::api_key::KeyId;
use crate::domain::names::OrganizationId;
use crate::domain::portal::PortalGrant;

/// A session, without the code that opens it or the id that its browser holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PortalSession {
    /// The organization of its keys.
    pub organization: OrganizationId,
    /// What it may do.
    pub granted: PortalGrant,
    /// The key that made it.
    pub key: KeyId,
    /// That key's generation at the time. A session ends when the key loses anything.
    pub generation: u64,
    /// For how many seconds it lasts once it is open.
    pub lasts_seconds: i64,
    /// When it was made.
    pub created_at: Timestamp,
    /// When its code opened it.
    pub opened_at: Option<Timestamp>,
    /// When it ends; before it is open, when its code does.
    pub ends_at: Timestamp,
}

impl PortalSession {
    /// For how many seconds a code opens a session: 15 minutes.
    pub const CODE_SECONDS: i64 = 900;

    /// The longest that a session lasts, in seconds: an hour.
    pub const LONGEST_SECONDS: i64 = 3_600;

    /// The most sessions of one subject, open or not. A newer one ends the oldest.
    pub const MOST_OF_A_SUBJECT: i64 = 20;

    /// The most sessions that one key has made, open or not.
    pub const MOST_OF_A_KEY: i64 = 10_000;

    /// The most sessions of an organization, open or not.
    pub const MOST_OF_AN_ORGANIZATION: i64 = 20_000;

    /// Whether the session, or its code, is still valid at `now`.
    pub fn is_live(&self, now: Timestamp) -> bool {
        // A session from the future was dated by a clock that was ahead.
        now < self.ends_at && now.since(self.opened_at.unwrap_or(self.created_at)) >= -NODE_SKEW_SECONDS
    }
}

row! {
    struct SessionRow {
        organization: String,
        key_id: String,
        key_generation: i64,
        granted: String,
        lasts_seconds: i64,
        created_at: i64,
        opened_at: Option<i64>,
        ends_at: i64,
    }
}

row! {
    struct CountRow {
        number: i64,
    }
}

/// Selects the session with a digest, once it is open or before.
macro_rules! select_session {
    ($is_open:literal) => {
        concat!(
            "SELECT organization, key_id, key_generation, granted, lasts_seconds, created_at, opened_at, ends_at
             FROM portal_sessions WHERE digest = $1 AND opened_at IS ",
            $is_open
        )
    };
}

impl Write {
    /// Stores a new session under the digest of its code. If its subject then has more than
    /// [`PortalSession::MOST_OF_A_SUBJECT`] sessions, its oldest ones end.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn insert_portal_session(
        &mut self,
        digest: &str,
        session: &PortalSession,
    ) -> Result<(), StoreError> {
        let granted = serde_json::to_string(&session.granted)
            .map_err(|error| StoreError::corrupt("portal session", error))?;
        let seq = self.number().await?;
        on!(&mut self.tx, |tx, DB| {
            sqlx::query::<DB>(
                "INSERT INTO portal_sessions (digest, organization, subject, key_id, key_generation, granted, lasts_seconds,
                                              created_at, created_seq, ends_at)
                 VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
            )
            .bind(digest)
            .bind(session.organization.as_str())
            .bind(session.granted.subject.as_str())
            .bind(session.key.to_string())
            .bind(session.generation.cast_signed())
            .bind(granted)
            .bind(session.lasts_seconds)
            .bind(session.created_at.unix())
            .bind(seq)
            .bind(session.ends_at.unix())
            .execute(&mut **tx)
            .await
            .map(drop)
        })?;
        on!(&mut self.tx, |tx, DB| {
            sqlx::query::<DB>(
                "DELETE FROM portal_sessions WHERE organization = $1 AND subject = $2 AND created_seq <
                 (SELECT MIN(created_seq) FROM
                  (SELECT created_seq FROM portal_sessions WHERE organization = $1 AND subject = $2
                   ORDER BY created_seq DESC LIMIT $3) newest)",
            )
            .bind(session.organization.as_str())
            .bind(session.granted.subject.as_str())
            .bind(PortalSession::MOST_OF_A_SUBJECT)
            .execute(&mut **tx)
            .await
            .map(drop)
        })?;
        Ok(())
    }

    /// The sessions of an organization that live at `now`, and those that this key has made.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn count_portal_sessions(
        &mut self,
        organization: &OrganizationId,
        key: &KeyId,
        now: Timestamp,
    ) -> Result<(i64, i64), StoreError> {
        let of_organization = on!(&mut self.tx, |tx, DB| {
            sqlx::query_as::<DB, CountRow>(
                "SELECT COUNT(*) AS number FROM portal_sessions WHERE organization = $1 AND ends_at > $2",
            )
            .bind(organization.as_str())
            .bind(now.unix())
            .fetch_one(&mut **tx)
            .await
        })?;
        let of_key = on!(&mut self.tx, |tx, DB| {
            sqlx::query_as::<DB, CountRow>(
                "SELECT COUNT(*) AS number FROM portal_sessions WHERE key_id = $1 AND ends_at > $2",
            )
            .bind(key.to_string())
            .bind(now.unix())
            .fetch_one(&mut **tx)
            .await
        })?;
        Ok((of_organization.number, of_key.number))
    }

    /// The session that a code with this digest opens.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn pending_portal_session(
        &mut self,
        digest: &str,
    ) -> Result<Option<PortalSession>, StoreError> {
        let row = on!(&mut self.tx, |tx, DB| {
            sqlx::query_as::<DB, SessionRow>(select_session!("NULL"))
                .bind(digest)
                .fetch_optional(&mut **tx)
                .await
        })?;
        row.map(PortalSession::try_from).transpose()
    }

    /// Opens the session of a code, which then opens nothing more. From now on, the session is found by `id`, the digest of
    /// the id that its browser holds.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn open_portal_session(
        &mut self,
        code: &str,
        id: &str,
        ends_at: Timestamp,
    ) -> Result<(), StoreError> {
        let now = self.at.unix();
        Ok(on!(&mut self.tx, |tx, DB| {
            sqlx::query::<DB>(
                "UPDATE portal_sessions SET digest = $2, opened_at = $3, ends_at = $4
                 WHERE digest = $1 AND opened_at IS NULL",
            )
            .bind(code)
            .bind(id)
            .bind(now)
            .bind(ends_at.unix())
            .execute(&mut **tx)
            .await
            .map(drop)
        })?)
    }

    /// Ends all sessions of a subject, and its codes. Returns how many there were.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn delete_portal_sessions_of(
        &mut self,
        organization: &OrganizationId,
        subject: &str,
    ) -> Result<u64, StoreError> {
        Ok(on!(&mut self.tx, |tx, DB| {
            sqlx::query::<DB>("DELETE FROM portal_sessions WHERE organization = $1 AND subject = $2")
                .bind(organization.as_str())
                .bind(subject)
                .execute(&mut **tx)
                .await
                .map(|done| done.rows_affected())
        })?)
    }

    /// The keys of this creator, a user of the portal, that are neither revoked nor expired at `now`.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn count_portal_keys(
        &mut self,
        organization: &OrganizationId,
        creator: &str,
        now: Timestamp,
    ) -> Result<i64, StoreError> {
        let counted = on!(&mut self.tx, |tx, DB| {
            sqlx::query_as::<DB, CountRow>(
                "SELECT COUNT(*) AS number FROM api_keys
                 WHERE organization = $1 AND created_by = $2 AND substr(created_by, 1, 7) = 'portal:'
                   AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > $3)",
            )
            .bind(organization.as_str())
            .bind(creator)
            .bind(now.unix())
            .fetch_one(&mut **tx)
            .await
        })?;
        Ok(counted.number)
    }
}

impl Store {
    /// The session that a code with this digest opens.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn pending_session(&self, digest: &str) -> Result<Option<PortalSession>, StoreError> {
        let row = on!(&self.db, |pool, DB| {
            sqlx::query_as::<DB, SessionRow>(select_session!("NULL")).bind(digest).fetch_optional(pool).await
        })?;
        row.map(PortalSession::try_from).transpose()
    }

    /// The open session whose id has this digest.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn portal_session(&self, digest: &str) -> Result<Option<PortalSession>, StoreError> {
        let row = on!(&self.db, |pool, DB| {
            sqlx::query_as::<DB, SessionRow>(select_session!("NOT NULL"))
                .bind(digest)
                .fetch_optional(pool)
                .await
        })?;
        row.map(PortalSession::try_from).transpose()
    }

    /// Deletes the sessions and codes that have ended by `now`. Returns how many.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn delete_ended_portal_sessions(&self, now: Timestamp) -> Result<u64, StoreError> {
        self.delete_older("DELETE FROM portal_sessions WHERE ends_at <= $1", now).await
    }
}

impl TryFrom<SessionRow> for PortalSession {
    type Error = StoreError;

    fn try_from(row: SessionRow) -> Result<Self, StoreError> {
        let at = Timestamp::from_unix;
        Ok(Self {
            organization: read("organization id", &row.organization)?,
            granted: serde_json::from_str(&row.granted)
                .map_err(|error| StoreError::corrupt("portal session", error))?,
            key: read("key id", &row.key_id)?,
            generation: u64::try_from(row.key_generation)
                .map_err(|error| StoreError::corrupt("generation", error))?,
            lasts_seconds: row.lasts_seconds,
            created_at: at(row.created_at),
            opened_at: row.opened_at.map(at),
            ends_at: at(row.ends_at),
        })
    }
}
