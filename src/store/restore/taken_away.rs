//! Compares a store with a backup, to find what the store has taken away since.

use super::{TakenAway, TakenKind};
use crate::base::clock::Timestamp;
use crate::store::db::{Tx, either, row, run};

/// A key that was disabled and lost nothing else. It stays disabled even if the restore forgets revocations.
pub(super) const DISABLED: &str = "disabled";

const KEYS: &str = "
    INSERT INTO taken_away SELECT 'key', b.id, b.organization, b.name,
        CASE WHEN s.revoked_at IS NOT NULL THEN 'revoked'
             WHEN s.disabled_at IS NOT NULL AND b.disabled_at IS NULL AND s.generation <= b.generation + 1
                 AND NOT EXISTS (SELECT 1 FROM key_secrets ss JOIN backup_key_secrets bs ON bs.id = ss.id
                     WHERE ss.key_id = s.id AND ((ss.retired_at IS NOT NULL AND bs.retired_at IS NULL)
                         OR ss.expires_at < COALESCE(bs.expires_at, ss.expires_at + 1))) THEN 'disabled'
             ELSE 'narrowed' END
    FROM backup_api_keys b JOIN api_keys s ON s.id = b.id
    WHERE b.revoked_at IS NULL AND (
        s.revoked_at IS NOT NULL OR (s.disabled_at IS NOT NULL AND b.disabled_at IS NULL)
        OR s.generation > b.generation OR EXISTS (
            SELECT 1 FROM key_secrets ss JOIN backup_key_secrets bs ON bs.id = ss.id
            WHERE ss.key_id = s.id AND (
                (ss.retired_at IS NOT NULL AND bs.retired_at IS NULL)
                OR ss.expires_at < COALESCE(bs.expires_at, ss.expires_at + 1))))";

/// A missing key counts as deleted only if the store once had it.
const DELETED_KEYS: &str = "
    INSERT INTO taken_away SELECT 'key', b.id, b.organization, b.name, 'deleted'
    FROM backup_api_keys b
    WHERE NOT EXISTS (SELECT 1 FROM api_keys s WHERE s.id = b.id) AND (
        (b.created_seq <= (SELECT value FROM sequences WHERE name = 'changes')
            AND (SELECT epoch FROM deployment) = (SELECT epoch FROM backup_deployment))
        OR b.id IN (SELECT subject FROM audit_events WHERE action = 'key.delete'))";

const SIGNING_KEYS: &str = "
    INSERT INTO taken_away SELECT 'signing_key', b.kid, NULL, NULL, 'withdrawn'
    FROM backup_signing_keys b JOIN signing_keys s ON s.kid = b.kid
    WHERE b.withdrawn_at IS NULL AND s.withdrawn_at IS NOT NULL";

const ORGANIZATIONS: &str = "
    INSERT INTO taken_away SELECT 'organization', b.id, NULL, b.name, 'deleted'
    FROM backup_organizations b JOIN organizations s ON s.id = b.id
    WHERE b.deleted_at IS NULL AND s.deleted_at IS NOT NULL";

const PROJECTS: &str = "
    INSERT INTO taken_away SELECT 'project', b.organization || '/' || b.id, b.organization, b.name, 'deleted'
    FROM backup_projects b JOIN projects s ON s.organization = b.organization AND s.id = b.id
    WHERE b.deleted_at IS NULL AND s.deleted_at IS NOT NULL";

/// An issuer whose keys were replaced counts too: the earlier ones may have been somebody else's.
const TRUSTED_ISSUERS: &str = "
    INSERT INTO taken_away SELECT 'trusted_issuer', b.organization || '/' || b.id, b.organization, b.name,
        CASE WHEN s.deleted_at IS NOT NULL THEN 'deleted' WHEN s.keys_version > b.keys_version THEN 'changed'
             ELSE 'disabled' END
    FROM backup_trusted_issuers b JOIN trusted_issuers s ON s.organization = b.organization AND s.id = b.id
    WHERE b.deleted_at IS NULL AND (s.deleted_at IS NOT NULL OR s.keys_version > b.keys_version
        OR (s.disabled_at IS NOT NULL AND b.disabled_at IS NULL))";

/// A member's role that lost something counts too, whatever it was given afterwards.
const MEMBERS: &str = "
    INSERT INTO taken_away SELECT 'member', b.id, b.organization, b.name,
        CASE WHEN s.removed_at IS NOT NULL THEN 'removed' ELSE 'narrowed' END
    FROM backup_members b JOIN members s ON s.id = b.id
    WHERE b.removed_at IS NULL AND (s.removed_at IS NOT NULL OR s.generation > b.generation)";

/// Revoked tokens that haven't expired.
const TOKENS: &str = "
    INSERT INTO taken_away SELECT 'token', s.jti, NULL, NULL, 'revoked'
    FROM revoked_tokens s
    WHERE s.expires_at > $1 AND NOT EXISTS (SELECT 1 FROM backup_revoked_tokens b WHERE b.jti = s.jti)";

row! {
    struct TakenAwayRow {
        kind: String,
        id: String,
        organization: Option<String>,
        name: Option<String>,
        what: String,
    }
}

/// Finds what was taken away, and leaves it in the temporary table `taken_away`.
pub(super) async fn find(at: Timestamp, tx: &mut Tx) -> sqlx::Result<Vec<TakenAway>> {
    run(
        tx,
        "CREATE TEMPORARY TABLE taken_away (kind TEXT, id TEXT, organization TEXT, name TEXT, what TEXT)",
    )
    .await?;
    for statement in [KEYS, DELETED_KEYS, SIGNING_KEYS, ORGANIZATIONS, PROJECTS, TRUSTED_ISSUERS, MEMBERS] {
        run(tx, statement).await?;
    }
    let rows = either!(tx, |tx, DB| {
        sqlx::query::<DB>(TOKENS).bind(at.unix()).execute(&mut **tx).await?;
        sqlx::query_as::<DB, TakenAwayRow>("SELECT * FROM taken_away ORDER BY kind, organization, id")
            .fetch_all(&mut **tx)
            .await
    })?;
    rows.into_iter().map(TakenAway::try_from).collect()
}

impl TryFrom<TakenAwayRow> for TakenAway {
    type Error = sqlx::Error;

    fn try_from(row: TakenAwayRow) -> Result<Self, sqlx::Error> {
        let kind = TakenKind::from_text(&row.kind).ok_or_else(|| sqlx::Error::Decode(row.kind.into()))?;
        Ok(Self { kind, id: row.id, organization: row.organization, name: row.name, what: row.what })
    }
}
