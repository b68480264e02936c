//! Reads a file of vectors: an object of named lists of rows.

use serde::de::DeserializeOwned;
use serde_json::Value;

/// One file, read whole. Each list has to be taken, so that no row goes unused.
pub(crate) struct Vectors(serde_json::Map<String, Value>);

impl Vectors {
    pub(crate) fn read(text: &str) -> Self {
        Self(serde_json::from_str(text).unwrap())
    }

    /// The rows of the list called `name`.
    pub(crate) fn take<Row: DeserializeOwned>(&mut self, name: &str) -> Vec<Row> {
        let rows = self.0.remove(name).unwrap_or_else(|| panic!("no list `{name}`"));
        let rows: Vec<Row> = serde_json::from_value(rows).unwrap();
        assert!(!rows.is_empty(), "`{name}` is empty");
        rows
    }

    /// Asserts that every list was taken.
    pub(crate) fn end(self) {
        assert!(self.0.is_empty(), "unused: {:?}", self.0.keys());
    }
}
