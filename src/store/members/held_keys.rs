//! The keys that a member created or rotated, by the trail of what the member did.

use sqlx::AssertSqlSafe;

use crate::domain::api_key::KeyId;
use crate::domain::member::Member;
use crate::domain::names::{OrganizationId, ProjectId};
use crate::store::db::{on, row};
use crate::store::error::read;
use crate::store::{Page, Reading, StoreError};

/// A key that a member created or rotated.
#[derive(Clone, Debug)]
pub struct KeyOfMember {
    /// The key's id.
    pub id: KeyId,
    /// The organization that owns it.
    pub organization: OrganizationId,
    /// The project of the key.
    pub project: ProjectId,
    /// Its name.
    pub name: String,
}

row! {
    struct KeyOfMemberRow {
        id: String,
        organization: String,
        project: String,
        name: String,
        created_seq: i64,
    }
}

/// What the trail calls the acts that show a secret.
const ACTS: &str = "action IN ('key.create', 'key.rotate') AND key_id IS NOT NULL";

impl Reading {
    /// At most `limit` unrevoked keys that the member created or rotated, and that were created before the one with
    /// creation number `before`, newest first. Rotations are known for as long as their events are kept.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn keys_of_member(
        &self,
        member: &Member,
        before: Option<i64>,
        limit: u16,
    ) -> Result<Page<KeyOfMember>, StoreError> {
        let held = match &member.organization {
            Some(_) => format!(
                "SELECT id FROM api_keys WHERE organization = $2 AND created_by = $1
                 UNION SELECT key_id FROM audit_events WHERE organization = $2 AND actor = $1 AND {ACTS}"
            ),
            None => format!("SELECT key_id FROM audit_events WHERE operator_id = $1 AND $2 = '' AND {ACTS}"),
        };
        let select = format!(
            "SELECT id, organization, project, name, created_seq FROM api_keys
             WHERE revoked_at IS NULL AND created_seq < $3 AND id IN ({held})
             ORDER BY created_seq DESC LIMIT $4"
        );
        let rows = on!(&self.db, |pool, DB| {
            sqlx::query_as::<DB, KeyOfMemberRow>(AssertSqlSafe(select))
                .bind(member.id.to_string())
                .bind(super::place(member.organization.as_ref()))
                .bind(before.unwrap_or(i64::MAX))
                .bind(i64::from(limit) + 1)
                .fetch_all(pool)
                .await
        })?;
        let rows = rows.into_iter().map(|row| Ok((row.created_seq, row.try_into()?)));
        Ok(Page::of(rows.collect::<Result<_, StoreError>>()?, limit))
    }
}

impl TryFrom<KeyOfMemberRow> for KeyOfMember {
    type Error = StoreError;

    fn try_from(row: KeyOfMemberRow) -> Result<Self, StoreError> {
        Ok(Self {
            id: read("key", &row.id)?,
            organization: read("organization", &row.organization)?,
            project: read("project", &row.project)?,
            name: row.name,
        })
    }
}
