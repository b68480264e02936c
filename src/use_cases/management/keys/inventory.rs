//! All keys that a search finds, a few at a time.

use std::sync::Arc;

use super::KeySearch;
use super::list::narrowed;
use crate::base::clock::Timestamp;
use crate::domain::key::ApiKey;
use crate::domain::principal::Principal;
use crate::domain::scope::Verb;
use crate::node::Records;
use crate::sharing::fair_queue::Permit;
use crate::store::{KeyFilter, KeyOrder, KeyPosition, KeyQuery, StoreError, VisibleKeys};
use crate::use_cases::access::{Caller, reachable_keys};
use crate::use_cases::management::{ApiError, organizations, reading_for};

/// The keys that an inventory holds in memory at once.
const AT_ONCE: u16 = 500;

/// The keys that a caller may read and that a search finds, in its order. Each read is one page, and between two reads
/// it occupies neither a connection nor a permit to read. A change in the meantime has the effect that it has on the
/// pages of a list.
#[derive(Debug)]
pub struct Inventory {
    records: Arc<Records>,
    principal: Principal,
    visible: VisibleKeys,
    filter: KeyFilter,
    order: KeyOrder,
    at: Timestamp,
    after: Option<KeyPosition>,
    is_over: bool,
    _permit: Permit,
}

impl Inventory {
    /// The inventory of what `search` finds.
    ///
    /// # Errors
    /// [`ApiError`]. [`ApiError::TooManyConcurrent`] while the caller's organization has the most exports that it may have
    /// at once.
    pub async fn of(records: &Arc<Records>, caller: &Caller, search: KeySearch) -> Result<Self, ApiError> {
        let (filter, order) = search.into_parts();
        let filter = narrowed(caller, filter);
        organizations::known(records, caller, &filter.organization).await?;
        let principal = caller.principal();
        Ok(Self {
            _permit: records.exports.try_acquire(&principal)?,
            records: Arc::clone(records),
            principal,
            visible: reachable_keys(caller, Verb::Read, &filter.organization),
            filter,
            order,
            at: records.clock.now(),
            after: None,
            is_over: false,
        })
    }

    /// The moment as of which states are told.
    pub fn at(&self) -> Timestamp {
        self.at
    }

    /// The next keys: none, if none of those that were examined matches. `None` after the last.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn next(&mut self) -> Result<Option<Vec<ApiKey>>, StoreError> {
        if self.is_over {
            return Ok(None);
        }
        let query = KeyQuery {
            visible: self.visible.clone(),
            filter: self.filter.clone(),
            order: self.order,
            after: self.after.take(),
            limit: AT_ONCE,
        };
        let found = reading_for(&self.records, &self.principal).await?.keys(query, self.at).await?;
        self.is_over = found.next.is_none();
        self.after = found.next;
        Ok(Some(found.items))
    }
}
