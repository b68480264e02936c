//! The report of a restore or of a dry run.

use serde::Serialize;
use sqlx::AssertSqlSafe;

use super::RestoreOptions;
use super::taken_away::DISABLED;
use crate::base::clock::Timestamp;
use crate::store::backup::{BackupFacts, active_keys};
use crate::store::db::{Tx, either, row};
use crate::store::open::SCHEMA;

/// What a restore did. After a dry run: what it would do.
#[derive(Clone, Debug)]
pub struct RestoreReport {
    /// The backup that was restored.
    pub backup: BackupFacts,
    /// How many API keys are active in the restored store.
    pub active_keys: i64,
    /// How many of the active keys may create keys everywhere.
    pub admin_keys: i64,
    /// How the replaced store differs; `None` if the store was empty.
    pub replaced: Option<Replaced>,
}

/// How a replaced store differs from the backup.
#[derive(Clone, Debug)]
pub struct Replaced {
    /// What the store has taken away since the backup. [`TakenAway::comes_back`] says whether the restore brings
    /// it back.
    pub taken_away: Vec<TakenAway>,
    /// Active keys of the backup of which the store has no record. It can't tell whether they were taken away.
    pub unknown: Vec<NamedKey>,
    /// Active keys of the store that the backup lacks. The restore deletes them.
    pub lost: Vec<NamedKey>,
}

/// Something that a store has taken away since a backup.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct TakenAway {
    /// Its kind.
    pub kind: TakenKind,
    /// Its id.
    pub id: String,
    /// The organization that owns it; `None` for tokens, signing keys and organizations.
    pub organization: Option<String>,
    /// Its name, if it has one.
    pub name: Option<String>,
    /// `revoked`, `deleted`, `withdrawn`, `disabled`, `narrowed` for a key that lost scopes, ranges, time or a credential,
    /// `removed` for a member, `narrowed` for one whose role lost something,
    /// or `changed` for an issuer with another URL, other keys or algorithms.
    pub what: String,
}

impl TakenAway {
    /// Whether a restore with these options brings it back. A restore never enables a key.
    pub fn comes_back(&self, options: RestoreOptions) -> bool {
        options.forget_revocations && self.what != DISABLED
    }
}

/// The kinds of things that can be taken away.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum TakenKind {
    /// An API key, or something that it had.
    Key,
    /// An access token.
    Token,
    /// A signing key.
    SigningKey,
    /// An organization.
    Organization,
    /// A project.
    Project,
    /// A trusted issuer, or the keys that were in its place.
    TrustedIssuer,
    /// A member, or something that the member's role had.
    Member,
}

impl TakenKind {
    const ALL: [Self; 7] = [
        Self::Key,
        Self::Token,
        Self::SigningKey,
        Self::Organization,
        Self::Project,
        Self::TrustedIssuer,
        Self::Member,
    ];

    /// The kind as text: `key`, `token`, `signing_key`, `organization`, `project`, `trusted_issuer` or `member`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Key => "key",
            Self::Token => "token",
            Self::SigningKey => "signing_key",
            Self::Organization => "organization",
            Self::Project => "project",
            Self::TrustedIssuer => "trusted_issuer",
            Self::Member => "member",
        }
    }

    pub(super) fn from_text(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text)
    }

    /// The action in the audit trail when a restore brings such a thing back.
    pub(super) fn restored(self) -> &'static str {
        match self {
            Self::Key => "key.restore",
            Self::Token => "token.restore",
            Self::SigningKey => "signing_key.restore",
            Self::Organization => "organization.restore",
            Self::Project => "project.restore",
            Self::TrustedIssuer => "issuer.restore",
            Self::Member => "member.restore",
        }
    }
}

/// A key as people know it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct NamedKey {
    /// The key's id.
    pub id: String,
    /// The organization that owns it.
    pub organization: String,
    /// The name that people gave it.
    pub name: String,
}

row! {
    struct NamedKeyRow {
        id: String,
        organization: String,
        name: String,
    }
}

/// How many active keys of the staged backup may create keys everywhere.
pub(super) async fn admin_keys(at: Timestamp, tx: &mut Tx) -> sqlx::Result<i64> {
    active_keys("(SELECT * FROM backup_api_keys WHERE is_way_in = 1) AS ways_in", SCHEMA, at, tx).await
}

/// The active keys in `table` that `other` lacks, except those that are known to be deleted. The two are
/// `api_keys` and `backup_api_keys`.
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
