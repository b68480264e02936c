//! Pages of an organization's keys.

use crate::domain::key::ApiKey;
use crate::domain::portal::PortalKeys;
use crate::domain::scope::Verb;
use crate::node::Records;
use crate::store::{BoundedCount, KeyFilter, KeyOrder, KeyQuery};
use crate::use_cases::access::{Caller, reachable_keys};
use crate::use_cases::management::listing::cursor;
use crate::use_cases::management::{ApiError, InvalidRequest, PageRequest, organizations, reading};

/// The most characters of a search text.
const MAX_SEARCH: usize = 200;

/// A filter and an order of keys.
#[derive(Clone, Debug)]
pub struct KeySearch {
    filter: KeyFilter,
    order: KeyOrder,
}

impl KeySearch {
    /// A search that the store can run.
    ///
    /// # Errors
    /// [`ApiError::InvalidRequest`] for text that is too long or contains a NUL.
    pub fn new(filter: KeyFilter) -> Result<Self, ApiError> {
        for (parameter, words) in [("q", &filter.name_contains), ("created_by", &filter.created_by)] {
            let is_bad = |words: &String| words.chars().count() > MAX_SEARCH || words.contains('\0');
            if words.as_ref().is_some_and(is_bad) {
                return Err(InvalidRequest::SearchText(parameter, MAX_SEARCH).into());
            }
        }
        Ok(Self { filter, order: KeyOrder::default() })
    }

    /// The same search in another order.
    #[must_use]
    pub fn sorted(self, order: KeyOrder) -> Self {
        Self { order, ..self }
    }

    /// The filter and the order of the search.
    pub(super) fn into_parts(self) -> (KeyFilter, KeyOrder) {
        (self.filter, self.order)
    }

    /// The filter of the search.
    pub fn filter(&self) -> &KeyFilter {
        &self.filter
    }
}

/// The number of keys that match, up to a bound.
///
/// # Errors
/// [`ApiError`].
pub async fn count(records: &Records, caller: &Caller, search: &KeySearch) -> Result<BoundedCount, ApiError> {
    let filter = narrowed(caller, search.filter.clone());
    organizations::known(records, caller, &filter.organization).await?;
    let visible = reachable_keys(caller, Verb::Read, &filter.organization);
    Ok(reading(records, caller).await?.count_keys(filter, visible, records.clock.now()).await?)
}

/// A page of keys, and the cursor of the next. The newest come first unless another order is requested. A page may have
/// fewer keys than its limit, or none, even if there is a next page (see [`Store::keys`](crate::store::Reading::keys)).
///
/// # Errors
/// [`ApiError`].
pub async fn list(
    records: &Records,
    caller: &Caller,
    search: KeySearch,
    page: PageRequest,
) -> Result<(Vec<ApiKey>, Option<String>), ApiError> {
    let KeySearch { filter, order } = search;
    let filter = narrowed(caller, filter);
    organizations::known(records, caller, &filter.organization).await?;
    let list = format!("keys {filter:?} {order:?}");
    let query = KeyQuery {
        visible: reachable_keys(caller, Verb::Read, &filter.organization),
        after: page.after(records, &list)?,
        order,
        limit: page.limit,
        filter,
    };
    let found = reading(records, caller).await?.keys(query, records.clock.now()).await?;
    Ok((found.items, cursor(records, &list, found.next)?))
}

/// The filter with what the caller's scopes don't say: a user of the portal may know only of their own keys.
pub(super) fn narrowed(caller: &Caller, filter: KeyFilter) -> KeyFilter {
    match caller.portal().filter(|granted| granted.keys == PortalKeys::Own) {
        Some(granted) => KeyFilter { created_by: Some(granted.creator()), ..filter },
        None => filter,
    }
}
