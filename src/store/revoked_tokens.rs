//! Tokens that were revoked individually. A row is needed only until its token would have expired.

use sqlx::QueryBuilder;

use super::change_kind::ChangeKind;
use super::db::{on, row};
use super::write::Write;
use super::{Store, StoreError};
use crate::base::clock::Timestamp;
use crate::domain::api_key::KeyId;
use crate::domain::audit::{Actor, AuditEvent};
use crate::domain::names::OrganizationId;

/// How many live tokens one key may revoke individually. Beyond that, the key that the tokens belong to should be
/// revoked.
const MOST_OF_A_REVOKER: i64 = 1_000;

/// The most individually revoked live tokens of one organization. Every node and every follower of the feed holds
/// each in memory.
const MOST_OF_AN_ORGANIZATION: i64 = 20_000;

/// How many live tokens each key may revoke whatever others of its organization have revoked. A leaked token is an
/// emergency.
const ALWAYS_ALLOWED: i64 = 10;

/// A token that was revoked individually.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RevokedToken {
    /// The id of the token.
    pub jti: String,
    /// The key that the token was issued for.
    pub key: KeyId,
    /// The expiry in the token itself.
    pub expires_at: Timestamp,
    /// When it was revoked.
    pub revoked_at: Timestamp,
}

/// Why a token can't be revoked.
#[derive(Debug, thiserror::Error)]
pub enum RevokeTokenError {
    /// The key, or its organization, has revoked as many live tokens as it may.
    #[error("too many live tokens were revoked individually; revoke the key instead")]
    TooMany,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

row! {
    pub(super) struct RevokedTokenRow {
        jti: String,
        key_id: String,
        expires_at: i64,
        revoked_at: i64,
    }
}

impl Store {
    /// Revokes a token. A repetition has no effect, and doesn't count against the revoker's limit.
    ///
    /// # Errors
    /// [`RevokeTokenError`]. The token is then unchanged.
    pub async fn revoke_token(
        &self,
        token: &RevokedToken,
        organization: &OrganizationId,
        at: Timestamp,
        actor: &Actor,
    ) -> Result<(), RevokeTokenError> {
        let mut write = self.write(at, actor).await?;
        if write.is_revoked(&token.jti).await? {
            return Ok(());
        }
        let by = actor.who.to_string();
        let own = write.live_revoked_tokens(("revoked_by", &by), MOST_OF_A_REVOKER).await?;
        let is_crowded = own >= ALWAYS_ALLOWED && {
            let most = MOST_OF_AN_ORGANIZATION;
            write.live_revoked_tokens(("organization", organization.as_str()), most).await? >= most
        };
        if own >= MOST_OF_A_REVOKER || is_crowded {
            return Err(RevokeTokenError::TooMany);
        }
        write.insert_revoked_token(token, organization, &by).await?;
        let event = AuditEvent {
            action: "token.revoke",
            organization: Some(organization.clone()),
            key: Some(token.key),
            subject: token.jti.clone(),
            before: None,
            after: Some(serde_json::json!({
                "key": token.key.to_string(),
                "expires_at": token.expires_at.rfc3339(),
            })),
        };
        write.record(ChangeKind::Token, event).await?;
        Ok(write.commit().await?)
    }

    /// Deletes tokens that expired before `before`. Returns how many.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn delete_old_revoked_tokens(&self, before: Timestamp) -> Result<u64, StoreError> {
        self.delete_older("DELETE FROM revoked_tokens WHERE expires_at < $1", before).await
    }
}

impl Write {
    async fn is_revoked(&mut self, jti: &str) -> Result<bool, StoreError> {
        let found = on!(&mut self.tx, |tx, DB| {
            sqlx::query_scalar::<DB, String>("SELECT jti FROM revoked_tokens WHERE jti = $1")
                .bind(jti)
                .fetch_optional(&mut **tx)
                .await
        })?;
        Ok(found.is_some())
    }

    /// The number of live revoked tokens with this value in `column`, counted up to `most`.
    async fn live_revoked_tokens(
        &mut self,
        (column, value): (&'static str, &str),
        most: i64,
    ) -> Result<i64, StoreError> {
        let now = self.at.unix();
        Ok(on!(&mut self.tx, |tx, DB| {
            let mut sql =
                QueryBuilder::<DB>::new("SELECT COUNT(*) FROM (SELECT 1 FROM revoked_tokens WHERE ");
            sql.push(column).push(" = ").push_bind(value);
            sql.push(" AND expires_at > ").push_bind(now);
            sql.push(" LIMIT ").push_bind(most).push(") AS found");
            sql.build_query_scalar::<i64>().fetch_one(&mut **tx).await
        })?)
    }

    async fn insert_revoked_token(
        &mut self,
        token: &RevokedToken,
        organization: &OrganizationId,
        by: &str,
    ) -> Result<(), StoreError> {
        on!(&mut self.tx, |tx, DB| {
            sqlx::query::<DB>(
                "INSERT INTO revoked_tokens (jti, key_id, revoked_at, expires_at, organization, revoked_by)
                 VALUES ($1, $2, $3, $4, $5, $6)",
            )
            .bind(&token.jti)
            .bind(token.key.to_string())
            .bind(token.revoked_at.unix())
            .bind(token.expires_at.unix())
            .bind(organization.as_str())
            .bind(by)
            .execute(&mut **tx)
            .await
            .map(drop)
        })?;
        Ok(())
    }
}

impl TryFrom<RevokedTokenRow> for RevokedToken {
    type Error = StoreError;

    fn try_from(row: RevokedTokenRow) -> Result<Self, StoreError> {
        let key = row.key_id.parse().map_err(|_| StoreError::Corrupt(format!("key id {}", row.key_id)))?;
        let (expires_at, revoked_at) = (row.expires_at, row.revoked_at);
        Ok(Self {
            jti: row.jti,
            key,
            expires_at: Timestamp::from_unix(expires_at),
            revoked_at: Timestamp::from_unix(revoked_at),
        })
    }
}
