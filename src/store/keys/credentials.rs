//! Inserts and retires the credentials of keys, of whatever kind: each is a row of `key_secrets`.

use sqlx::QueryBuilder;

use crate::base::clock::Timestamp;
use crate::domain::api_key::KeyId;
use crate::domain::key::{ApiKey, CredentialId, KeySecret, RegisteredKey, RegisteredRule};
use crate::store::StoreError;
use crate::store::db::{BATCH, on, stays_prepared};
use crate::store::write::Write;

/// A credential, as its row has it. The columns of the other kinds are empty.
#[derive(Debug)]
pub struct CredentialRow<'c> {
    id: CredentialId,
    hash: &'c str,
    /// The master key of a secret's tag. It means nothing for the other kinds.
    master_key: i64,
    public_jwk: Option<&'c str>,
    trust_rule: Option<String>,
    trusted_issuer: Option<&'c str>,
    created_at: Timestamp,
    expires_at: Option<Timestamp>,
}

impl CredentialRow<'_> {
    /// A row without anything of its kind.
    fn bare(id: CredentialId, created_at: Timestamp) -> Self {
        Self {
            id,
            hash: "",
            master_key: 1,
            public_jwk: None,
            trust_rule: None,
            trusted_issuer: None,
            created_at,
            expires_at: None,
        }
    }
}

impl<'c> From<&'c KeySecret> for CredentialRow<'c> {
    fn from(secret: &'c KeySecret) -> Self {
        Self {
            hash: &secret.hash,
            master_key: secret.master_key,
            expires_at: secret.expires_at,
            ..Self::bare(secret.id.into(), secret.created_at)
        }
    }
}

impl<'c> From<&'c RegisteredKey> for CredentialRow<'c> {
    fn from(registered: &'c RegisteredKey) -> Self {
        Self { public_jwk: Some(&registered.jwk), ..Self::bare(registered.id.into(), registered.created_at) }
    }
}

impl<'c> From<&'c RegisteredRule> for CredentialRow<'c> {
    fn from(registered: &'c RegisteredRule) -> Self {
        Self {
            trust_rule: Some(serde_json::to_string(&registered.rule).unwrap_or_default()),
            trusted_issuer: Some(registered.rule.issuer().as_str()),
            ..Self::bare(registered.id.into(), registered.created_at)
        }
    }
}

/// The rows of all credentials of a key.
pub(super) fn rows_of(key: &ApiKey) -> impl Iterator<Item = CredentialRow<'_>> {
    let secrets = key.secrets.iter().map(CredentialRow::from);
    let public_keys = key.public_keys.iter().map(CredentialRow::from);
    secrets.chain(public_keys).chain(key.trust_rules.iter().map(CredentialRow::from))
}

impl Write {
    /// Stores a new credential of a key: a secret, a public key or a trust rule.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn insert_credential<'c>(
        &mut self,
        key: &KeyId,
        credential: impl Into<CredentialRow<'c>>,
    ) -> Result<(), StoreError> {
        self.insert_credentials(&[(*key, credential.into())]).await
    }

    /// Stores new credentials of keys.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn insert_credentials(
        &mut self,
        rows: &[(KeyId, CredentialRow<'_>)],
    ) -> Result<(), StoreError> {
        for batch in rows.chunks(BATCH) {
            on!(&mut self.tx, |tx, DB| {
                let mut sql = QueryBuilder::<DB>::new(
                    "INSERT INTO key_secrets
                         (id, key_id, hash, master_key, public_jwk, trust_rule, trusted_issuer, created_at, expires_at) ",
                );
                sql.push_values(batch, |mut row, (key, credential)| {
                    row.push_bind(credential.id.to_string())
                        .push_bind(key.to_string())
                        .push_bind(credential.hash);
                    row.push_bind(credential.master_key).push_bind(credential.public_jwk);
                    row.push_bind(&credential.trust_rule).push_bind(credential.trusted_issuer);
                    row.push_bind(credential.created_at.unix());
                    row.push_bind(credential.expires_at.map(Timestamp::unix));
                });
                sql.build().persistent(stays_prepared(batch.len())).execute(&mut **tx).await.map(drop)
            })?;
        }
        Ok(())
    }

    /// Retires a credential, which then no longer lets anybody in. Its row stays, so that a restored backup can't bring it
    /// back unnoticed.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn retire_credential(&mut self, id: CredentialId) -> Result<(), StoreError> {
        self.retire_credentials(&[id]).await
    }

    /// [Retires](Write::retire_credential) credentials.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn retire_credentials(&mut self, ids: &[CredentialId]) -> Result<(), StoreError> {
        let at = self.at.unix();
        for batch in ids.chunks(BATCH) {
            on!(&mut self.tx, |tx, DB| {
                let mut sql = QueryBuilder::<DB>::new("UPDATE key_secrets SET retired_at = ");
                sql.push_bind(at).push(" WHERE retired_at IS NULL AND id IN (");
                let mut listed = sql.separated(", ");
                for id in batch {
                    listed.push_bind(id.to_string());
                }
                let retire = sql.push(")").build();
                retire.persistent(stays_prepared(batch.len())).execute(&mut **tx).await.map(drop)
            })?;
        }
        Ok(())
    }
}
