//! Inserts and removes trust rules, and finds the keys that trust an issuer.

use super::row::{KeyRow, group};
use super::{joined, newest_secret_last, select_key};
use crate::domain::api_key::KeyId;
use crate::domain::key::{ApiKey, RegisteredRule, TrustRuleId};
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
    /// Registers a trust rule for a key.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn insert_trust_rule(
        &mut self,
        key: &KeyId,
        registered: &RegisteredRule,
    ) -> Result<(), StoreError> {
        let rule = text(registered);
        on!(&mut self.tx, |tx, DB| {
            sqlx::query::<DB>(
                "INSERT INTO key_secrets (id, key_id, hash, trust_rule, trusted_issuer, created_at)
                 VALUES ($1, $2, '', $3, $4, $5)",
            )
            .bind(registered.id.to_string())
            .bind(key.to_string())
            .bind(rule)
            .bind(registered.rule.issuer().as_str())
            .bind(registered.created_at.unix())
            .execute(&mut **tx)
            .await
            .map(drop)
        })?;
        Ok(())
    }

    /// Removes a trust rule, which then no longer lets anybody in.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn remove_trust_rule(&mut self, id: TrustRuleId) -> Result<(), StoreError> {
        self.retire_credential(id.into()).await
    }

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

/// A rule as it is stored.
pub(super) fn text(registered: &RegisteredRule) -> String {
    serde_json::to_string(&registered.rule).unwrap_or_default()
}
