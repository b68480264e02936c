//! The audit trail, for callers who may read it.

use std::sync::Arc;

use super::listing::cursor;
use super::{ApiError, PageRequest, organizations, reading_for};
use crate::domain::audit::{EventFilter, RecordedEvent};
use crate::domain::names::OrganizationId;
use crate::domain::principal::Principal;
use crate::domain::scope::Verb;
use crate::node::Records;
use crate::sharing::fair_queue::Permit;
use crate::store::{EventPosition, EventQuery, StoreError};
use crate::use_cases::access::Caller;

/// The events that an export holds in memory at once.
const AT_ONCE: u16 = 200;

/// The events that a caller may read, newest first. The value proves that the caller may.
#[derive(Clone, Debug)]
pub struct Trail {
    records: Arc<Records>,
    principal: Principal,
    filter: EventFilter,
    /// The name of this list in its cursors.
    list: String,
    /// Whether the caller may know which member of the deployment an operator was.
    names_operators: bool,
}

/// A whole trail, read a few events at a time.
#[derive(Debug)]
pub struct Export {
    trail: Trail,
    before: Option<EventPosition>,
    is_over: bool,
    _permit: Permit,
}

impl Trail {
    /// The events of `organization`.
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
        Ok(Self::for_caller(records, caller, filter, list))
    }

    /// The events of the deployment and of every organization, including deleted ones.
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
        Ok(Self::for_caller(records, caller, filter, list))
    }

    fn for_caller(records: &Arc<Records>, caller: &Caller, filter: EventFilter, list: String) -> Self {
        let names_operators = caller.may_all(Verb::Read, &["operators", "**"]).is_ok();
        let (records, principal) = (Arc::clone(records), caller.principal());
        Self { records, principal, filter, list, names_operators }
    }

    fn shown(&self, events: Vec<RecordedEvent>) -> Vec<RecordedEvent> {
        if self.names_operators {
            return events;
        }
        events.into_iter().map(RecordedEvent::without_operator).collect()
    }

    /// One page, and the cursor of the next.
    ///
    /// # Errors
    /// [`ApiError`].
    pub async fn page(&self, page: &PageRequest) -> Result<(Vec<RecordedEvent>, Option<String>), ApiError> {
        let before = page.after(&self.records, &self.list)?;
        let query = EventQuery { filter: &self.filter, before, limit: page.limit };
        let found = reading_for(&self.records, &self.principal).await?.events(&query).await?;
        Ok((self.shown(found.items), cursor(&self.records, &self.list, found.next)?))
    }

    /// All events.
    ///
    /// # Errors
    /// [`ApiError::TooManyConcurrent`] while the caller's organization has the most exports that it may have at once.
    pub fn export(self) -> Result<Export, ApiError> {
        let permit = self.records.exports.try_acquire(&self.principal)?;
        Ok(Export { trail: self, before: None, is_over: false, _permit: permit })
    }
}

impl Export {
    /// The next events. The vector is empty after the last.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn next(&mut self) -> Result<Vec<RecordedEvent>, StoreError> {
        if self.is_over {
            return Ok(Vec::new());
        }
        let query = EventQuery { filter: &self.trail.filter, before: self.before, limit: AT_ONCE };
        let Trail { records, principal, .. } = &self.trail;
        let found = reading_for(records, principal).await?.events(&query).await?;
        self.is_over = found.next.is_none();
        self.before = found.next;
        Ok(self.trail.shown(found.items))
    }
}
