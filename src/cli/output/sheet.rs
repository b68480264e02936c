//! Shows one thing with a line for each member.

use super::table::{bare, space};
use super::{OutputError, Stream, Tone, plain};

/// Labels and values.
pub(in crate::cli) struct Sheet(Vec<(&'static str, String, Tone)>);

impl Sheet {
    pub(in crate::cli) fn new() -> Self {
        Self(Vec::new())
    }

    /// Adds a line.
    #[must_use]
    pub(in crate::cli) fn line(self, label: &'static str, value: impl ToString) -> Self {
        self.toned(label, value, Tone::Plain)
    }

    /// Adds a line with a coloured value.
    #[must_use]
    pub(in crate::cli) fn toned(mut self, label: &'static str, value: impl ToString, tone: Tone) -> Self {
        self.0.push((label, plain(&value.to_string()), tone));
        self
    }

    /// Adds a line, if there is a value.
    #[must_use]
    pub(in crate::cli) fn if_any(self, label: &'static str, value: Option<impl ToString>) -> Self {
        match value {
            Some(value) => self.line(label, value),
            None => self,
        }
    }

    pub(in crate::cli) fn print(self, stream: Stream) -> Result<(), OutputError> {
        let mut table = bare(stream);
        for (label, value, tone) in self.0 {
            let label = Tone::Strong.paint(comfy_table::Cell::new(label));
            table.add_row([label, tone.paint(comfy_table::Cell::new(value))]);
        }
        space(&mut table);
        stream.line(&table.trim_fmt())
    }
}
