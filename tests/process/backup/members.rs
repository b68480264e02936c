//! Members in a backup: a restore brings back nobody who was removed, no right that a role has lost, and no invitation.

use super::{backed_up, printed, stop};
use crate::support::{Backend, Claviger, Database, on_both};

on_both!(nobody_comes_back_silently, whom_groups_ended_and_somebody_removed_stays_out);

/// Members that were there at the backup, and what became of them since.
async fn insert(database: &Database, name: &str, seq: u32, role: &str, invitation: Option<&str>) {
    let (issuer, subject) = match invitation {
        Some(_) => ("NULL".to_owned(), "NULL".to_owned()),
        None => ("'https://sso.example.com'".to_owned(), format!("'{name}'")),
    };
    let digest = invitation.map_or("NULL".to_owned(), |digest| format!("'{digest}'"));
    database
        .execute(&format!(
            "INSERT INTO members (id, created_seq, organization, provider, issuer, subject, email, email_folded, name,
                 role, projects, generation, source, created_at, created_by, invitation_digest, invitation_expires_at)
             VALUES ('{name}', {seq}, 'default', 'sso', {issuer}, {subject}, '{name}@example.com', '{name}@example.com',
                 '{name}', '{role}', '', 0, 'invitation', 1, 'bootstrap', {digest}, 9999999999)"
        ))
        .await;
}

async fn members(database: &Database) -> Vec<String> {
    database
        .texts(
            "SELECT name || ' ' || role || CASE WHEN removed_at IS NULL THEN '' ELSE ' removed' END
                 || CASE WHEN invitation_digest IS NULL THEN '' ELSE ' invited' END || ' ' || email
             FROM members ORDER BY name",
        )
        .await
}

async fn nobody_comes_back_silently(backend: Backend) {
    let database = backend.fresh().await;
    let claviger = Claviger::over(&database);
    stop(claviger.serve());
    insert(&database, "kept", 1_000_001, "owner", None).await;
    insert(&database, "removed", 1_000_002, "admin", None).await;
    insert(&database, "narrowed", 1_000_003, "admin", None).await;
    insert(&database, "invited", 1_000_004, "auditor", Some("d")).await;
    backed_up(&claviger, &database, "a.backup");
    insert(&database, "later", 1_000_005, "admin", None).await;
    database
        .execute(
            "UPDATE members SET removed_at = 2, email = '', email_folded = '' WHERE name IN ('removed', 'later');
             UPDATE members SET role = 'auditor', generation = 1 WHERE name = 'narrowed'",
        )
        .await;
    let said = printed(&claviger, &["restore", "a.backup", "--replace", "--json"]);
    for what in [r#""id":"removed""#, r#""what":"removed""#, r#""id":"narrowed""#, r#""what":"narrowed""#] {
        assert!(said.replace(": ", ":").contains(what), "{what}: {said}");
    }
    assert_eq!(
        members(&database).await,
        [
            "invited auditor invited@example.com",
            "kept owner kept@example.com",
            "later admin removed ",
            "narrowed auditor narrowed@example.com",
            "removed admin removed ",
        ]
    );
    printed(&claviger, &["restore", "a.backup", "--replace", "--forget-revocations"]);
    let back = members(&database).await;
    assert!(back.contains(&"removed admin removed@example.com".to_owned()), "{back:?}");
    let restored = "SELECT COUNT(*) FROM audit_events WHERE action = 'member.restore'";
    assert_eq!(database.number(restored).await, 2);
}

async fn whom_groups_ended_and_somebody_removed_stays_out(backend: Backend) {
    let database = backend.fresh().await;
    let claviger = Claviger::over(&database);
    stop(claviger.serve());
    for (seq, name) in [(1_000_001, "active"), (1_000_002, "ended"), (1_000_003, "left")] {
        insert(&database, name, seq, "admin", None).await;
    }
    database
        .execute(
            "UPDATE members SET source = 'groups';
             UPDATE members SET removed_at = 1, left_at = 1, generation = 1, email = '', email_folded = ''
             WHERE name IN ('ended', 'left')",
        )
        .await;
    backed_up(&claviger, &database, "a.backup");
    // The groups end one membership, and somebody removes a member who had come back.
    database
        .execute(
            "UPDATE members SET removed_at = 2, left_at = 2, generation = 1, email = '', email_folded = ''
             WHERE name = 'active';
             UPDATE members SET removed_at = 3, left_at = NULL WHERE name = 'ended'",
        )
        .await;
    let said = printed(&claviger, &["restore", "a.backup", "--replace", "--json"]).replace(": ", ":");
    assert!(said.contains(r#""id":"active""#) && said.contains(r#""what":"removed""#), "{said}");
    let how = "SELECT name || ' ' || removed_at || CASE WHEN left_at IS NULL THEN ' removed' ELSE ' left' END
        FROM members ORDER BY name";
    assert_eq!(database.texts(how).await, ["active 2 left", "ended 3 removed", "left 1 left"]);
}
