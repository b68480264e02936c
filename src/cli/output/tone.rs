//! The meanings of colours.

use clap::builder::styling::{AnsiColor, Style};
use comfy_table::{Attribute, Color};

/// The meaning of a text, shown by its colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::cli) enum Tone {
    /// No meaning.
    Plain,
    /// Good, or added.
    Good,
    /// Needs attention, or changed.
    Careful,
    /// Bad or ended, or removed.
    Bad,
    /// A heading or a label.
    Strong,
}

impl Tone {
    pub(super) fn style(self) -> Style {
        match self {
            Self::Plain => Style::new(),
            Self::Good => AnsiColor::Green.on_default(),
            Self::Careful => AnsiColor::Yellow.on_default(),
            Self::Bad => AnsiColor::Red.on_default(),
            Self::Strong => Style::new().bold(),
        }
    }

    pub(super) fn paint(self, cell: comfy_table::Cell) -> comfy_table::Cell {
        match self {
            Self::Plain => cell,
            Self::Good => cell.fg(Color::DarkGreen),
            Self::Careful => cell.fg(Color::DarkYellow),
            Self::Bad => cell.fg(Color::DarkRed),
            Self::Strong => cell.add_attribute(Attribute::Bold),
        }
    }
}
