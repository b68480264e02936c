//! Tokens revoked one by one. A row is needed only for as long as its token would have lived.

use sqlx::QueryBuilder;

use super::db::{on, row};
use super::write::{ChangeKind, Write};
use super::{Store, StoreError};
use crate::base::clock::Timestamp;
use crate::domain::api_key::KeyId;
use crate::domain::audit::{Actor, AuditEvent};
use crate::domain::names::OrganizationId;

/// How many live tokens one key may have revoked one by one; beyond it, the key whose tokens they are is what to revoke.
const MOST_OF_A_REVOKER: i64 = 1_000;

/// How many of one organization there may be: each is held in memory by every node and every follower of the feed.
const MOST_OF_AN_ORGANIZATION: i64 = 20_000;

/// How many each key may have revoked whatever others of its organization have: a leaked token is an emergency.
const ALWAYS_ALLOWED: i64 = 10;

/// A revoked token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RevokedToken {
    /// The token's id.
    pub jti: String,
    /// The key that it was issued for.
    pub key: KeyId,
    /// The end that the token itself names.
    pub expires_at: Timestamp,
    /// When it was revoked.
    pub revoked_at: Timestamp,
}

/// Why a token could not be revoked.
#[derive(Debug, thiserror::Error)]
pub enum RevokeTokenError {
    /// So many live tokens were revoked by the same key, or in the same organization, that no more may be.
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
    /// Revokes a token. One that is revoked already stays so, and takes nothing of the revoker's allowance.
    ///
    /// # Errors
    /// [`RevokeTokenError`]; the token is then as it was.
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

    /// Forgets tokens that ended before `before`.
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

    /// How many there are whose `column` is this, up to `most`.
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
