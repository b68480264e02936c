//! Settings that the nodes of a deployment share, and the clock for deletion by age.

use serde_json::json;

use super::change_kind::ChangeKind;
use super::db::{Either, database_seconds, on, row};
use super::write::Write;
use super::{Store, StoreError};
use crate::base::clock::Timestamp;
use crate::domain::audit::{Actor, AuditEvent};

/// The settings in the store. `None` if no start has set them yet.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SharedSettings {
    /// The `iss` of every token.
    pub issuer: Option<String>,
    /// The brand of new keys.
    pub brand: Option<String>,
    /// The audiences of the node that started last.
    pub audiences: Option<Vec<String>>,
}

pub(super) const SHARED_SETTINGS: &str = "SELECT issuer, brand, audiences FROM deployment WHERE id = 1";

row! {
    pub(super) struct SharedSettingsRow {
        issuer: Option<String>,
        brand: Option<String>,
        audiences: Option<String>,
    }
}

impl From<SharedSettingsRow> for SharedSettings {
    fn from(row: SharedSettingsRow) -> Self {
        let list = |text: String| text.split(' ').map(str::to_owned).collect();
        Self { issuer: row.issuer, brand: row.brand, audiences: row.audiences.map(list) }
    }
}

impl Store {
    /// The settings in the store.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn shared_settings(&self) -> Result<SharedSettings, StoreError> {
        let row = on!(&self.db, |pool, DB| {
            sqlx::query_as::<DB, SharedSettingsRow>(SHARED_SETTINGS).fetch_optional(pool).await
        })?;
        Ok(row.map(Into::into).unwrap_or_default())
    }

    /// Stores an issuer and a brand where none is set. Returns the stored settings. If several nodes start at once,
    /// the first one wins.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn remember_identity(
        &self,
        issuer: Option<&str>,
        brand: &str,
    ) -> Result<SharedSettings, StoreError> {
        on!(&self.db, |pool, DB| {
            sqlx::query::<DB>(
                "UPDATE deployment SET issuer = COALESCE(issuer, $1), brand = COALESCE(brand, $2) WHERE id = 1",
            )
            .bind(issuer)
            .bind(brand)
            .execute(pool)
            .await
            .map(drop)
        })?;
        self.shared_settings().await
    }

    /// Replaces the issuer, which may become unset, and the brand. Records an audit event.
    ///
    /// # Errors
    /// When the store fails. The settings are then unchanged.
    pub async fn change_identity(
        &self,
        issuer: Option<&str>,
        brand: &str,
        at: Timestamp,
        actor: &Actor,
    ) -> Result<(), StoreError> {
        let mut write = self.write(at, actor).await?;
        let before = write.identity().await?;
        on!(&mut write.tx, |tx, DB| {
            sqlx::query::<DB>("UPDATE deployment SET issuer = $1, brand = $2 WHERE id = 1")
                .bind(issuer)
                .bind(brand)
                .execute(&mut **tx)
                .await
                .map(drop)
        })?;
        let event = AuditEvent {
            action: "deployment.change",
            organization: None,
            key: None,
            subject: "deployment".into(),
            before: Some(json!({ "issuer": before.issuer, "brand": before.brand })),
            after: Some(json!({ "issuer": issuer, "brand": brand })),
        };
        write.record(ChangeKind::Deployment, event).await?;
        write.commit().await
    }

    /// Stores the audiences of a starting node.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn remember_audiences(&self, audiences: Option<&[String]>) -> Result<(), StoreError> {
        let audiences = audiences.map(|list| list.join(" "));
        Ok(on!(&self.db, |pool, DB| {
            sqlx::query::<DB>("UPDATE deployment SET audiences = $1 WHERE id = 1")
                .bind(audiences)
                .execute(pool)
                .await
                .map(drop)
        })?)
    }

    /// The moment up to which time has passed steadily. `None` before [`Store::start_retention_clock`].
    ///
    /// # Errors
    /// When the store fails.
    pub async fn retention_time(&self) -> Result<Option<Timestamp>, StoreError> {
        let moment = on!(&self.db, |pool, DB| {
            sqlx::query_scalar::<DB, Option<i64>>("SELECT steady_at FROM deployment WHERE id = 1")
                .fetch_optional(pool)
                .await
        })?;
        Ok(moment.flatten().map(Timestamp::from_unix))
    }

    /// Like [`Store::retention_time`]. In a store without such a moment, it first sets the latest time in the audit
    /// trail, before anything is written by a clock that may be wrong.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn start_retention_clock(&self) -> Result<Option<Timestamp>, StoreError> {
        if let Some(at) = self.retention_time().await? {
            return Ok(Some(at));
        }
        on!(&self.db, |pool, DB| {
            sqlx::query::<DB>(
                "UPDATE deployment SET steady_at = (SELECT MAX(at) FROM audit_events)
                 WHERE id = 1 AND steady_at IS NULL",
            )
            .execute(pool)
            .await
            .map(drop)
        })?;
        self.retention_time().await
    }

    /// Stores the moment up to which time has passed steadily.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn save_retention_time(&self, at: Timestamp) -> Result<(), StoreError> {
        Ok(on!(&self.db, |pool, DB| {
            sqlx::query::<DB>("UPDATE deployment SET steady_at = $1 WHERE id = 1")
                .bind(at.unix())
                .execute(pool)
                .await
                .map(drop)
        })?)
    }

    /// The time by the database's clock. `None` on SQLite, which has no clock of its own.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn database_time(&self) -> Result<Option<Timestamp>, StoreError> {
        match &self.db {
            Either::Sqlite(_) => Ok(None),
            Either::Postgres(_) => {
                let seconds = on!(&self.db, |pool, DB| {
                    sqlx::query_scalar::<DB, i64>(concat!("SELECT ", database_seconds!()))
                        .fetch_one(pool)
                        .await
                })?;
                Ok(Some(Timestamp::from_unix(seconds)))
            }
        }
    }
}

impl Write {
    async fn identity(&mut self) -> Result<SharedSettings, StoreError> {
        let row = on!(&mut self.tx, |tx, DB| {
            sqlx::query_as::<DB, SharedSettingsRow>(SHARED_SETTINGS).fetch_one(&mut **tx).await
        })?;
        Ok(row.into())
    }
}
