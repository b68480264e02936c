//! The members of organizations and of the deployment.

mod change;
mod find;
mod groups;
mod held_keys;
mod places;
mod row;

pub use groups::PastMembership;
pub use held_keys::KeyOfMember;
pub use places::Places;
pub(super) use places::existing_in;

use sqlx::QueryBuilder;

use self::row::{MemberRow, select_members};
use super::db::{BATCH, on, stays_prepared};
use super::page::{Page, Visible};
use super::{Reading, Store, StoreError};
use crate::base::clock::Timestamp;
use crate::domain::member::Member;
use crate::domain::names::OrganizationId;
use crate::domain::person::MemberId;

impl Reading {
    /// The member with this id in `organization`, or in the deployment. A removed one is not found.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn member(
        &self,
        organization: Option<&OrganizationId>,
        id: &MemberId,
    ) -> Result<Option<Member>, StoreError> {
        find::in_place(&self.db, organization, id).await
    }

    /// At most `limit` members that were created before the one with creation number `before`, newest first, without
    /// those that were removed.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn members(
        &self,
        organization: Option<&OrganizationId>,
        visible: &Visible<MemberId>,
        before: Option<i64>,
        limit: u16,
    ) -> Result<Page<Member>, StoreError> {
        let rows = on!(&self.db, |pool, DB| {
            let mut sql = QueryBuilder::<DB>::new(select_members!());
            sql.push("removed_at IS NULL AND COALESCE(organization, '') = ").push_bind(place(organization));
            sql.push(" AND created_seq < ").push_bind(before.unwrap_or(i64::MAX));
            visible.narrow(&mut sql);
            sql.push(" ORDER BY created_seq DESC LIMIT ").push_bind(i64::from(limit) + 1);
            sql.build_query_as::<MemberRow>().fetch_all(pool).await
        })?;
        let rows = rows.into_iter().map(|row| Ok((row.position(), row.try_into()?)));
        Ok(Page::of(rows.collect::<Result<_, StoreError>>()?, limit))
    }

    /// Those of these ids that are members, of whatever organization, without those that were removed.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn members_among(&self, ids: &[MemberId]) -> Result<Vec<Member>, StoreError> {
        let mut found = Vec::new();
        for batch in ids.chunks(BATCH) {
            let rows = on!(&self.db, |pool, DB| {
                let mut sql = QueryBuilder::<DB>::new(select_members!());
                sql.push("removed_at IS NULL AND id IN (");
                let mut listed = sql.separated(", ");
                for id in batch {
                    listed.push_bind(id.to_string());
                }
                let query = sql.push(")").build_query_as::<MemberRow>();
                query.persistent(stays_prepared(batch.len())).fetch_all(pool).await
            })?;
            for row in rows {
                found.push(row.try_into()?);
            }
        }
        Ok(found)
    }
}

impl Store {
    /// Records that a member was active at `now`.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn touch_member(&self, id: &MemberId, now: Timestamp) -> Result<(), StoreError> {
        on!(&self.db, |pool, DB| {
            sqlx::query::<DB>(
                "UPDATE members SET last_seen_at = $2
                 WHERE id = $1 AND removed_at IS NULL AND COALESCE(last_seen_at, 0) < $2",
            )
            .bind(id.to_string())
            .bind(now.unix())
            .execute(pool)
            .await
            .map(drop)
        })?;
        Ok(())
    }
}

/// The text by which indexes name an organization, or the deployment.
fn place(organization: Option<&OrganizationId>) -> String {
    organization.map(OrganizationId::to_string).unwrap_or_default()
}
