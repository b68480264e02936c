//! What happens to a stored secret after it was made.

use crate::key::SecretId;
use crate::store::db::on;
use crate::store::{Store, StoreError};

impl Store {
    /// Replaces a secret's hash by one of the same secret at another cost, unless it was replaced meanwhile.
    /// Nothing that anybody can see changes, so there is no audit event and no change number.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn replace_hash(&self, id: SecretId, old: &str, new: &str) -> Result<(), StoreError> {
        on!(&self.db, |pool, DB| {
            sqlx::query::<DB>("UPDATE key_secrets SET hash = $3 WHERE id = $1 AND hash = $2")
                .bind(id.to_string())
                .bind(old)
                .bind(new)
                .execute(pool)
                .await
                .map(drop)
        })?;
        Ok(())
    }
}
