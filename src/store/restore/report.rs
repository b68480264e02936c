//! What a restore has done, or would do.

use serde::Serialize;
use sqlx::AssertSqlSafe;

use super::RestoreOptions;
use super::taken_away::DISABLED;
use crate::base::clock::Timestamp;
use crate::store::backup::{BackupFacts, active_keys};
use crate::store::db::{Tx, either, row};
use crate::store::open::SCHEMA;

/// What a restore has done, or would do.
#[derive(Clone, Debug)]
pub struct RestoreReport {
    /// What was restored.
    pub backup: BackupFacts,
    /// How many API keys are active in the restored store.
    pub active_keys: i64,
    /// How many of them may make keys everywhere.
    pub admin_keys: i64,
    /// What it took the place of; `None` when the store was empty.
    pub replaced: Option<Replaced>,
}

/// How a store that was replaced differs from the backup.
#[derive(Clone, Debug)]
pub struct Replaced {
    /// What it has taken away since: carried over, or brought back to life, as the restore was told.
    pub taken_away: Vec<TakenAway>,
    /// Active keys of the backup that it knows nothing of: not even whether they were taken away.
    pub unknown: Vec<NamedKey>,
    /// Its active keys that the backup does not have: they are gone.
    pub lost: Vec<NamedKey>,
}

/// Something that a store has taken away.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct TakenAway {
    /// What kind of thing.
    pub kind: TakenKind,
    /// Its id.
    pub id: String,
    /// The organization that it belongs to.
    pub organization: Option<String>,
    /// What people call it.
    pub name: Option<String>,
    /// `revoked`, `deleted`, `withdrawn`, `disabled`, or `narrowed` for a key that has lost scopes, ranges, time or a
    /// secret.
    pub what: String,
}

impl TakenAway {
    /// Whether a restore brings it back to life. It never enables a key.
    pub fn comes_back(&self, options: RestoreOptions) -> bool {
        options.forget_revocations && self.what != DISABLED
    }
}

/// What can be taken away.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum TakenKind {
    /// An API key, or something of it.
    Key,
    /// A token.
    Token,
    /// A signing key.
    SigningKey,
    /// An organization.
    Organization,
    /// A project.
    Project,
}

impl TakenKind {
    const ALL: [Self; 5] = [Self::Key, Self::Token, Self::SigningKey, Self::Organization, Self::Project];

    /// `key`, `token`, `signing_key`, `organization` or `project`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Key => "key",
            Self::Token => "token",
            Self::SigningKey => "signing_key",
            Self::Organization => "organization",
            Self::Project => "project",
        }
    }

    pub(super) fn from_text(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text)
    }

    /// What the audit trail calls it when such a thing comes back to life.
    pub(super) fn restored(self) -> &'static str {
        match self {
            Self::Key => "key.restore",
            Self::Token => "token.restore",
            Self::SigningKey => "signing_key.restore",
            Self::Organization => "organization.restore",
            Self::Project => "project.restore",
        }
    }
}

/// A key, for people.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct NamedKey {
    /// Its id.
    pub id: String,
    /// The organization that it belongs to.
    pub organization: String,
    /// What people call it.
    pub name: String,
}

row! {
    struct NamedKeyRow {
        id: String,
        organization: String,
        name: String,
    }
}

/// How many active keys of the staged backup may make keys everywhere.
pub(super) async fn admin_keys(at: Timestamp, tx: &mut Tx) -> sqlx::Result<i64> {
    active_keys("(SELECT * FROM backup_api_keys WHERE is_way_in = 1) AS ways_in", SCHEMA, at, tx).await
}

/// The active keys of one of the tables `api_keys` and `backup_api_keys` that the other one does not have, but for
/// those that are known to be deleted.
pub(super) async fn only_in(
    table: &'static str,
    other: &'static str,
    at: Timestamp,
    tx: &mut Tx,
) -> sqlx::Result<Vec<NamedKey>> {
    let select = format!(
        "SELECT k.id, k.organization, k.name FROM {table} k
         WHERE k.revoked_at IS NULL AND k.disabled_at IS NULL AND (k.expires_at IS NULL OR k.expires_at > $1)
           AND NOT EXISTS (SELECT 1 FROM {other} o WHERE o.id = k.id)
           AND k.id NOT IN (SELECT id FROM taken_away WHERE kind = 'key')
         ORDER BY k.organization, k.id"
    );
    let rows = either!(tx, |tx, DB| {
        sqlx::query_as::<DB, NamedKeyRow>(AssertSqlSafe(select)).bind(at.unix()).fetch_all(&mut **tx).await
    })?;
    let named = |row: NamedKeyRow| NamedKey { id: row.id, organization: row.organization, name: row.name };
    Ok(rows.into_iter().map(named).collect())
}
