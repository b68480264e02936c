//! Carries over into the staged tables what a restored store keeps from the store that it replaces.

use crate::base::clock::Timestamp;
use crate::store::backup::Table;
use crate::store::db::{Tx, either, run};

/// The issuer and the brand stay the store's: they may have changed since the backup, and running nodes use them.
/// Change numbers continue, and none is given twice. The audit trail keeps what was recorded since the backup.
/// Generations never decrease, so a token of a lower generation stays dead.
const HISTORY: [&str; 7] = [
    "UPDATE backup_deployment SET issuer = COALESCE(s.issuer, backup_deployment.issuer),
         brand = COALESCE(s.brand, backup_deployment.brand), audiences = s.audiences, steady_at = s.steady_at
     FROM deployment s",
    "UPDATE backup_sequences SET value = s.value FROM sequences s
     WHERE s.name = backup_sequences.name AND s.value > backup_sequences.value",
    "INSERT INTO backup_audit_events SELECT * FROM audit_events s
     WHERE NOT EXISTS (SELECT 1 FROM backup_audit_events b WHERE b.seq = s.seq)",
    "UPDATE backup_api_keys SET generation = s.generation FROM api_keys s
     WHERE s.id = backup_api_keys.id AND s.generation > backup_api_keys.generation",
    "UPDATE backup_api_keys SET generation = w.generation FROM withdrawals w
     WHERE w.key_id = backup_api_keys.id AND w.generation > backup_api_keys.generation",
    "DELETE FROM backup_withdrawals WHERE key_id IN (SELECT key_id FROM withdrawals)",
    "INSERT INTO backup_withdrawals SELECT * FROM withdrawals",
];

/// An assertion that was used stays used.
const USED: &str = "INSERT INTO backup_used_assertions SELECT * FROM used_assertions s
     WHERE NOT EXISTS (SELECT 1 FROM backup_used_assertions b WHERE b.used_id = s.used_id)";

/// A key that lost something stays as the store has it. This includes its secrets: a rotated key would otherwise
/// have none left. The same holds for signing keys: a withdrawn one needs its successor. Whoever was removed stays
/// removed, also if they became a member after the backup, or if the backup says that their groups had ended the
/// membership: a group at their provider could bring them back.
const TAKEN_AWAY: [&str; 15] = [
    "DELETE FROM backup_key_secrets WHERE key_id IN (SELECT id FROM taken_away WHERE kind = 'key')",
    "INSERT INTO backup_key_secrets SELECT * FROM key_secrets
     WHERE key_id IN (SELECT id FROM taken_away WHERE kind = 'key')",
    "UPDATE backup_key_last_use SET last_used_at = s.last_used_at, idle_since = s.idle_since, address = s.address,
        address_at = s.address_at FROM key_last_use s
     WHERE s.key_id = backup_key_last_use.key_id AND s.key_id IN (SELECT id FROM taken_away WHERE kind = 'key')",
    "DELETE FROM backup_key_last_use
     WHERE key_id IN (SELECT id FROM taken_away WHERE kind = 'key' AND what = 'deleted')",
    "DELETE FROM backup_api_keys
     WHERE id IN (SELECT id FROM taken_away WHERE kind = 'key' AND what = 'deleted')",
    "UPDATE backup_signing_keys SET withdrawn_at = s.withdrawn_at FROM signing_keys s
     WHERE s.kid = backup_signing_keys.kid AND s.withdrawn_at IS NOT NULL
       AND backup_signing_keys.withdrawn_at IS NULL",
    "INSERT INTO backup_signing_keys SELECT * FROM signing_keys s
     WHERE NOT EXISTS (SELECT 1 FROM backup_signing_keys b WHERE b.kid = s.kid)",
    "INSERT INTO backup_revoked_tokens SELECT * FROM revoked_tokens s
     WHERE NOT EXISTS (SELECT 1 FROM backup_revoked_tokens b WHERE b.jti = s.jti)",
    "UPDATE backup_organizations SET deleted_at = s.deleted_at FROM organizations s
     WHERE s.id = backup_organizations.id AND backup_organizations.deleted_at IS NULL",
    "UPDATE backup_projects SET deleted_at = s.deleted_at FROM projects s
     WHERE s.organization = backup_projects.organization AND s.id = backup_projects.id
       AND backup_projects.deleted_at IS NULL",
    "UPDATE backup_trusted_issuers SET deleted_at = s.deleted_at FROM trusted_issuers s
     WHERE s.organization = backup_trusted_issuers.organization AND s.id = backup_trusted_issuers.id
       AND backup_trusted_issuers.deleted_at IS NULL",
    "UPDATE backup_trusted_issuers SET issuer = s.issuer, key_source = s.key_source, algorithms = s.algorithms,
         keys_version = s.keys_version
     FROM trusted_issuers s
     WHERE s.organization = backup_trusted_issuers.organization AND s.id = backup_trusted_issuers.id
       AND s.keys_version > backup_trusted_issuers.keys_version",
    "UPDATE backup_members SET role = s.role, projects = s.projects, generation = s.generation FROM members s
     WHERE s.id = backup_members.id AND s.generation > backup_members.generation",
    "UPDATE backup_members SET removed_at = s.removed_at, left_at = s.left_at, email = '', email_folded = '',
         invitation_expires_at = NULL
     FROM members s
     WHERE s.id = backup_members.id AND s.removed_at IS NOT NULL
       AND (backup_members.removed_at IS NULL OR (backup_members.left_at IS NOT NULL AND s.left_at IS NULL))",
    "INSERT INTO backup_members SELECT * FROM members s
     WHERE s.removed_at IS NOT NULL AND COALESCE(s.organization, '') IN (SELECT id FROM backup_organizations UNION SELECT '')
       AND NOT EXISTS (SELECT 1 FROM backup_members b WHERE b.id = s.id OR b.created_seq = s.created_seq)",
];

/// What is disabled stays disabled, even if the restore forgets revocations. People enable keys and issuers one by one,
/// by name.
const DISABLED_ISSUERS: &str = "
    UPDATE backup_trusted_issuers SET disabled_at = s.disabled_at FROM trusted_issuers s
    WHERE s.organization = backup_trusted_issuers.organization AND s.id = backup_trusted_issuers.id
      AND s.disabled_at IS NOT NULL AND backup_trusted_issuers.disabled_at IS NULL";

const DISABLED: &str = "
    UPDATE backup_api_keys SET disabled_at = s.disabled_at FROM api_keys s
    WHERE s.id = backup_api_keys.id AND s.disabled_at IS NOT NULL AND backup_api_keys.disabled_at IS NULL";

/// A restore can also narrow a key: it undoes what the key was given since the backup.
const NARROWED: &str = "
    UPDATE backup_api_keys SET generation = backup_api_keys.generation + 1 FROM api_keys s
    WHERE s.id = backup_api_keys.id AND (
        s.scopes <> backup_api_keys.scopes OR s.cidrs <> backup_api_keys.cidrs OR s.dpop <> backup_api_keys.dpop
        OR COALESCE(s.expires_at, 0) <> COALESCE(backup_api_keys.expires_at, 0)
        OR (s.revoked_at IS NULL AND backup_api_keys.revoked_at IS NOT NULL)
        OR (s.disabled_at IS NULL AND backup_api_keys.disabled_at IS NOT NULL))";

/// Offline verifiers must learn of every key that is narrower than before, or gone.
const WITHDRAWN: [&str; 2] = [
    "DELETE FROM backup_withdrawals WHERE key_id IN (
         SELECT s.id FROM api_keys s LEFT JOIN backup_api_keys b ON b.id = s.id
         WHERE b.id IS NULL OR b.generation > s.generation)",
    "INSERT INTO backup_withdrawals (key_id, seq, generation, at)
     SELECT s.id, n.value + 1, COALESCE(b.generation, s.generation + 1), $1
     FROM api_keys s LEFT JOIN backup_api_keys b ON b.id = s.id JOIN backup_sequences n ON n.name = 'changes'
     WHERE b.id IS NULL OR b.generation > s.generation",
];

/// Begins a new epoch that continues the histories of both the backup and the store.
pub(super) async fn history(epoch: &str, tx: &mut Tx) -> sqlx::Result<()> {
    for statement in HISTORY.into_iter().chain([USED]) {
        run(tx, statement).await?;
    }
    either!(tx, |tx, DB| {
        sqlx::query::<DB>("UPDATE backup_deployment SET epoch = $1")
            .bind(epoch)
            .execute(&mut **tx)
            .await
            .map(drop)
    })
}

/// Takes away again what the temporary table `taken_away` lists.
pub(super) async fn what_was_taken_away(tables: &[Table], tx: &mut Tx) -> sqlx::Result<()> {
    for statement in TAKEN_AWAY {
        run(tx, statement).await?;
    }
    let Some(keys) = tables.iter().find(|table| table.name == "api_keys") else { return Ok(()) };
    let assignments = keys.assignments("s", &["id", "generation"]);
    run(
        tx,
        format!(
            "UPDATE backup_api_keys SET {assignments} FROM api_keys s
             WHERE s.id = backup_api_keys.id AND s.id IN (SELECT id FROM taken_away WHERE kind = 'key')"
        ),
    )
    .await
}

/// Keeps disabled what the store has disabled.
pub(super) async fn what_is_disabled(tx: &mut Tx) -> sqlx::Result<()> {
    run(tx, DISABLED_ISSUERS).await?;
    run(tx, DISABLED).await
}

/// Withdraws the tokens of keys that the restore narrows or removes.
pub(super) async fn withdraw_tokens(at: Timestamp, tx: &mut Tx) -> sqlx::Result<()> {
    run(tx, NARROWED).await?;
    let [delete, withdraw] = WITHDRAWN;
    run(tx, delete).await?;
    either!(tx, |tx, DB| sqlx::query::<DB>(withdraw).bind(at.unix()).execute(&mut **tx).await.map(drop))
}
