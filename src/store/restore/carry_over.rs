//! What a restored store takes over from the one that it replaces, written into the staged tables.

use crate::store::backup::Table;
use crate::store::db::{Tx, either, run};

/// Numbers go on and are never given twice, and the audit trail keeps what has been recorded since the backup.
/// A generation that has been reached stays, so that no token of a lower one comes back to life.
const HISTORY: [&str; 3] = [
    "UPDATE backup_sequences SET value = s.value FROM sequences s
     WHERE s.name = backup_sequences.name AND s.value > backup_sequences.value",
    "UPDATE backup_api_keys SET generation = s.generation FROM api_keys s
     WHERE s.id = backup_api_keys.id AND s.generation > backup_api_keys.generation",
    "INSERT INTO backup_audit_events SELECT * FROM audit_events s
     WHERE NOT EXISTS (SELECT 1 FROM backup_audit_events b WHERE b.seq = s.seq)",
];

/// A key of which something was taken away is as the store has it, its secrets included: of a rotated one there
/// is otherwise none left. So it is with signing keys: a withdrawn one needs its successor.
const TAKEN_AWAY: [&str; 8] = [
    "DELETE FROM backup_key_secrets WHERE key_id IN (SELECT id FROM taken_away WHERE kind = 'key')",
    "INSERT INTO backup_key_secrets SELECT * FROM key_secrets
     WHERE key_id IN (SELECT id FROM taken_away WHERE kind = 'key')",
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
];

/// Begins a new epoch where the histories of backup and store have come to.
pub(super) async fn history(epoch: &str, tx: &mut Tx) -> sqlx::Result<()> {
    for statement in HISTORY {
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

/// Takes away again what is in the temporary table `taken_away`.
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
