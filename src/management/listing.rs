//! Where in a list a page begins, and how long it is.

use super::ApiError;
use crate::node::Node;

/// A page to be shown.
#[derive(Clone, Debug)]
pub struct PageRequest {
    /// At most so many things.
    pub limit: u16,
    /// Where the page before ended; `None` for the first.
    pub cursor: Option<String>,
}

impl PageRequest {
    /// The position to go on before, in the list that `list` describes.
    ///
    /// # Errors
    /// [`ApiError::InvalidRequest`] for a cursor of another list, or of nobody's.
    pub(super) fn before(&self, node: &Node, list: &str) -> Result<Option<i64>, ApiError> {
        let read = |cursor: &String| node.cursors.read(list, cursor);
        let position = self.cursor.as_ref().map(read).transpose();
        position.map_err(|error| ApiError::InvalidRequest(error.to_string()))
    }
}

/// The cursor of the page that goes on before `next`.
pub(super) fn cursor(node: &Node, list: &str, next: Option<i64>) -> Option<String> {
    next.map(|position| node.cursors.write(list, position))
}
