//! Finds members, for lookups of sessions and sign-ins, and within mutations.

use super::place;
use super::row::{MemberRow, select_members};
use crate::domain::member::{EmailAddress, Member, ProviderIdentity};
use crate::domain::names::OrganizationId;
use crate::domain::person::MemberId;
use crate::store::db::{Db, on};
use crate::store::{Store, StoreError, Write};

const BY_ID: &str = concat!(select_members!(), "id = $1");

const IN_PLACE: &str =
    concat!(select_members!(), "id = $1 AND COALESCE(organization, '') = $2 AND removed_at IS NULL");

const BY_INVITATION: &str =
    concat!(select_members!(), "invitation_digest = $1 AND removed_at IS NULL AND subject IS NULL");

const BY_IDENTITY: &str =
    concat!(select_members!(), "issuer = $1 AND subject = $2 AND removed_at IS NULL ORDER BY id LIMIT 1000");

const BY_EMAIL: &str = concat!(
    select_members!(),
    "COALESCE(organization, '') = $1 AND email_folded = $2 AND removed_at IS NULL ORDER BY created_seq LIMIT 1"
);

pub(super) async fn in_place(
    db: &Db,
    organization: Option<&OrganizationId>,
    id: &MemberId,
) -> Result<Option<Member>, StoreError> {
    let row = on!(db, |pool, DB| {
        let query = sqlx::query_as::<DB, MemberRow>(IN_PLACE).bind(id.to_string());
        query.bind(place(organization)).fetch_optional(pool).await
    })?;
    row.map(Member::try_from).transpose()
}

/// Lookups for sessions and sign-ins don't wait for a permit.
impl Store {
    /// The member with this id, also if removed.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn member(&self, id: &MemberId) -> Result<Option<Member>, StoreError> {
        let row = on!(&self.db, |pool, DB| {
            sqlx::query_as::<DB, MemberRow>(BY_ID).bind(id.to_string()).fetch_optional(pool).await
        })?;
        row.map(Member::try_from).transpose()
    }

    /// The member whose open invitation has a code with this digest. It may have expired.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn invited_member(&self, digest: &str) -> Result<Option<Member>, StoreError> {
        let row = on!(&self.db, |pool, DB| {
            sqlx::query_as::<DB, MemberRow>(BY_INVITATION).bind(digest).fetch_optional(pool).await
        })?;
        row.map(Member::try_from).transpose()
    }

    /// The active memberships of a person, everywhere, in no particular order.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn memberships(&self, identity: &ProviderIdentity) -> Result<Vec<Member>, StoreError> {
        let rows = on!(&self.db, |pool, DB| {
            let query = sqlx::query_as::<DB, MemberRow>(BY_IDENTITY);
            query.bind(&identity.issuer).bind(&identity.subject).fetch_all(pool).await
        })?;
        rows.into_iter().map(Member::try_from).collect()
    }
}

impl Write {
    /// The member with this id in `organization`, or in the deployment, as this mutation sees it. A removed one is not
    /// found.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn member(
        &mut self,
        organization: Option<&OrganizationId>,
        id: &MemberId,
    ) -> Result<Option<Member>, StoreError> {
        let row = on!(&mut self.tx, |tx, DB| {
            let query = sqlx::query_as::<DB, MemberRow>(IN_PLACE).bind(id.to_string());
            query.bind(place(organization)).fetch_optional(&mut **tx).await
        })?;
        row.map(Member::try_from).transpose()
    }

    /// The member whose open invitation has a code with this digest, as this mutation sees it. It may have expired.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn invited_member(&mut self, digest: &str) -> Result<Option<Member>, StoreError> {
        let row = on!(&mut self.tx, |tx, DB| {
            sqlx::query_as::<DB, MemberRow>(BY_INVITATION).bind(digest).fetch_optional(&mut **tx).await
        })?;
        row.map(Member::try_from).transpose()
    }

    /// The active memberships of a person, as this mutation sees them.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn memberships(&mut self, identity: &ProviderIdentity) -> Result<Vec<Member>, StoreError> {
        let rows = on!(&mut self.tx, |tx, DB| {
            let query = sqlx::query_as::<DB, MemberRow>(BY_IDENTITY);
            query.bind(&identity.issuer).bind(&identity.subject).fetch_all(&mut **tx).await
        })?;
        rows.into_iter().map(Member::try_from).collect()
    }

    /// A member or invited person of the place with this address.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn member_at(
        &mut self,
        organization: Option<&OrganizationId>,
        address: &EmailAddress,
    ) -> Result<Option<Member>, StoreError> {
        let row = on!(&mut self.tx, |tx, DB| {
            let query = sqlx::query_as::<DB, MemberRow>(BY_EMAIL).bind(place(organization));
            query.bind(address.folded()).fetch_optional(&mut **tx).await
        })?;
        row.map(Member::try_from).transpose()
    }

    /// The number of active members of an organization who are owners.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn count_owners(&mut self, organization: &OrganizationId) -> Result<i64, StoreError> {
        Ok(on!(&mut self.tx, |tx, DB| {
            sqlx::query_scalar::<DB, i64>(
                "SELECT COUNT(*) FROM members WHERE COALESCE(organization, '') = $1 AND role = 'owner'
                 AND removed_at IS NULL AND subject IS NOT NULL",
            )
            .bind(organization.as_str())
            .fetch_one(&mut **tx)
            .await
        })?)
    }

    /// The number of members of the place, also of those who are only invited.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn count_members(
        &mut self,
        organization: Option<&OrganizationId>,
    ) -> Result<usize, StoreError> {
        let count = on!(&mut self.tx, |tx, DB| {
            sqlx::query_scalar::<DB, i64>(
                "SELECT COUNT(*) FROM members WHERE COALESCE(organization, '') = $1 AND removed_at IS NULL",
            )
            .bind(place(organization))
            .fetch_one(&mut **tx)
            .await
        })?;
        Ok(usize::try_from(count).unwrap_or(usize::MAX))
    }
}
