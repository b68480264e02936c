//! The beginning and the length of a page of a list.

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::{ApiError, InvalidRequest};
use crate::node::Records;

/// A requested page.
#[derive(Clone, Debug)]
pub struct PageRequest {
    /// The most entries of the page.
    pub limit: u16,
    /// The cursor from the page before. `None` for the first page.
    pub cursor: Option<String>,
}

impl PageRequest {
    /// The position after which the page begins, in the list that `list` describes.
    ///
    /// # Errors
    /// [`ApiError::InvalidRequest`] for a cursor of another list, and for any other text.
    pub(super) fn after<P: DeserializeOwned>(
        &self,
        records: &Records,
        list: &str,
    ) -> Result<Option<P>, ApiError> {
        let read = |cursor: &String| records.cursors.read(list, cursor);
        let position = self.cursor.as_ref().map(read).transpose();
        Ok(position.map_err(InvalidRequest::Cursor)?)
    }
}

/// The cursor for the page after position `next`.
///
/// # Errors
/// When the system has no randomness.
pub(super) fn cursor<P: Serialize>(
    records: &Records,
    list: &str,
    next: Option<P>,
) -> Result<Option<String>, ApiError> {
    let write = |position| records.cursors.write(list, &position, &records.entropy);
    next.map(write).transpose().map_err(ApiError::internal)
}
