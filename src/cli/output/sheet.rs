//! One thing, with a line for each of its members.

use super::table::{bare, space};
use super::{OutputError, Stream, Tone, plain};

/// Labels, and what they stand before.
pub(in crate::cli) struct Sheet(Vec<(&'static str, String, Tone)>);

impl Sheet {
    pub(in crate::cli) fn new() -> Self {
        Self(Vec::new())
    }

    /// The same with one line more.
    #[must_use]
    pub(in crate::cli) fn line(self, label: &'static str, value: impl ToString) -> Self {
        self.toned(label, value, Tone::Plain)
    }

    /// The same with one line more, whose value is in a tone.
    #[must_use]
    pub(in crate::cli) fn toned(mut self, label: &'static str, value: impl ToString, tone: Tone) -> Self {
        self.0.push((label, plain(&value.to_string()), tone));
        self
    }

    /// The same with one line more if there is something to say.
    #[must_use]
    pub(in crate::cli) fn if_any(self, label: &'static str, value: Option<impl ToString>) -> Self {
        match value {
            Some(value) => self.line(label, value),
            None => self,
        }
    }

    /// Prints it.
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
