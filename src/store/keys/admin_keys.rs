//! The keys that can create keys in every organization.

use super::order::NEVER;
use crate::base::clock::Timestamp;
use crate::domain::api_key::KeyId;
use crate::domain::cidr::Cidrs;
use crate::store::StoreError;
use crate::store::db::{on, row};
use crate::store::error::read;
use crate::store::write::Write;

/// An active key that can create keys in every organization.
#[derive(Clone, Debug)]
pub struct AdminKey {
    /// The id of the key.
    pub key: KeyId,
    /// The networks from which it may be used.
    pub cidrs: Cidrs,
    /// When the key or its last secret ends, whichever is earlier. [`Timestamp::MAX`] if neither does.
    pub until: Timestamp,
}

row! {
    struct AdminKeyRow {
        id: String,
        cidrs: String,
        ends_at: i64,
        secrets_end_at: i64,
    }
}

impl Write {
    /// The active keys that can create keys in every organization, at most `limit` of them. Keys that last longest
    /// come first.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn admin_keys(&mut self, limit: usize) -> Result<Vec<AdminKey>, StoreError> {
        let now = self.at.unix();
        let rows = on!(&mut self.tx, |tx, DB| {
            sqlx::query_as::<DB, AdminKeyRow>(
                "SELECT k.id, k.cidrs, k.ends_at, MAX(COALESCE(s.expires_at, $2)) AS secrets_end_at
                 FROM api_keys k JOIN key_secrets s ON s.key_id = k.id AND s.retired_at IS NULL AND s.trust_rule IS NULL
                 WHERE k.is_way_in = 1 AND k.revoked_at IS NULL AND k.disabled_at IS NULL AND k.ends_at > $1
                   AND (s.expires_at IS NULL OR s.expires_at > $1)
                 GROUP BY k.id, k.cidrs, k.ends_at ORDER BY k.ends_at DESC LIMIT $3",
            )
            .bind(now)
            .bind(NEVER)
            .bind(i64::try_from(limit).unwrap_or(i64::MAX))
            .fetch_all(&mut **tx)
            .await
        })?;
        rows.into_iter().map(AdminKey::try_from).collect()
    }
}

impl TryFrom<AdminKeyRow> for AdminKey {
    type Error = StoreError;

    fn try_from(row: AdminKeyRow) -> Result<Self, StoreError> {
        let until = Timestamp::from_unix(row.ends_at.min(row.secrets_end_at));
        Ok(Self {
            key: read("key id", &row.id)?,
            cidrs: Cidrs::from_text(&row.cidrs).map_err(|error| StoreError::corrupt("cidrs", error))?,
            until: until.min(Timestamp::MAX),
        })
    }
}
