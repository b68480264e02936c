//! Memberships that the groups at a provider end and bring back.

use super::row::projects_text;
use crate::domain::member::{Member, ProviderIdentity};
use crate::domain::names::OrganizationId;
use crate::domain::person::MemberId;
use crate::store::db::{on, row};
use crate::store::error::read;
use crate::store::{Store, StoreError, Write};

/// A membership that has ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PastMembership {
    /// The member.
    pub id: MemberId,
    /// The place; `None` is the deployment.
    pub organization: Option<OrganizationId>,
    /// The name of the provider where the member signed in.
    pub provider: String,
    /// Whether somebody removed the member. Otherwise, the groups ended the membership.
    pub was_removed: bool,
}

row! {
    struct PastRow {
        id: String,
        organization: Option<String>,
        provider: String,
        left_at: Option<i64>,
    }
}

/// Where somebody was removed comes first: nothing may bring them back there.
const PAST: &str = "SELECT id, organization, provider, left_at FROM members
     WHERE issuer = $1 AND subject = $2 AND removed_at IS NOT NULL
     ORDER BY CASE WHEN left_at IS NULL THEN 0 ELSE 1 END, removed_at DESC, id LIMIT 2000";

impl Store {
    /// The memberships of a person that have ended.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn past_memberships(
        &self,
        identity: &ProviderIdentity,
    ) -> Result<Vec<PastMembership>, StoreError> {
        let rows = on!(&self.db, |pool, DB| {
            let query = sqlx::query_as::<DB, PastRow>(PAST);
            query.bind(&identity.issuer).bind(&identity.subject).fetch_all(pool).await
        })?;
        rows.into_iter().map(PastMembership::try_from).collect()
    }
}

impl Write {
    /// The memberships of a person that have ended, as this mutation sees them.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn past_memberships(
        &mut self,
        identity: &ProviderIdentity,
    ) -> Result<Vec<PastMembership>, StoreError> {
        let rows = on!(&mut self.tx, |tx, DB| {
            let query = sqlx::query_as::<DB, PastRow>(PAST);
            query.bind(&identity.issuer).bind(&identity.subject).fetch_all(&mut **tx).await
        })?;
        rows.into_iter().map(PastMembership::try_from).collect()
    }

    /// Ends a membership because no group gives it any more. Sessions end, and the row stays without the e-mail address.
    /// Everything is taken away, so the generation grows.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn end_membership(&mut self, id: &MemberId) -> Result<(), StoreError> {
        self.delete_console_sessions_of_member(id).await?;
        let at = self.at.unix();
        on!(&mut self.tx, |tx, DB| {
            sqlx::query::<DB>(
                "UPDATE members SET removed_at = $2, left_at = $2, email = '', email_folded = '',
                     generation = generation + 1
                 WHERE id = $1 AND removed_at IS NULL",
            )
            .bind(id.to_string())
            .bind(at)
            .execute(&mut **tx)
            .await
            .map(drop)
        })?;
        Ok(())
    }

    /// Brings a membership back that groups had ended, with the role, projects, name and address of `member`. Returns the
    /// number of rows that came back: 0 if somebody removed the member.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn revive_membership(&mut self, member: &Member) -> Result<u64, StoreError> {
        Ok(on!(&mut self.tx, |tx, DB| {
            sqlx::query::<DB>(
                "UPDATE members SET removed_at = NULL, left_at = NULL, name = $2, email = $3, email_folded = $4, role = $5,
                     projects = $6
                 WHERE id = $1 AND removed_at IS NOT NULL AND left_at IS NOT NULL",
            )
            .bind(member.id.to_string())
            .bind(&member.name)
            .bind(&member.email)
            .bind(member.email.to_ascii_lowercase())
            .bind(member.role.as_str())
            .bind(projects_text(&member.projects))
            .execute(&mut **tx)
            .await
            .map(|done| done.rows_affected())
        })?)
    }
}

impl TryFrom<PastRow> for PastMembership {
    type Error = StoreError;

    fn try_from(row: PastRow) -> Result<Self, StoreError> {
        Ok(Self {
            id: read("member", &row.id)?,
            organization: row.organization.as_deref().map(|id| read("organization", id)).transpose()?,
            provider: row.provider,
            was_removed: row.left_at.is_none(),
        })
    }
}
