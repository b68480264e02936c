//! Finds the keys that trust an issuer.

use super::row::{KeyRow, group};
use super::{joined, newest_secret_last, select_key};
use crate::domain::key::ApiKey;
use crate::domain::trusted_issuer::TrustedIssuer;
use crate::store::StoreError;
use crate::store::db::on;
use crate::store::write::Write;

/// The keys, as a table of the same columns.
const TRUSTING: &str = concat!(
    select_key!(),
    "(SELECT * FROM api_keys WHERE organization = $1 AND revoked_at IS NULL AND id IN (
         SELECT key_id FROM key_secrets WHERE trusted_issuer = $2 AND retired_at IS NULL))",
    joined!(),
    "ORDER BY k.created_seq, ",
    newest_secret_last!()
);

impl Write {
    /// The unrevoked keys of an issuer's organization that have a trust rule for it.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn keys_trusting(&mut self, issuer: &TrustedIssuer) -> Result<Vec<ApiKey>, StoreError> {
        let rows = on!(&mut self.tx, |tx, DB| {
            sqlx::query_as::<DB, KeyRow>(TRUSTING)
                .bind(issuer.organization.as_str())
                .bind(issuer.id.as_str())
                .fetch_all(&mut **tx)
                .await
        })?;
        Ok(group(rows)?.into_iter().map(|(stored, _)| stored.key).collect())
    }
}
