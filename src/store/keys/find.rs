//! Finds keys of all organizations by the beginning of their ids.

use super::row::{KeyRow, group};
use super::{joined, newest_secret_last, select_key};
use crate::domain::key::ApiKey;
use crate::store::db::on;
use crate::store::{Reading, StoreError};

/// A suffix that makes an upper bound for all ids with the same beginning. It is longer than an id, and `z` is the
/// last letter in every order of text, by bytes or by language. In the order of a language, the bounds also let the
/// other case through.
const LAST: &str = "zzzzzzzzzzzzzzzzz";

const BY_BEGINNING: &str = concat!(
    select_key!(),
    "(SELECT * FROM api_keys
      WHERE id >= $1 AND id <= $2 AND id <> $3 AND SUBSTR(id, 1, LENGTH($4)) = $4
      ORDER BY id LIMIT $5)",
    joined!(),
    "ORDER BY k.id, ",
    newest_secret_last!()
);

impl Reading {
    /// At most `limit` keys whose ids begin with `beginning`, in the order of their ids, from behind the id `behind`.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn keys_beginning(
        &self,
        beginning: &str,
        behind: Option<&str>,
        limit: u16,
    ) -> Result<Vec<ApiKey>, StoreError> {
        let rows = on!(&self.db, |pool, DB| {
            sqlx::query_as::<DB, KeyRow>(BY_BEGINNING)
                // A single lower bound. With two, SQLite would search by either.
                .bind(behind.unwrap_or(beginning).to_owned())
                .bind(format!("{beginning}{LAST}"))
                .bind(behind.unwrap_or_default().to_owned())
                .bind(beginning.to_owned())
                .bind(i64::from(limit))
                .fetch_all(pool)
                .await
        })?;
        Ok(group(rows)?.into_iter().map(|(stored, _)| stored.key).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Store;
    use crate::store::db::{Either, plan};

    #[tokio::test]
    async fn a_beginning_is_looked_up_in_the_index_of_ids() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&format!("sqlite://{}/test.db", folder.path().display())).await.unwrap();
        let Either::Sqlite(pool) = &store.db else { unreachable!() };
        let steps = plan(pool, BY_BEGINNING).await;
        assert!(
            steps.iter().any(|step| step.contains("SEARCH api_keys") && step.contains("(id>? AND id<?)")),
            "{steps:?}"
        );
    }
}
