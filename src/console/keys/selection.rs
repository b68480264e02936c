//! The keys that somebody selected in the list.

use super::filters::ListFilters;
use crate::base::clock::Timestamp;
use crate::console::fields::Fields;
use crate::domain::api_key::{KeyId, KeyIdError};
use crate::domain::names::OrganizationId;
use crate::store::{KeyFilter, StatusFilter};
use crate::use_cases::management::keys::KeySearch;
use crate::use_cases::management::{ApiError, InvalidRequest};

/// The keys that somebody selected.
#[derive(Debug)]
pub(super) enum Selection {
    Keys(Vec<KeyId>),
    /// All keys that match the filters of the list.
    Matching(Box<ListFilters>),
}

impl Selection {
    /// The selection that a form carries. The server decides later whether the keys exist.
    pub(super) fn read(fields: &Fields) -> Result<Self, ApiError> {
        let field = match fields.text("which") {
            "matching" => {
                return Ok(Self::Matching(Box::new(ListFilters::carried(fields.text("filters"))?)));
            }
            "page" => "shown",
            _ => "key",
        };
        let ids = fields.all(field).map(str::parse).collect::<Result<Vec<KeyId>, KeyIdError>>();
        let mut ids = ids.map_err(|error| InvalidRequest::Value(error.into()))?;
        ids.sort_unstable();
        ids.dedup();
        if ids.is_empty() { Err(InvalidRequest::NothingChosen.into()) } else { Ok(Self::Keys(ids)) }
    }

    /// The search that finds the keys.
    pub(super) fn search(
        &self,
        organization: &OrganizationId,
        now: Timestamp,
    ) -> Result<KeySearch, ApiError> {
        match self {
            Self::Keys(ids) => KeySearch::new(KeyFilter {
                ids: Some(ids.clone()),
                status: StatusFilter::All,
                ..KeyFilter::all_of(organization.clone())
            }),
            Self::Matching(filters) => filters.search(organization, now),
        }
    }

    /// The fields in which a form carries it.
    pub(super) fn carried(&self) -> Vec<(&'static str, String)> {
        match self {
            Self::Keys(ids) => ids.iter().map(|id| ("key", id.to_string())).collect(),
            Self::Matching(filters) => {
                vec![("which", "matching".to_owned()), ("filters", filters.query(""))]
            }
        }
    }
}
