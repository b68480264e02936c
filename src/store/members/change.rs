//! Changes to members.

use super::place;
use super::row::projects_text;
use crate::base::clock::Timestamp;
use crate::domain::member::{Member, ProviderIdentity};
use crate::domain::names::OrganizationId;
use crate::domain::person::MemberId;
use crate::store::db::on;
use crate::store::{StoreError, Write};

impl Write {
    /// Stores a new member, who takes the number of the record as creation number. An invited one has the digest of the
    /// invitation's code.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn insert_member(
        &mut self,
        member: &Member,
        invitation: Option<&str>,
    ) -> Result<(), StoreError> {
        let seq = self.number().await?;
        let identity = member.identity.as_ref();
        on!(&mut self.tx, |tx, DB| {
            sqlx::query::<DB>(
                "INSERT INTO members (id, created_seq, organization, provider, issuer, subject, email, email_folded, name,
                     role, projects, generation, source, created_at, created_by, created_by_name, last_seen_at,
                     invitation_digest, invitation_expires_at)
                 VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19)",
            )
            .bind(member.id.to_string())
            .bind(seq)
            .bind(member.organization.as_ref().map(OrganizationId::as_str))
            .bind(&member.provider)
            .bind(identity.map(|identity| &identity.issuer))
            .bind(identity.map(|identity| &identity.subject))
            .bind(&member.email)
            .bind(member.email.to_ascii_lowercase())
            .bind(&member.name)
            .bind(member.role.as_str())
            .bind(projects_text(&member.projects))
            .bind(member.generation)
            .bind(member.source.as_str())
            .bind(member.created_at.unix())
            .bind(&member.created_by.id)
            .bind(&member.created_by.name)
            .bind(member.last_seen_at.map(Timestamp::unix))
            .bind(invitation)
            .bind(member.invitation_expires_at.map(Timestamp::unix))
            .execute(&mut **tx)
            .await
            .map(drop)
        })?;
        Ok(())
    }

    /// Makes an invited person the member, who is known by `identity` from now on. Returns `false`, and changes nothing,
    /// unless the invitation with this digest is open at the time of the mutation. The caller has checked that the person
    /// is not a member of the same place already ([`Write::memberships`]).
    ///
    /// # Errors
    /// When the store fails.
    pub async fn accept_invitation(
        &mut self,
        digest: &str,
        identity: &ProviderIdentity,
        name: &str,
    ) -> Result<bool, StoreError> {
        let at = self.at.unix();
        Ok(on!(&mut self.tx, |tx, DB| {
            sqlx::query::<DB>(
                "UPDATE members SET issuer = $2, subject = $3, name = $4, last_seen_at = $5, invitation_digest = NULL,
                     invitation_expires_at = NULL
                 WHERE invitation_digest = $1 AND invitation_expires_at > $5 AND subject IS NULL
                   AND removed_at IS NULL",
            )
            .bind(digest)
            .bind(&identity.issuer)
            .bind(&identity.subject)
            .bind(name)
            .bind(at)
            .execute(&mut **tx)
            .await
            .map(|done| done.rows_affected() == 1)
        })?)
    }

    /// Stores the name, role, projects and generation of a member.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn update_member(&mut self, member: &Member) -> Result<(), StoreError> {
        on!(&mut self.tx, |tx, DB| {
            sqlx::query::<DB>(
                "UPDATE members SET name = $2, role = $3, projects = $4, generation = $5
                 WHERE id = $1 AND removed_at IS NULL",
            )
            .bind(member.id.to_string())
            .bind(&member.name)
            .bind(member.role.as_str())
            .bind(projects_text(&member.projects))
            .bind(member.generation)
            .execute(&mut **tx)
            .await
            .map(drop)
        })?;
        Ok(())
    }

    /// Gives a person who has not signed in yet another invitation, by the digest of its code. The earlier one ends.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn renew_invitation(
        &mut self,
        id: &MemberId,
        digest: &str,
        expires_at: Timestamp,
    ) -> Result<(), StoreError> {
        on!(&mut self.tx, |tx, DB| {
            sqlx::query::<DB>(
                "UPDATE members SET invitation_digest = $2, invitation_expires_at = $3
                 WHERE id = $1 AND subject IS NULL AND removed_at IS NULL",
            )
            .bind(id.to_string())
            .bind(digest)
            .bind(expires_at.unix())
            .execute(&mut **tx)
            .await
            .map(drop)
        })?;
        Ok(())
    }

    /// Removes a member, and ends the member's sessions and invitation. The row stays without the e-mail address.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn remove_member(&mut self, id: &MemberId) -> Result<(), StoreError> {
        self.delete_console_sessions_of_member(id).await?;
        let at = self.at.unix();
        on!(&mut self.tx, |tx, DB| {
            sqlx::query::<DB>(
                "UPDATE members SET removed_at = $2, email = '', email_folded = '', invitation_digest = NULL,
                     invitation_expires_at = NULL
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

    /// Removes all members of an organization that is deleted.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn remove_members_of(&mut self, organization: &OrganizationId) -> Result<(), StoreError> {
        let (at, place) = (self.at.unix(), place(Some(organization)));
        on!(&mut self.tx, |tx, DB| {
            sqlx::query::<DB>(
                "DELETE FROM console_sessions WHERE member_id IN
                 (SELECT id FROM members WHERE COALESCE(organization, '') = $1 AND removed_at IS NULL)",
            )
            .bind(&place)
            .execute(&mut **tx)
            .await
            .map(drop)
        })?;
        on!(&mut self.tx, |tx, DB| {
            sqlx::query::<DB>(
                "UPDATE members SET removed_at = $2, email = '', email_folded = '', invitation_digest = NULL,
                     invitation_expires_at = NULL
                 WHERE COALESCE(organization, '') = $1 AND removed_at IS NULL",
            )
            .bind(&place)
            .bind(at)
            .execute(&mut **tx)
            .await
            .map(drop)
        })?;
        Ok(())
    }
}
