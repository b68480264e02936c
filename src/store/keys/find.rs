//! Keys of all organizations, by the beginning of their ids.

use super::row::{KeyRow, group};
use super::{joined, newest_secret_last, select_key};
use crate::key::ApiKey;
use crate::store::db::on;
use crate::store::{Store, StoreError};

/// After every id that begins with what it is put behind: an id is shorter, and `z` is the last letter in every order
/// of text, be it by bytes or by a language, in which the bounds let the other case pass, too.
const LAST: &str = "zzzzzzzzzzzzzzzzz";

const BY_BEGINNING: &str = concat!(
    select_key!(),
    "(SELECT * FROM api_keys
      WHERE id > $1 AND id >= $2 AND id <= $3 AND SUBSTR(id, 1, LENGTH($2)) = $2
      ORDER BY id LIMIT $4)",
    joined!(),
    "ORDER BY k.id, ",
    newest_secret_last!()
);

impl Store {
    /// At most `limit` keys whose ids begin so, in the order of their ids, behind the id `behind`.
    ///
    /// # Errors
    /// When the store cannot be asked.
    pub async fn keys_beginning(
        &self,
        beginning: &str,
        behind: Option<&str>,
        limit: u16,
    ) -> Result<Vec<ApiKey>, StoreError> {
        let rows = on!(&self.db, |pool, DB| {
            sqlx::query_as::<DB, KeyRow>(BY_BEGINNING)
                .bind(behind.unwrap_or_default().to_owned())
                .bind(beginning.to_owned())
                .bind(format!("{beginning}{LAST}"))
                .bind(i64::from(limit))
                .fetch_all(pool)
                .await
        })?;
        Ok(group(rows)?.into_iter().map(|(stored, _)| stored.key).collect())
    }
}
