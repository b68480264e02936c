//! The audit trail, for those who may read it.

use std::sync::Arc;

use super::listing::cursor;
use super::{ApiError, PageRequest, organizations};
use crate::domain::audit::{EventFilter, RecordedEvent};
use crate::domain::names::OrganizationId;
use crate::domain::principal::Principal;
use crate::domain::scope::Verb;
use crate::node::Records;
use crate::sharing::fair_queue::Permit;
use crate::store::{EventPosition, EventQuery, StoreError};
use crate::use_cases::access::Caller;

/// Events that an export has in memory at once.
const AT_ONCE: u16 = 200;

/// Events that a caller may read, newest first. To have one is to be allowed to.
#[derive(Clone, Debug)]
pub struct Trail {
    records: Arc<Records>,
    principal: Principal,
    filter: EventFilter,
    /// Which list this is, to its cursors.
    list: String,
}

/// All of a trail, a few events at a time.
#[derive(Debug)]
pub struct Export {
    trail: Trail,
    before: Option<EventPosition>,
    is_over: bool,
    _permit: Permit,
}

impl Trail {
    /// What there is of `organization`.
    ///
    /// # Errors
    /// [`ApiError`].
    pub async fn of_organization(
        records: &Arc<Records>,
        caller: &Caller,
        organization: OrganizationId,
        filter: EventFilter,
    ) -> Result<Self, ApiError> {
        caller.may_in(&organization, Verb::Read, &["audit"])?;
        organizations::known(records, caller, &organization).await?;
        let filter = EventFilter { organization: Some(organization), ..filter };
        let list = format!("audit of an organization {filter:?}");
        Ok(Self { records: Arc::clone(records), principal: caller.principal(), filter, list })
    }

    /// What there is of every organization, those that were deleted included, and of the deployment itself.
    ///
    /// # Errors
    /// [`ApiError`].
    pub fn of_deployment(
        records: &Arc<Records>,
        caller: &Caller,
        filter: EventFilter,
    ) -> Result<Self, ApiError> {
        caller.may(Verb::Read, &["audit"])?;
        let list = format!("audit of the deployment {filter:?}");
        Ok(Self { records: Arc::clone(records), principal: caller.principal(), filter, list })
    }

    /// One page, and the cursor of the next.
    ///
    /// # Errors
    /// [`ApiError`].
    pub async fn page(&self, page: &PageRequest) -> Result<(Vec<RecordedEvent>, Option<String>), ApiError> {
        let before = page.behind(&self.records, &self.list)?;
        let query = EventQuery { filter: &self.filter, before, limit: page.limit };
        let found = self.records.store.reading(&self.principal).await?.events(&query).await?;
        Ok((found.items, cursor(&self.records, &self.list, found.next)?))
    }

    /// Everything.
    ///
    /// # Errors
    /// [`ApiError::TooManyConcurrent`] while the caller's organization has as many exports under way as it may.
    pub fn export(self) -> Result<Export, ApiError> {
        let permit = self.records.exports.try_acquire(&self.principal)?;
        Ok(Export { trail: self, before: None, is_over: false, _permit: permit })
    }
}

impl Export {
    /// The next events; none when that was all.
    ///
    /// # Errors
    /// When the store cannot be asked.
    pub async fn next(&mut self) -> Result<Vec<RecordedEvent>, StoreError> {
        if self.is_over {
            return Ok(Vec::new());
        }
        let query = EventQuery { filter: &self.trail.filter, before: self.before, limit: AT_ONCE };
        let Trail { records, principal, .. } = &self.trail;
        let found = records.store.reading(principal).await?.events(&query).await?;
        self.is_over = found.next.is_none();
        self.before = found.next;
        Ok(found.items)
    }
}
