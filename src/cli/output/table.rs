//! Tables without borders. In a pipe they are as wide as necessary; on a terminal they fit its width.

use comfy_table::{CellAlignment, ColumnConstraint, ContentArrangement, presets};

use super::{OutputError, Stream, Tone, plain};

/// A terminal that claims to be narrower than this reports a wrong width.
const LEAST_WIDTH: u16 = 20;

/// A table with a heading for each column.
pub(in crate::cli) struct Table {
    table: comfy_table::Table,
    rows: usize,
}

pub(in crate::cli) struct Cell(comfy_table::Cell);

impl Cell {
    /// A text in a tone.
    pub(in crate::cli) fn toned(text: impl ToString, tone: Tone) -> Self {
        Self(tone.paint(comfy_table::Cell::new(plain(&text.to_string()))))
    }

    /// A right-aligned number.
    pub(in crate::cli) fn number(number: u64) -> Self {
        Self(comfy_table::Cell::new(number).set_alignment(CellAlignment::Right))
    }
}

impl<T: ToString> From<T> for Cell {
    fn from(text: T) -> Self {
        Self::toned(text, Tone::Plain)
    }
}

impl Table {
    pub(in crate::cli) fn new(headings: &[&str]) -> Self {
        let mut table = bare(Stream::Out);
        table.set_header(headings.iter().map(|heading| Cell::toned(heading.to_uppercase(), Tone::Strong).0));
        Self { table, rows: 0 }
    }

    pub(in crate::cli) fn row(&mut self, cells: impl IntoIterator<Item = Cell>) {
        self.table.add_row(cells.into_iter().map(|cell| cell.0));
        self.rows += 1;
    }

    pub(in crate::cli) fn rows(&self) -> usize {
        self.rows
    }

    /// Prints the table to standard output, or nothing if it has no rows.
    pub(in crate::cli) fn print(mut self) -> Result<(), OutputError> {
        if self.rows == 0 {
            return Ok(());
        }
        space(&mut self.table);
        // Ids are never wrapped, so that they can be copied.
        let is_squeezed = matches!(self.table.content_arrangement(), ContentArrangement::Dynamic);
        if let Some(ids) = self.table.column_mut(0).filter(|_| is_squeezed) {
            ids.set_constraint(ColumnConstraint::ContentWidth);
        }
        Stream::Out.line(&self.table.trim_fmt())
    }
}

/// A table without borders. It wraps only on a terminal.
pub(super) fn bare(stream: Stream) -> comfy_table::Table {
    let mut table = comfy_table::Table::new();
    table.load_style(presets::NOTHING);
    if stream == Stream::Err {
        table.use_stderr();
    }
    if let Some(width) = table.width().filter(|width| *width >= LEAST_WIDTH) {
        table.set_content_arrangement(ContentArrangement::Dynamic).set_width(width);
    }
    match stream.may_paint() {
        true => table.enforce_styling(),
        false => table.force_no_tty(),
    };
    table
}

/// Puts two spaces between the columns, and none before the first.
pub(super) fn space(table: &mut comfy_table::Table) {
    table.column_iter_mut().for_each(|column| _ = column.set_padding((0, 2)));
}
