//! Where in a list a page begins, and how long it is.

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::ApiError;
use crate::node::Records;

/// A page to be shown.
#[derive(Clone, Debug)]
pub struct PageRequest {
    /// At most so many things.
    pub limit: u16,
    /// Where the page before ended; `None` for the first.
    pub cursor: Option<String>,
}

impl PageRequest {
    /// The position to go on behind, in the list that `list` describes.
    ///
    /// # Errors
    /// [`ApiError::InvalidRequest`] for a cursor of another list, or of nobody's.
    pub(super) fn behind<P: DeserializeOwned>(
        &self,
        records: &Records,
        list: &str,
    ) -> Result<Option<P>, ApiError> {
        let read = |cursor: &String| records.cursors.read(list, cursor);
        let position = self.cursor.as_ref().map(read).transpose();
        position.map_err(|error| ApiError::InvalidRequest(error.to_string()))
    }
}

/// The cursor of the page that goes on behind `next`.
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
